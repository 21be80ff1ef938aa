"""Ceilings: which launches are made, what they leave, and the rates that are read from there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import ceilings
from orchestrator.domain import Case, InferometerError, Status
from orchestrator.engines.process import ProcessEngine
from orchestrator.files import sha256_file
from orchestrator.report.document import conclude
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles, transcripts
from tests.support.records import record
from tests.support.schemas import CONTENTS, REGISTRY, check

SETTINGS = replace(doubles.SHORT, probe_ns=1, timeout_s=30.0)
IDENTITY: dict[str, Any] = dict.fromkeys(("machine", "forced")) | {
    "suite": "1.0.0",
    "device": "board",
    "engine": "process",
    "emulated": False,
}


def series(kernel: str, count: int, *values_ns: int) -> dict[str, Any]:
    return {"kernel": kernel, "count": count, "values_ns": list(values_ns)}


def probe(**changed: Any) -> dict[str, Any]:
    return {
        "type": "probe",
        "threads": 2,
        "method": "numpy",
        "compute": [series("sgemm 256", 1000, 100, 20, 40), series("sgemm 512", 8000, 400, 200, 250)],
        "memory": [series("copy", 600, 100, 120, 110), series("read", 300, 60, 60, 70)],
        "notes": [],
        "reasons": {},
        **changed,
    }


def stored(run: Path, failure: str | None = None, **changed: Any) -> Path:
    """A launch as it is stored."""
    folder = ceilings.Place("alpha", "cpu", 2).folder(run)
    folder.mkdir(parents=True)
    messages = [transcripts.hello(), probe(**changed), {"type": "done", "iterations": 0}]
    (folder / "transcript.jsonl").write_bytes(b"".join(transcripts.lines(messages)))
    files = {"transcript.jsonl": sha256_file(folder / "transcript.jsonl")}
    result = {"runtime": "alpha", "accelerator": "cpu", "threads": 2, "failure": failure, "files": files}
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_the_fastest_repetition_of_the_fastest_kernel_is_the_ceiling(tmp_path: Path) -> None:
    stored(tmp_path)
    assert ceilings.found(tmp_path) == [
        {
            "runtime": "alpha",
            "accelerator": "cpu",
            "threads": 2,
            "flop_per_s": 50e9,
            "flop_kernel": "sgemm 256",
            "flop_spread": 0.5,
            "bandwidth_bytes_per_s": 6e9,
            "bandwidth_kernel": "copy",
            "bandwidth_spread": pytest.approx(1 / 11),
            "method": "numpy",
            "notes": [],
            "reason": None,
        }
    ]


def test_what_was_not_measured_has_a_reason(tmp_path: Path) -> None:
    stored(tmp_path, compute=[], reasons={"compute": "no BLAS"})
    (row,) = ceilings.found(tmp_path)
    assert (row["flop_per_s"], row["reason"]) == (None, "no BLAS")
    assert row["bandwidth_bytes_per_s"] == 6e9


def test_a_launch_that_failed_says_why(tmp_path: Path) -> None:
    stored(tmp_path, failure="unsupported: no numpy")
    (row,) = ceilings.found(tmp_path)
    assert (row["flop_per_s"], row["bandwidth_bytes_per_s"], row["reason"]) == (
        None,
        None,
        "unsupported: no numpy",
    )


def test_a_changed_file_gives_no_figure(tmp_path: Path) -> None:
    path = stored(tmp_path) / "transcript.jsonl"
    path.write_bytes(path.read_bytes().replace(b"600", b"700"))
    (row,) = ceilings.found(tmp_path)
    assert row["flop_per_s"] is None
    assert "SHA-256" in row["reason"]


DAMAGED = [b"{", b"[]", b"{}", b'{"runtime": "alpha", "accelerator": "cpu", "threads": "x"}']


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_result_is_named(tmp_path: Path, content: bytes) -> None:
    path = stored(tmp_path) / "result.json"
    path.write_bytes(content)
    with pytest.raises(InferometerError, match=r"result\.json: .*restore it from a copy"):
        ceilings.found(tmp_path)


@given(st.lists(st.tuples(st.integers(1, 10**12), st.lists(st.integers(1, 10**10), min_size=1)), max_size=4))
def test_a_ceiling_is_above_every_repetition(drawn: list[tuple[int, list[int]]]) -> None:
    found = ceilings.best([series(str(number), count, *ns) for number, (count, ns) in enumerate(drawn)])
    assert (found is None) == (not drawn)
    if found:
        rates = [count / value * 1e9 for count, ns in drawn for value in ns]
        assert found[0] == max(rates)
        assert 0 <= found[2] < 1


def test_each_place_with_a_good_trial_is_measured_once() -> None:
    good = [Case("board", "b", "m", threads=2), Case("board", "a", "m", threads=1), Case("board", "a", "n")]
    records = [replace(record(0), case=case) for case in good]
    records.append(replace(record(0), case=Case("board", "c", "m"), status=Status.CRASHED))
    assert [vars(one) for one in ceilings.places(records)] == [
        {"runtime": "a", "accelerator": "cpu", "threads": 1},
        {"runtime": "b", "accelerator": "cpu", "threads": 2},
    ]


def bench(folder: Path, emulated: bool = False, **settings: Any) -> Run:
    wanted = replace(SETTINGS, **settings)
    plan = doubles.plan_of([doubles.case()], wanted)
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, folder), wanted, None)
    session = doubles.session_of(plan, replace(conditions, emulated=emulated), folder)
    content = {**header(plan, IDENTITY, {}), "created_utc": "2026", "least_launches": 1}
    path = folder / "run"
    run = Run.open(path) if path.exists() else Run.create(path, content)
    session.run(run)
    return run


def test_a_bench_ends_with_them_and_a_container_without_numpy_says_so(tmp_path: Path) -> None:
    run = bench(tmp_path)
    folder = run.folder / "ceilings/fake-cpu-t1"
    result = json.loads((folder / "result.json").read_bytes())
    assert sorted(result["files"]) == ["request.json", "stderr.log", "transcript.jsonl"]
    assert result["files"] == {name: sha256_file(folder / name) for name in result["files"]}
    assert json.loads((folder / "request.json").read_bytes())["threads"] == 1
    document = conclude(run)
    (row,) = document["run"]["ceilings"]
    assert row["flop_per_s"] is None
    assert "numpy" in row["reason"]
    check("summary", document)
    # A second time it is there already; what was interrupted is made anew.
    before = (folder / "result.json").stat().st_mtime_ns
    bench(tmp_path)
    assert (folder / "result.json").stat().st_mtime_ns == before
    (folder / "result.json").unlink()
    bench(tmp_path)
    assert (folder / "result.json").exists()


@pytest.mark.parametrize(("emulated", "probe_ns"), [(True, 1), (False, 0)])
def test_an_emulator_has_none(tmp_path: Path, emulated: bool, probe_ns: int) -> None:
    run = bench(tmp_path, emulated, probe_ns=probe_ns)
    assert not (run.folder / "ceilings").exists()
    assert conclude(run)["run"]["ceilings"] == []


def test_a_rate_without_reason_is_refused_by_the_schema(tmp_path: Path) -> None:
    stored(tmp_path)
    (row,) = ceilings.found(tmp_path)
    definition = {"$defs": CONTENTS["summary.schema.json"]["$defs"], "$ref": "#/$defs/ceiling"}
    schema = jsonschema.Draft202012Validator(definition, registry=REGISTRY)
    schema.validate(row)
    with pytest.raises(jsonschema.ValidationError):
        schema.validate({**row, "flop_per_s": None})
