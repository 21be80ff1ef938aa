"""A user's own models in the catalogue: added, measured like any other, replaced, removed, refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.engines import images
from orchestrator.files import sha256_file
from tests.integration.test_own_models import document, onnx
from tests.support import doubles
from tests.support.newcomer import inferometer, measured, refused

READ = ("--engine", "process", "--runtimes", "fake")
QUICK = ("--quick", "--launches", "1")
FAKE = (*READ, *QUICK, "--option", "fake.latency_ns=50000")
PATIENCE_S = 300.0  # several imports of torch
SHIPPED = doubles.ROOT / "models/artifacts/digits-cnn/nq/b1"


def add(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return inferometer(place, "models", "add", *READ, *words)


def added(done: subprocess.CompletedProcess[str]) -> Path:
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def listed(place: Path) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in json.loads(inferometer(place, "models", "--json").stdout)}


def records(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "trials.jsonl").read_bytes().splitlines()]


def npz(path: Path, shape: tuple[int, ...], labels: list[int]) -> str:
    np.savez(path, inputs=np.zeros((len(labels), *shape), np.float32), labels=np.array(labels))
    return path.name


def test_an_added_model_is_one_of_the_catalogue(tmp_path: Path) -> None:
    document(tmp_path / "my.onnx", [1, 3, 8, 6], classes=3)
    document(tmp_path / "my.tflite", [1, 8, 6, 3], classes=3)
    data = npz(tmp_path / "my.npz", (8, 6, 3), [2, 2, 2, 0])
    done = add(tmp_path, "my.onnx", "my.tflite", "--data", data)
    card = added(done)
    assert card == tmp_path / "models/my.toml"
    assert (
        "my.onnx: takes float32 [1, 3, 8, 6] NCHW; shown 4 of the 4 inputs of my.npz, scored" in done.stderr
    )
    assert listed(tmp_path)["my"] == {
        "model": "my",
        "variant": "own",
        "title": "my.onnx, my.tflite (4 inputs of my.npz)",
        "weights": "yours",
        "exported": ["onnx", "tflite"],
    }
    (tmp_path / "my.onnx").unlink()  # the catalogue has its own copy
    planned = inferometer(tmp_path, "plan", *FAKE, "--models", "my,digits-cnn", "--variants", "nq")
    assert "fake/my/own/b1/t1" in planned.stdout and "fake/digits-cnn/nq/b1/t1" in planned.stdout
    measured(inferometer(tmp_path, "bench", *FAKE, "--models", "my", "--results", "run"))
    (record,) = records(tmp_path / "run")
    assert record["accuracy"] == {"correct": 3, "total": 4}
    assert record["artifact"]["weights"] == "yours"
    assert record["artifact_sha256"] == sha256_file(tmp_path / "models/my/own/b1/model.onnx")
    again = inferometer(tmp_path, "report", "run", "--format", "json")
    assert json.loads(again.stdout)["cases"][0]["case"]["variant"] == "own"
    done = inferometer(tmp_path, "models", "remove", "my")
    assert done.returncode == 0 and "my" not in listed(tmp_path)
    assert list((tmp_path / "models").iterdir()) == []


def test_without_data_only_latency_is_measured(tmp_path: Path) -> None:
    document(tmp_path / "speech.onnx", [1, 40], "int32")
    done = add(tmp_path, "speech.onnx")
    added(done)
    assert "shown synthetic inputs, so latency only: give --data to score it" in done.stderr
    assert "(synthetic inputs, latency only)" in listed(tmp_path)["speech"]["title"]
    measured(inferometer(tmp_path, "bench", *FAKE, "--models", "speech", "--results", "run"))
    (record,) = records(tmp_path / "run")
    assert record["accuracy"] is None and record["parity"] is None


def test_pictures_in_class_folders(tmp_path: Path) -> None:
    document(tmp_path / "my.tflite", [2, 8, 6, 3], "uint8", classes=2)
    for number, name in enumerate(("cat/a.png", "cat/b.png", "dog/c.png")):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (9, 7), (number, 0, 0)).save(tmp_path / "photos" / name)
    added(add(tmp_path, "my.tflite", "--data", "photos"))
    folder = tmp_path / "models/my/own/b2"
    assert json.loads((folder / "labels.json").read_bytes()) == [[0, 0]]  # the third fills no batch
    assert np.load(folder / "inputs-tflite.npy")[:, :, 0, 0, 0].tolist() == [[0, 1]]
    done = inferometer(tmp_path, "plan", *FAKE, "--models", "my", "--batch", "1,2")
    assert "the files of my fix the batch at 2" in done.stdout and "/my/own/b2/" in done.stdout


def test_a_name_stands_for_one_model(tmp_path: Path) -> None:
    document(tmp_path / "my.onnx", [1, 4])
    added(add(tmp_path, "my.onnx"))
    before = (tmp_path / "models/my.toml").read_bytes()
    added(add(tmp_path, "my.onnx"))  # the same once more
    assert (tmp_path / "models/my.toml").read_bytes() == before
    document(tmp_path / "my.onnx", [1, 5])
    refused(
        add(tmp_path, "my.onnx"), "my.onnx: my is there already, from another file (my.onnx, ", "--replace"
    )
    document(tmp_path / "my.tflite", [1, 4])
    added(add(tmp_path, "my.tflite"))  # another format of it
    assert listed(tmp_path)["my"]["exported"] == ["onnx", "tflite"]
    data = npz(tmp_path / "my.npz", (4,), [0])
    refused(
        add(tmp_path, "my.tflite", "--data", data), "the other files of my are scored on synthetic inputs"
    )
    added(add(tmp_path, "my.onnx", "--replace"))
    assert listed(tmp_path)["my"]["exported"] == ["onnx"]
    refused(add(tmp_path, "my.onnx", "--id", "digits-cnn"), "digits-cnn is a model of the suite")
    refused(inferometer(tmp_path, "models", "remove", "digits-cnn"), "is a model of the suite")
    refused(inferometer(tmp_path, "models", "remove", "mine"), "unknown model of your own 'mine'")


def test_two_batch_sizes_are_one_model(tmp_path: Path) -> None:
    document(tmp_path / "my.onnx", ["N", 4])
    for batch in ("1", "4"):
        added(add(tmp_path, "my.onnx", "--batch", batch))
    done = inferometer(tmp_path, "plan", *FAKE, "--models", "my")
    assert "/my/own/b1/" in done.stdout and "/my/own/b4/" in done.stdout


@pytest.mark.parametrize(
    ("shape", "words", "said"),
    [
        (["N", 3, 8, 8], (), "my.onnx: input `input` has an open batch dimension; say --batch 1"),
        ([1, 3, "H", 8], (), "open dimensions besides its batch, [1, 3, H, 8]"),
        ([1, 8, 8, 8], ("--data", "cat.png"), "does not tell how a picture lies in it; say --layout"),
        ([1, 9], ("--data", "cat.png"), "does not tell how a picture lies in it; give its inputs as an .npz"),
        ([1, 3, 8, 8], ("--data", "cat.png"), "say --input-range 0,1"),
        ([4, 3, 8, 8], ("--data", "cat.png"), "holds 1 inputs, a batch of my.onnx is 4"),
        ([1, 4], ("--data", "far.npz"), "far.npz: has class 3, but my.onnx gives 3 values each"),
        ([1, 4], ("--data", "none.npz"), "none.npz: no readable .npz"),
        ([1, 4], ("--labels", "none.txt"), "--labels belong to inputs"),
        ([1, 4], ("--input-range", "0,1"), "are for the pixels of --data"),
        ([1, 4], ("--card", "card.toml"), "--card goes with weights (.pth)"),
        ([1, 4], ("--id", "a b"), "'a b' cannot be a model's id"),
    ],
)
def test_what_must_be_said_or_mended(
    tmp_path: Path, shape: list[Any], words: tuple[str, ...], said: str
) -> None:
    document(tmp_path / "my.onnx", shape)
    Image.new("RGB", (9, 7)).save(tmp_path / "cat.png")
    npz(tmp_path / "far.npz", (4,), [3])
    refused(add(tmp_path, "my.onnx", *words), said)
    folder = tmp_path / "models"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "my.h5").touch()
    refused(add(tmp_path, "my.h5"), "my.h5: the ending says no known format")
    refused(add(tmp_path, "my.onnx"), "my.onnx: there is no such file")
    refused(add(tmp_path, "my.pth"), "my.pth: holds weights and not what they are of; say --card CARD.toml")
    document(tmp_path / "a.onnx", [1, 4])
    shutil.copy(tmp_path / "a.onnx", tmp_path / "b.onnx")
    refused(add(tmp_path, "a.onnx", "b.onnx"), "b.onnx: a.onnx is of the same format")


@pytest.fixture
def runtimes(tmp_path: Path) -> None:
    """The images that read files, built where they are not there."""
    for name in ("onnxruntime", "tflite", "pytorch"):
        images.ensure(name, suite_root(), cache_root(), None, print)


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.usefixtures("runtimes")
def test_real_files_of_three_formats_agree(tmp_path: Path) -> None:
    docker = ("--engine", "docker")
    labels = [row[0] for row in json.loads((SHIPPED / "labels.json").read_bytes())][:40]
    inputs = np.load(SHIPPED / "inputs-nchw.npy")[:40, 0]
    np.savez(tmp_path / "held.npz", inputs=inputs, labels=np.array(labels))
    tmp_path.chmod(0o700)  # a folder that only its owner may enter is no obstacle
    for kinds in (("onnx", "tflite"), ("pt2",)):
        files = [str(SHIPPED / f"model.{kind}") for kind in kinds]
        words = ("models", "add", *docker, *files, "--id", "mine", "--data", "held.npz")
        added(inferometer(tmp_path, *words, timeout_s=PATIENCE_S))
    done = inferometer(
        tmp_path,
        *("bench", *docker, *QUICK, "--models", "mine", "--results", "run"),
        *("--runtimes", "onnxruntime,tflite,pytorch", "--option", "pytorch.mode=eager"),
        timeout_s=PATIENCE_S,
    )
    measured(done)
    found = records(tmp_path / "run")
    assert {record["artifact"]["format"] for record in found} == {"onnx", "tflite", "pt2"}
    scores = {json.dumps(record["accuracy"]) for record in found}
    assert len(scores) == 1 and found[0]["accuracy"]["correct"] >= 38


@pytest.mark.docker
@pytest.mark.runtimes
@pytest.mark.usefixtures("runtimes")
def test_real_files_that_are_refused(tmp_path: Path) -> None:
    onnx(tmp_path / "two.onnx", [1, 3, 2, 2], op="Add")
    onnx(tmp_path / "open.onnx", ["N", 3, 2, 2])
    for kind in ("onnx", "tflite", "pt2"):
        whole = (SHIPPED / f"model.{kind}").read_bytes()
        (tmp_path / f"half.{kind}").write_bytes(whole[: len(whole) // 2])
        (tmp_path / f"text.{kind}").write_text("this is a text\n")
    newer(SHIPPED / "model.pt2", tmp_path / "newer.pt2")

    readers = {".onnx": "onnxruntime", ".tflite": "tflite", ".pt2": "pytorch"}

    def refusal(name: str, *said: str) -> None:
        by = ("--runtimes", readers[Path(name).suffix])
        words = ("models", "add", "--engine", "docker", *by, name)
        refused(inferometer(tmp_path, *words, timeout_s=PATIENCE_S), *said)

    refusal("two.onnx", "two.onnx: has 2 inputs (`a`, `b`); only models with one can be fed")
    refusal("open.onnx", "open.onnx: input `a` has an open batch dimension; say --batch 1")
    for kind in ("onnx", "tflite", "pt2"):
        for name in (f"half.{kind}", f"text.{kind}"):
            refusal(name, f"{name}: ", "cannot load it: ")
    refusal("newer.pt2", "newer.pt2: pytorch cannot load it: ", "written by torch 99.1.0, and this is ")


def newer(source: Path, target: Path) -> None:
    """The same program, as a future torch might write it: a schema of another major version."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("models/model.json"):
                program = json.loads(content)
                program["schema_version"]["major"] += 90
                program["torch_version"] = "99.1.0"
                content = json.dumps(program).encode()
            new.writestr(name, content)
