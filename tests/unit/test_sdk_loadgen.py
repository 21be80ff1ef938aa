"""LoadGen drives the runner's inference: a double of it that issues what it is told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import loadgen, runners


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    loadgen.write(tmp_path / "double")
    before = f"sys.path.insert(0, {str(tmp_path / 'double')!r})"
    return runners.tiny(tmp_path, before=before, infer="import time; time.sleep(0.001)")


def driven(folder: Path, scenario: str, batch: int = 1, **fields: Any) -> dict[str, Any]:
    driver = {"name": "loadgen", "scenario": scenario, "min_duration_ns": 1_500_001, "min_query_count": 3}
    return runners.request(folder, options={}, batch=batch, driver={**driver, **fields})


@pytest.mark.parametrize(
    ("scenario", "batch", "iterations"),
    [
        ("SingleStream", 1, 5),
        ("MultiStream", 1, 40),
        ("MultiStream", 3, 15),
        ("Offline", 1, 7),
        ("Offline", 3, 3),
    ],
)
def test_each_inference_serves_a_batch_and_is_timed(
    runner: Path, tmp_path: Path, scenario: str, batch: int, iterations: int
) -> None:
    ended = runners.launch(runner, driven(tmp_path, scenario, batch))
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.one("done")["iterations"] == iterations
    (measure,) = [chunk["values_ns"] for chunk in ended.all("latencies") if chunk["phase"] == "measure"]
    assert len(measure) == iterations
    assert all(value >= 1_000_000 for value in measure)
    told = ended.one("loadgen")
    assert (told["scenario"], told["version"]) == (scenario, "9.9 @ abc")
    assert told["summary"].startswith("the summary")
    assert told["detail"].startswith("the detail")
    assert told["settings"]["min_duration_ms"] == 2  # never less than was asked for
    assert told["settings"]["min_query_count"] == 3


def test_loadgen_is_told_what_to_expect(runner: Path, tmp_path: Path) -> None:
    def settings(scenario: str, batch: int) -> Any:
        return runners.launch(runner, driven(tmp_path, scenario, batch)).one("loadgen")["settings"]

    assert 1e6 <= settings("SingleStream", 1)["single_stream_expected_latency_ns"] < 1e8
    multi = settings("MultiStream", 3)
    assert multi["multi_stream_samples_per_query"] == 8
    assert multi["multi_stream_expected_latency_ns"] >= 3e6
    assert multi["max_query_count"] == 10**7 // 3
    assert 40 < settings("Offline", 4)["offline_expected_qps"] <= 4000


def test_an_error_of_the_runtime_ends_the_run_and_not_the_process(tmp_path: Path) -> None:
    loadgen.write(tmp_path / "double")
    failing = "if self.phase == 'measure': raise ValueError('no more')"
    runner = runners.tiny(tmp_path, before=f"sys.path.insert(0, {str(tmp_path / 'double')!r})", infer=failing)
    ended = runners.launch(runner, driven(tmp_path, "SingleStream"))
    assert ended.exit_code == 1
    assert "no more" in ended.one("error")["message"]


@pytest.mark.parametrize(
    ("scenario", "batch", "fields", "code", "words"),
    [
        ("SingleStream", 2, {}, "unsupported", "one sample per query"),
        ("Server", 1, {}, "unsupported", "Server"),
        ("Offline", 1, {"name": "other"}, "unsupported", "other"),
        ("Offline", 1, {"min_duration_ns": -1}, "protocol", "min_duration_ns"),
        ("Offline", 1, {"samples_per_query": "8"}, "protocol", "samples_per_query"),
        ("MultiStream", 1, {"samples_per_query": 0}, "protocol", "samples_per_query is out of range"),
        ("MultiStream", 1, {"samples_per_query": -8}, "protocol", "samples_per_query is out of range"),
        ("MultiStream", 1, {"samples_per_query": 2.5}, "protocol", "samples_per_query must be given as int"),
        ("MultiStream", 2, {"samples_per_query": 2 * 10**7 + 1}, "protocol", "more than measure"),
    ],
)
def test_what_it_cannot_drive_is_refused(
    runner: Path, tmp_path: Path, scenario: str, batch: int, fields: Any, code: str, words: str
) -> None:
    ended = runners.launch(runner, driven(tmp_path, scenario, batch, **fields))
    assert (ended.exit_code, ended.one("error")["code"]) == (1, code)
    assert words in ended.one("error")["message"]


def test_without_the_package_it_is_unsupported(tmp_path: Path) -> None:
    runner = runners.tiny(tmp_path, before="sys.modules['mlperf_loadgen'] = None")
    ended = runners.launch(runner, driven(tmp_path, "SingleStream"))
    assert ended.one("error")["code"] == "unsupported"
    assert "mlcommons-loadgen" in ended.one("error")["message"]


def test_a_real_3_6_is_driven(runner: Path, tmp_path: Path) -> None:
    python = runners.python36()
    if python is None:
        pytest.skip("no Python 3.6 on this machine")
    ended = runners.launch(runner, driven(tmp_path, "Offline", 3), python=python)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.one("done")["iterations"] == 3


def test_no_trial_loads_it(tmp_path: Path) -> None:
    left = "sys.stderr.write(str('loadgen' in sys.modules or 'ceilings' in sys.modules))"
    ended = runners.launch(runners.tiny(tmp_path, close=left), runners.request(tmp_path, options={}))
    assert (ended.exit_code, ended.stderr) == (0, "False")
