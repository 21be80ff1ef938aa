"""LoadGen's launches: which are made, with what, and what a row says of them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import loadgen, wire
from orchestrator.catalog import Catalog, Runtime
from orchestrator.domain import Case, InferometerError, MlperfResult
from orchestrator.engines import images
from orchestrator.engines.launch import Target
from orchestrator.engines.process import ProcessEngine
from orchestrator.engines.venvs import location
from orchestrator.files import sha256_file
from orchestrator.merge import case_summary
from orchestrator.plan import FULL, QUICK
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles, transcripts
from tests.support.schemas import check

CASE = Case("board", "alpha", "m")
SUMMARY = """\
====
MLPerf Results Summary
====
Scenario : SingleStream
90.0th percentile latency (ns) : 120
Result is : VALID
Early Stopping Result:
 * Early stopping 90.0th percentile estimate: 130
====
Additional Stats
"""
TOLD = {
    "type": "loadgen",
    "scenario": "SingleStream",
    "settings": {"min_duration_ms": 1, "target": 0.9},
    "version": "9.9",
    "summary": SUMMARY,
    "detail": "",
}
SETTINGS = replace(doubles.SHORT, loadgen="SingleStream", loadgen_ns=1_000_000, timeout_s=30.0)
IDENTITY: dict[str, Any] = dict.fromkeys(("machine", "forced")) | {
    "suite": "1.0.0",
    "device": "board",
    "engine": "process",
    "emulated": False,
}


def stored(run: Path, told: dict[str, Any] | None, failure: str | None = None) -> Path:
    """A launch as it is stored."""
    folder = run / loadgen.FOLDER / "0"
    folder.mkdir(parents=True)
    messages = transcripts.run([100, 110, 120])
    messages.insert(-2, told) if told else None
    path = folder / "transcript.jsonl"
    path.write_bytes(b"".join(transcripts.lines(messages)))
    result = {"case": CASE.to_json(), "scenario": "SingleStream", "image": None}
    files = {path.name: sha256_file(path)}
    (folder / "result.json").write_text(json.dumps({**result, "failure": failure, "files": files}))
    return path


def test_a_verdict_is_told_in_loadgens_words_beside_our_median(tmp_path: Path) -> None:
    stored(tmp_path, TOLD)
    assert loadgen.results(tmp_path) == {
        CASE.id: MlperfResult(
            "SingleStream",
            "VALID",
            "90.0th percentile latency",
            120.0,
            None,
            130.0,
            (),
            {"min_duration_ms": 1, "target": 0.9},
            "9.9",
            110.0,
        )
    }


@pytest.mark.parametrize(
    ("told", "failure", "words"),
    [
        (TOLD, "unsupported: no LoadGen", "no LoadGen"),
        (None, None, "does not know the driver"),
        ({**TOLD, "summary": "torn"}, None, "no verdict"),
    ],
)
def test_where_there_is_no_verdict_there_is_a_reason(
    tmp_path: Path, told: dict[str, Any] | None, failure: str | None, words: str
) -> None:
    stored(tmp_path, told, failure)
    (found,) = loadgen.results(tmp_path).values()
    assert (found.verdict, found.value_ns) == (None, None)
    assert words in str(found.reason)


def test_a_changed_file_gives_no_verdict(tmp_path: Path) -> None:
    path = stored(tmp_path, TOLD)
    path.write_bytes(path.read_bytes().replace(b"9.9", b"9.8"))
    (found,) = loadgen.results(tmp_path).values()
    assert found.verdict is None
    assert "SHA-256" in str(found.reason)


@pytest.mark.parametrize("content", ['{"case": {}}', '{"case": {"device": "board"}}', "{", '{"case": 3}'])
def test_a_damaged_result_is_named(tmp_path: Path, content: str) -> None:
    path = stored(tmp_path, TOLD).parent / "result.json"
    rest = {"scenario": "SingleStream", "failure": None, "files": {}}
    path.write_text(json.dumps({**rest, **json.loads(content)}) if content != "{" else content)
    with pytest.raises(InferometerError, match=r"result\.json: .*restore it from a copy"):
        loadgen.results(tmp_path)


@pytest.mark.parametrize("value", ["600", None, True, float("inf"), [1]])
def test_settings_that_are_no_numbers_break_the_protocol(value: object) -> None:
    told = {**TOLD, "settings": {"min_duration_ms": value}}
    messages = transcripts.run([100])
    messages.insert(-2, told)
    text = b"".join(transcripts.lines(messages)).replace(b"Infinity", b"1e999")
    assert "min_duration_ms" in str(wire.read(io.BytesIO(text)).violation)


def test_a_quick_bench_asks_for_fewer_queries() -> None:
    multi = replace(FULL, loadgen="MultiStream")
    assert loadgen.driver_of(multi)["min_query_count"] == 662
    assert loadgen.driver_of(replace(QUICK, loadgen="MultiStream"))["min_query_count"] == 64
    assert loadgen.driver_of(replace(FULL, loadgen="Offline"))["min_query_count"] == 1
    assert loadgen.driver_of(multi)["min_duration_ns"] == FULL.loadgen_ns
    assert loadgen.settings_of(multi).timeout_s == FULL.timeout_s + 3 * FULL.loadgen_ns / 1e9


class Bare(ProcessEngine):
    """Makes the environment without LoadGen, and counts."""

    asked: list[bool]

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        self.asked.append(runtime.loadgen)
        return super().prepare(replace(runtime, loadgen=False), progress, accelerator)


class Refusing(Bare):
    """Cannot make an environment with LoadGen."""

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        if runtime.loadgen:
            raise InferometerError("no network")
        return super().prepare(runtime, progress, accelerator)


def bench(folder: Path, engine: type[Bare] = Bare, **settings: Any) -> tuple[Run, list[bool]]:
    wanted = replace(SETTINGS, **settings)
    plan = doubles.plan_of([doubles.case(), doubles.case(latency_ns="30000")], wanted)
    place = engine(doubles.ROOT, folder)
    place.asked = []
    session = doubles.session_of(plan, doubles.conditions_of(place, wanted, None), folder)
    content = {**header(plan, IDENTITY, {}), "created_utc": "2026", "least_launches": 1}
    path = folder / "run"
    run = Run.open(path) if path.exists() else Run.create(path, content)
    session.run(run)
    return run, place.asked


def test_each_case_is_launched_once_more_and_rows_say_what_came_of_it(tmp_path: Path) -> None:
    run, asked = bench(tmp_path)
    assert asked == [False, True]
    folders = sorted(path.name for path in (run.folder / "loadgen").iterdir())
    assert folders == ["0", "1"]
    request = json.loads((run.folder / "loadgen/1/request.json").read_bytes())
    assert request["driver"] == loadgen.driver_of(SETTINGS)
    document = conclude(run)
    check("summary", document)
    for row in document["cases"]:
        assert (row["mlperf"]["scenario"], row["mlperf"]["verdict"]) == ("SingleStream", None)
        assert "mlcommons-loadgen" in row["mlperf"]["reason"]
        assert row["p50_ns"] is not None
        assert case_summary(row).mlperf == MlperfResult("SingleStream", reason=row["mlperf"]["reason"])
    # They are there already.
    assert bench(tmp_path)[1] == []


def test_what_cannot_be_made_is_a_reason_too(tmp_path: Path) -> None:
    run, _ = bench(tmp_path, Refusing)
    reasons = [row["mlperf"]["reason"] for row in conclude(run)["cases"]]
    assert reasons == ["no LoadGen for it: no network"] * 2


def test_nobody_gets_one_unasked(tmp_path: Path) -> None:
    run, asked = bench(tmp_path, loadgen="")
    assert asked == [False]
    assert not (run.folder / "loadgen").exists()
    assert [row["mlperf"] for row in conclude(run)["cases"]] == [None, None]


def test_the_package_is_in_no_other_image_or_environment(tmp_path: Path) -> None:
    runtime = Catalog(doubles.ROOT).runtimes()["onnxruntime"]
    driven = replace(runtime, loadgen=True)
    assert driven.build_arguments("cpu") == {"LOADGEN": "requirements-loadgen.txt"}
    assert driven.build_arguments("cpu") in runtime.recipes()
    plain, other = (
        images.tag(one.id, doubles.ROOT, None, one.build_arguments("cpu")) for one in (runtime, driven)
    )
    assert plain != other
    assert "mlcommons" in driven.further[0].read_text()
    assert location("a", runtime.folder, tmp_path, driven.further) != location("a", runtime.folder, tmp_path)
