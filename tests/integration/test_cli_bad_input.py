"""What a clumsy newcomer gives the command line: each refusal is one line that names the fix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import doubles
from tests.support.newcomer import FAKE, inferometer, measured, refused

COMMANDS = [
    *("bench", "plan", "run-status", "report", "merge", "models", "devices"),
    *("runtimes", "images", "bundle", "doctor", "conformance"),
]
HUGE = "9" * 5000  # more digits than Python reads


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_examples(tmp_path: Path, command: str) -> None:
    done = inferometer(tmp_path, command, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"  inferometer {command}" in done.stdout.split("Example", 1)[1]


@pytest.mark.parametrize("command", ["plan", "run-status", "models", "devices", "runtimes", "images"])
def test_scripts_get_json(tmp_path: Path, command: str) -> None:
    assert "--json" in inferometer(tmp_path, command, "--help").stdout


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--nope"], ["No such option '--nope'"]),
        (["rport"], ["unknown command 'rport'", "Did you mean report?", "run-status"]),
        (["bench", "--mdoels", "x"], ["No such option '--mdoels'", "--models", "inferometer bench --help"]),
        (["bench", "--engine", "dokcer"], ["'--engine': 'dokcer'", "'auto', 'docker', 'process'"]),
        (["report"], ["results holds no finished run; name a results folder, or bench first"]),
        (["report", "x", "--format", "md", "--out", "y"], ["--format prints and --out writes"]),
        (["report", "x", "--format", "jsn"], ["'--format': 'jsn'", "'table', 'json', 'csv', 'md'"]),
        (["merge", "x"], ["Missing option '--out'"]),
        (["plan", "--device", "x68"], ["unknown device 'x68'", "Did you mean x86?", "nuc"]),
        (["plan", "--runtimes", "onnx"], ["unknown runtime 'onnx'", "Did you mean onnxruntime?", "tflite"]),
        (["plan", "--models", "resnet-50"], ["unknown model 'resnet-50'", "Did you mean resnet50?"]),
        (["bench", *FAKE, "--variants", "fp32"], ["there is no technique 'fp32'; known: nq, blq"]),
        (["plan", *FAKE, "--option", "fake.latency=3"], ["unknown option of fake", "mean latency_ns?"]),
        (["plan", *FAKE, "--option", "fake.wait=bsuy"], ["unknown value of fake.wait", "mean busy?"]),
        (["plan", "--option", "fake"], ["'fake': write RUNTIME.OPTION=VALUE"]),
        (["conformance", "--command", "'"], ["--command: No closing quotation; mend its quotes"]),
        (["conformance", "--runtime", "fake", "--timeout", "nan"], ["'--timeout': nan: give seconds"]),
        (["models", "--models", "digits"], ["unknown model 'digits'", "Did you mean digits-cnn?"]),
        (["images", "--runtimes", "pytroch"], ["unknown runtime 'pytroch'", "Did you mean pytorch?"]),
        (["bench", *FAKE, "--image", "x.png"], ["--image", "name it with --model"]),
        (["bench", *FAKE, "--input-range", "0,1"], ["--input-range", "name it with --model"]),
        (["bench", "--model", "x.onnx", "--input-range", "1"], ["--input-range '1'", "two numbers like 0,1"]),
        (
            ["bench", "--tune", "aslr=off", "--tune", "swap=off"],
            ["separate knobs with commas: aslr=off,swap=off"],
        ),
        (["bench", *FAKE, "--tune", "swap=on"], ["unknown value of --tune swap 'on'. Known: off."]),
        (["bench", *FAKE, "--threads", "100000"], ["nothing to measure", "asks for 100000 threads"]),
    ],
)
def test_unknown_words(tmp_path: Path, words: list[str], texts: list[str]) -> None:
    refused(inferometer(tmp_path, *words), *texts)


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "²", "1,0", HUGE, "1000000"])
@pytest.mark.parametrize("option", ["--threads", "--batch"])
def test_what_is_no_count(tmp_path: Path, option: str, value: str) -> None:
    refused(inferometer(tmp_path, "plan", option, value), option, "whole numbers from 1 to 999999")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--seed", "-1"),
        ("--seed", "x"),
        ("--launches", "0"),
        ("--launches", "99999999999"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--timeout", "inf"),
    ],
)
def test_what_is_out_of_range(tmp_path: Path, option: str, value: str) -> None:
    refused(inferometer(tmp_path, "plan", *FAKE, option, value), f"'{option}': ", "inferometer plan --help")


def test_a_results_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    refused(inferometer(tmp_path, "bench", *FAKE, "--results", "file"), "file: cannot be made", "RESULTS")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["", ".", "photos"])
def test_a_results_folder_that_holds_other_files(tmp_path: Path, name: str) -> None:
    picture = tmp_path / name / "raw" / "holiday.nef"
    picture.parent.mkdir(parents=True)
    picture.write_text("mine")
    done = inferometer(tmp_path, "bench", *FAKE, "--results", name)
    refused(done, "holds other files; choose an empty RESULTS folder")
    assert picture.read_text() == "mine"
    picture.rename(tmp_path / name / "holiday.nef")
    picture.parent.rmdir()
    refused(inferometer(tmp_path, "bench", *FAKE, "--results", name), "holds other files")
    assert not picture.parent.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write to")
def test_folders_that_nobody_can_write_to(tmp_path: Path) -> None:
    done = inferometer(tmp_path, "bench", *FAKE, "--results", "/proc/results")
    refused(done, "/proc/results: cannot be made", "choose another RESULTS folder")
    done = inferometer(tmp_path, "bench", *FAKE, INFEROMETER_CACHE="/proc/cache")
    refused(done, "/proc/cache: ", "INFEROMETER_CACHE")


def test_a_cache_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = inferometer(tmp_path, "bench", *FAKE, INFEROMETER_CACHE=str(tmp_path / "file"))
    refused(done, f"{tmp_path / 'file'}", "Not a directory", "INFEROMETER_CACHE")


def test_a_full_disk_and_the_same_command_again(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    command = ["bench", *FAKE, "--launches", "4", "--results", str(small / "run")]
    try:
        done = inferometer(tmp_path, *command)
        assert done.returncode == 2
        *said, last = done.stderr.splitlines()
        trials = [line for line in said if line.startswith("[")]
        assert 0 < len(trials) < 4
        assert "No space left on device; free some space and give the same command again" in last
        assert str(small / "run") in last
        subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
        done = inferometer(tmp_path, *command)
        measured(done)
        assert f"{len(trials)} of 4 trials are done" in done.stderr
    finally:
        subprocess.run(["umount", str(small)], check=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the suite that a test may damage."""
    unwanted = shutil.ignore_patterns("__pycache__", "*.pt2")
    for name in ("orchestrator", "runners", "models", "Dockerfiles"):
        shutil.copytree(doubles.ROOT / name, tmp_path / "tree" / name, ignore=unwanted)
    return tmp_path / "tree"


@pytest.mark.parametrize(
    ("path", "old", "new", "texts"),
    [
        ("runners/fake/runner.toml", "title =", "title", ["not valid TOML", "line 1"]),
        ("runners/fake/runner.toml", "formats = [", "formats = 3 #", ["field formats must be a list, got 3"]),
        ("runners/fake/runner.toml", "[needs]", "[kneads]", ["field needs is missing; add it"]),
        ("models/resnet50.toml", "[weights", "[weight", ["field weights is missing; add it"]),
        ("orchestrator/devices/x86.toml", "[recognise]", "[rules]", ["field recognise is missing; add it"]),
        ("models/resnet50.toml", "title", "\xff", ["not valid TOML", "line 1"]),
        ("orchestrator/devices/x86.toml", "[recognise]", "[recognise", ["not valid TOML", "at line"]),
        (
            "orchestrator/devices/x86.toml",
            'platform = "',
            'platform = 3 # "',
            ["field platform must be a string"],
        ),
    ],
)
def test_a_damaged_description(
    tmp_path: Path, tree: Path, path: str, old: str, new: str, texts: list[str]
) -> None:
    text = (tree / path).read_text("utf-8")
    assert old in text
    (tree / path).write_text(text.replace(old, new, 1), "utf-8")
    refused(inferometer(tmp_path, "plan", "--engine", "process", root=tree), f"{tree / path}: ", *texts)


def test_lists_of_nothing(tmp_path: Path, tree: Path) -> None:
    for path in (*tree.glob("models/*.toml"), *tree.glob("runners/*/runner.toml")):
        path.unlink()
    for command in ("models", "runtimes"):
        assert json.loads(inferometer(tmp_path, command, "--json", root=tree).stdout) == []
        done = inferometer(tmp_path, command, root=tree)
        assert done.returncode == 0
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "text"), [("model.onnx", "SHA-256 is"), ("manifest.json", "unreadable")])
def test_a_damaged_artifact_is_a_row_with_its_reason(
    tmp_path: Path, tree: Path, name: str, text: str
) -> None:
    path = tree / "models/artifacts/digits-cnn/nq/b1" / name
    path.write_bytes(path.read_bytes() + b"}")
    done = inferometer(tmp_path, "bench", *FAKE, "--results", "run", root=tree)
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("skipped x86/fake/digits-cnn")
    assert f"{path}: {text}" in done.stderr
    (skip,) = json.loads(inferometer(tmp_path, "report", "run", "--format", "json").stdout)["skips"]
    assert f"{path}: {text}" in skip["reason"]
