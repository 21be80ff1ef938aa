"""The scripted double does what its script says, and its toml says what it does."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.support import runners


def measured(folder: Path, **script: str) -> list[int]:
    line = runners.scripted(folder, **script)
    line["measure"] = {"min_duration_ns": 0, "min_iterations": 200}
    ended = runners.launch(runners.FAKE, line)
    return [v for m in ended.all("latencies") if m["phase"] == "measure" for v in m["values_ns"]]


@pytest.mark.quiet
@pytest.mark.parametrize("wait", ["busy", "sleep"])
def test_a_constant_latency(wait: str, tmp_path: Path) -> None:
    values = measured(tmp_path, latency_ns="300000", wait=wait)
    assert min(values) >= 300_000
    assert median(values) < (320_000 if wait == "busy" else 600_000)


@pytest.mark.quiet
def test_distributions_scatter_as_asked(tmp_path: Path) -> None:
    low, _, high = quantiles(
        measured(tmp_path, latency_ns="200000", distribution="lognormal", spread="0.3"), n=4
    )
    assert 1.3 < high / low < 1.8  # exp(2 x 0.6745 x 0.3) = 1.50


@pytest.mark.quiet
def test_speed_modes_belong_to_the_process(tmp_path: Path) -> None:
    medians = [median(measured(tmp_path, modes="1,3", seed=str(seed))) for seed in range(8)]
    slow = [value for value in medians if value > 40_000]
    assert 0 < len(slow) < 8
    assert medians == pytest.approx([20_000 if value < 40_000 else 60_000 for value in medians], rel=0.2)


def test_a_cold_first_inference(tmp_path: Path) -> None:
    ended = runners.launch(runners.FAKE, runners.scripted(tmp_path, cold="100"))
    (first,) = [m["values_ns"] for m in ended.all("latencies") if m["phase"] == "first"]
    assert first[0] >= 2_000_000


def test_outputs_come_from_the_document_or_from_the_index(tmp_path: Path) -> None:
    line = runners.request(tmp_path, model=json.dumps({"outputs": [[1, 2], [3, 4]]}).encode())
    ended = runners.launch(runners.FAKE, line)
    assert [m["values"] for m in ended.all("outputs")] == [[1, 2], [3, 4]]
    line = runners.request(tmp_path, model=b"\x00 anything at all")
    first, second = (runners.launch(runners.FAKE, line).all("outputs") for _ in range(2))
    assert first == second
    assert first[0]["values"] != first[1]["values"]


def test_it_can_run_elsewhere_than_asked(tmp_path: Path) -> None:
    line = {**runners.scripted(tmp_path, executed="cpu"), "accelerator": "npu"}
    placement = runners.launch(runners.FAKE, line).one("placement")
    assert (placement["requested"], placement["executed"]) == ("npu", {"cpu": 1})


@pytest.mark.parametrize(
    ("script", "exit_code", "last"),
    [
        ({"behaviour": "crash"}, 70, b'"settle"'),
        ({"behaviour": "crash", "at": "load"}, 70, b'"load"'),
        ({"behaviour": "crash", "at": "import"}, 70, b""),
        ({"behaviour": "signal", "signal": "ABRT"}, -6, b'"settle"'),
        ({"behaviour": "error", "code": "resource"}, 1, b'"code":"resource"'),
        ({"behaviour": "oom", "bytes": "100000000"}, 1, b'"code":"resource"'),
        ({"behaviour": "noise", "at": "load"}, 0, b'"done"'),
        ({"behaviour": "garbage"}, 0, b'"done"'),
        ({"behaviour": "oversized"}, 0, b'"done"'),
        ({"behaviour": "wrong-protocol"}, 0, b'"done"'),
        ({"behaviour": "no-done"}, 0, b'"outputs"'),
        ({"behaviour": "after-done"}, 0, b'"done"'),
        ({"behaviour": "truncate"}, 0, b'{"type":"latencies","phase":"mea'),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_misbehaviour(script: dict[str, str], exit_code: int, last: bytes, tmp_path: Path) -> None:
    ended = runners.launch(runners.FAKE, runners.scripted(tmp_path, **script))
    assert ended.exit_code == exit_code
    assert last in (ended.stdout.splitlines() or [b""])[-1]


def test_it_floods_standard_error_and_goes_on(tmp_path: Path) -> None:
    ended = runners.launch(runners.FAKE, runners.scripted(tmp_path, behaviour="flood"))
    assert len(ended.stderr) == 10_000_000
    assert ended.one("done")


@pytest.mark.parametrize(("behaviour", "listens"), [("hang", True), ("slow-term", False)])
def test_it_hangs_with_and_without_ears(behaviour: str, listens: bool, tmp_path: Path) -> None:
    child = runners.start(runners.FAKE)
    runners.feed(child, runners.scripted(tmp_path, behaviour=behaviour, at="load"))
    assert child.stdout
    while b'"load"' not in child.stdout.readline():
        pass
    time.sleep(0.5)
    child.terminate()
    if listens:
        assert child.wait(5) == -15
    else:
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(1)
    runners.discard(child)
