"""A board's containers on this machine: ``make bench DEVICE=... EMULATE=1`` to the end, on real models.

What an emulator computes counts in full, what it times counts for nothing. Images of the board are built
once (some minutes); MobileNetV2 is exported once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx
from tests.conftest import missing_docker

pytestmark = [pytest.mark.docker, pytest.mark.runtimes, pytest.mark.slow]

BOARD = next(
    (
        device
        for device in Catalog(suite_root()).devices().values()
        if device.arch != os.uname().machine and "armnn" in device.runtimes
    ),
    None,
)


def out_of_reach() -> str | None:
    """Why no board can be emulated here."""
    if BOARD is None:
        return "every device has this machine's processor"
    if missing_docker():
        return None  # the marker tells
    try:
        buildx.require_emulation(BOARD.platform)
    except InferometerError as problem:
        return str(problem)
    return None


@pytest.fixture(scope="module", autouse=True)
def emulation() -> None:
    reason = out_of_reach()
    if reason and BOARD is not None and os.environ.get("CI") == "true":
        pytest.fail(f"CI is set, and {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)


def inferometer(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """The program, with a lock of its own."""
    return subprocess.run(
        [sys.executable, "-m", "orchestrator", *map(str, words)],
        cwd=suite_root(),
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def bench(folder: Path, *words: str | Path) -> dict[str, Any]:
    """The summary of a quick bench into ``folder``/run."""
    done = inferometer(folder, "bench", "--quick", "--results", folder / "run", *words)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads((folder / "run/summary.json").read_bytes())
    return document


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    assert BOARD
    folder = tmp_path_factory.mktemp("emulated")
    choice = ("--runtimes", "tflite,armnn", "--models", "digits-cnn,mobilenet-v2")
    return folder / "run", bench(folder, "--device", BOARD.id, "--emulate", *choice)


def test_each_runtime_of_the_board_computes_what_the_source_does(emulated: Any) -> None:
    rows = {(row["case"]["runtime"], row["case"]["model"]): row for row in emulated[1]["cases"]}
    assert set(rows) == {(r, m) for r in ("tflite", "armnn") for m in ("digits-cnn", "mobilenet-v2")}
    for (_, model), row in rows.items():
        assert row["parity"]["top1_equal"] == row["parity"]["total"] >= 1
        assert row["parity"]["max_abs_difference"] < 1e-3
        if model == "digits-cnn":
            assert row["accuracy"] == {"correct": 359, "total": 360}
    assert emulated[1]["skips"] == []


def test_each_result_is_stamped_and_no_speed_is_believed(emulated: Any) -> None:
    folder, document = emulated
    for row in document["cases"]:
        assert row["emulated"] is True
        assert row["verdict"] == "invalid"
        codes = {finding["code"] for finding in row["findings"]}
        assert "emulated" in codes and not codes & {"unstable", "not_steady", "forced_device"}
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text("utf-8").splitlines()]
    assert [trial["emulated"] for trial in trials] == [True] * len(document["cases"])
    told = inferometer(folder.parent, "report", folder).stdout
    assert "docker (emulated)" in told and "under emulation: says nothing about the board" in told


def test_a_comparison_with_a_real_run_is_refused(emulated: Any, tmp_path: Path) -> None:
    bench(tmp_path, "--runtimes", "tflite", "--models", "digits-cnn", "--launches", "1")
    done = inferometer(tmp_path, "merge", emulated[0], tmp_path / "run", "--out", tmp_path / "both.json")
    assert done.returncode == 2
    assert "ran under emulation and" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "both.json").exists()


def test_a_processor_the_engine_cannot_emulate_is_refused_with_the_fix() -> None:
    with pytest.raises(InferometerError, match="cannot emulate linux/none; fix: apt-get install qemu-user"):
        buildx.require_emulation("linux/none")
