"""Runners and SDK are Python 3.6: proved by a real one where there is one, and by reading everywhere."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import runners

SUITE = runners.RUNNERS.parent
FILES = sorted([*runners.RUNNERS.rglob("*.py"), *(SUITE / "orchestrator/telemetry").rglob("*.py")])
VERMIN = [sys.executable, "-c", "import vermin; vermin.main()", "-t=3.6-", "--violations", "--no-tips"]


@pytest.fixture(scope="module")
def python36() -> str:
    python = runners.python36()
    if python is None:
        pytest.skip("NO PYTHON 3.6 ON THIS MACHINE: only the static checks ran (pyenv install 3.6.15)")
    return python


def test_there_is_something_to_check() -> None:
    names = {str(path.relative_to(SUITE)) for path in FILES}
    assert {"runners/sdk/inferometer_sdk.py", "runners/fake/runner.py"} <= names
    assert len(names) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SUITE)))
def test_its_grammar_is_that_of_3_6(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), str(path), feature_version=(3, 6))


def test_it_uses_nothing_that_came_later() -> None:
    done = subprocess.run([*VERMIN, *map(str, FILES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_would_notice(tmp_path: Path) -> None:
    new = tmp_path / "new.py"
    new.write_text("import subprocess\nsubprocess.run(['true'], capture_output=True)\n")
    done = subprocess.run([*VERMIN, str(new)], capture_output=True, text=True)
    assert done.returncode == 1, done.stdout


def test_the_sdk_needs_the_standard_library_alone() -> None:
    for node in ast.walk(ast.parse((runners.SDK / "inferometer_sdk.py").read_text("utf-8"))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        assert not isinstance(node, ast.ImportFrom)


def test_a_real_3_6_compiles_every_file(python36: str) -> None:
    code = "import sys; [compile(open(p, encoding='utf-8').read(), p, 'exec') for p in sys.argv[1:]]"
    subprocess.run([python36, "-W", "error", "-c", code, *map(str, FILES)], check=True)


def test_a_real_3_6_measures(python36: str, tmp_path: Path) -> None:
    line = runners.scripted(tmp_path, latency_ns="300000", distribution="lognormal", seed="1")
    ended = runners.launch(
        runners.FAKE, {**line, "idle_ns": 1_000_000, "idle_after_ns": 3_000_000}, python=python36
    )
    assert (ended.exit_code, ended.stderr) == (0, "")
    (measure,) = [chunk["values_ns"] for chunk in ended.all("latencies") if chunk["phase"] == "measure"]
    assert ended.one("done")["iterations"] == len(measure) >= 10
    assert all(type(value) is int and value > 200_000 for value in measure)
    marks = {mark["edge"]: mark["t_ns"] for mark in ended.all("phase") if mark["name"] == "measure"}
    assert sum(measure) <= marks["end"] - marks["start"]
    after = [mark["t_ns"] for mark in ended.all("phase") if mark["name"] == "idle_after"]
    assert after[1] - after[0] >= 3_000_000
    assert ended.one("footprint")["inference_vm_hwm_bytes"] > 1_000_000


def test_a_real_3_6_answers_errors_as_a_later_one_does(python36: str, tmp_path: Path) -> None:
    for line in (b"", b"{", {"protocol": 2}, {**runners.request(tmp_path), "threads": 0}):
        old = runners.launch(runners.FAKE, line, python=python36)
        new = runners.launch(runners.FAKE, line)
        assert old.exit_code == new.exit_code == 1
        assert old.one("error") == new.one("error")


@pytest.mark.quiet
def test_the_null_loop_of_a_real_3_6(python36: str) -> None:
    code = (
        "import inferometer_sdk as sdk, sys\n"
        "n = 20000\n"
        "values = sdk.allocate(n, n)\n"
        "rounds = []\n"
        "for _ in range(7):\n"
        "    begin = sdk.now_ns()\n"
        "    sdk.timed_loop(lambda: None, values, 0, n, n)\n"
        "    rounds.append(((sdk.now_ns() - begin) / n, sorted(sdk.in_ns(values))[n // 2]))\n"
        "sys.stderr.write('%f %f' % (min(r[0] for r in rounds), min(r[1] for r in rounds)))\n"
    )
    done = subprocess.run(
        [python36, "-c", code], env={"PYTHONPATH": str(runners.SDK)}, stderr=subprocess.PIPE, check=True
    )
    whole_ns, inside_ns = map(float, done.stderr.split())
    assert 0 < inside_ns <= 500
    assert whole_ns <= 1500
