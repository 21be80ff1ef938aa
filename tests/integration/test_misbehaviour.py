"""Everything a runner can do wrong becomes a row with its reason, and the run goes on."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.catalog import Catalog
from orchestrator.domain import Status, Trial, TrialRecord
from orchestrator.engines.launch import Target
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import Load, execute
from orchestrator.files import sha256_file
from orchestrator.session import exit_code, header
from orchestrator.store import Run
from orchestrator.wire import MAX_LINE_BYTES, MAX_TRANSCRIPT_BYTES
from tests.support import doubles
from tests.support.benches import wait_for

WINDOW = "in phase settle, measure or idle_after"
# What the script says -> status and the reason, as a regular expression.
SCRIPTS: list[tuple[dict[str, str], Status, str | None]] = [
    ({"behaviour": "ok"}, Status.OK, None),
    ({"behaviour": "crash"}, Status.CRASHED, f"exit status 70 without a last line {WINDOW}"),
    (
        {"behaviour": "crash", "at": "import"},
        Status.CRASHED,
        "exit status 70 without a last line( in phase import)?",
    ),
    (
        {"behaviour": "crash", "at": "load"},
        Status.CRASHED,
        "exit status 70 without a last line in phase load",
    ),
    ({"behaviour": "signal"}, Status.CRASHED, f"killed by SIGSEGV {WINDOW}"),
    (
        {"behaviour": "signal", "signal": "KILL", "at": "first"},
        Status.CRASHED,
        "killed by SIGKILL in phase first",
    ),
    (
        {"behaviour": "signal", "signal": "TERM", "at": "warmup"},
        Status.CRASHED,
        "killed by SIGTERM in phase warmup",
    ),
    (
        {"behaviour": "hang"},
        Status.TIMEOUT,
        f"no end within 3 s {WINDOW}; raise --timeout or look at its log",
    ),
    ({"behaviour": "slow-term", "at": "load"}, Status.TIMEOUT, "no end within 3 s in phase load; .*"),
    ({"behaviour": "noise"}, Status.PROTOCOL, r"stdout line \d+: not JSON: 'Loading model... 100%'"),
    ({"behaviour": "garbage"}, Status.PROTOCOL, r"stdout line \d+: not JSON: .*"),
    ({"behaviour": "truncate"}, Status.PROTOCOL, r"stdout line \d+: cut off: .*latencies.*"),
    ({"behaviour": "oversized"}, Status.PROTOCOL, f"a line of more than {MAX_LINE_BYTES} bytes on stdout"),
    ({"behaviour": "flood"}, Status.OK, None),
    ({"behaviour": "flood", "at": "load", "bytes": "30000000"}, Status.OK, None),
    (
        {"behaviour": "wrong-protocol"},
        Status.PROTOCOL,
        r"stdout line 1: the runner speaks protocols \['9.0.0'\].*",
    ),
    ({"behaviour": "error"}, Status.ERROR, "x-fake: the script asked for this error"),
    (
        {"behaviour": "error", "code": "accelerator"},
        Status.ERROR,
        "accelerator: the script asked for this error",
    ),
    ({"behaviour": "oom", "bytes": "50000000"}, Status.ERROR, "resource: .*took .* bytes and nobody minded"),
    ({"behaviour": "nan"}, Status.OK, None),
    ({"behaviour": "no-done"}, Status.CRASHED, "exit status 0 without a last line (in|after) phase outputs"),
    ({"behaviour": "after-done"}, Status.PROTOCOL, r"stdout line \d+: .*"),
    ({"behaviour": "import-noise"}, Status.OK, None),
    ({"behaviour": "nonsense"}, Status.ERROR, "unsupported: option behaviour.nonsense is not supported; .*"),
    ({"behaviour": "ok", "latency_ns": "300000"}, Status.OK, None),
]
NAMES = ["-".join(script.values()) for script, _, _ in SCRIPTS]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One run with a trial of every script, by the process engine."""
    folder = tmp_path_factory.mktemp("misbehaviour")
    plan = doubles.plan_of([doubles.case(**script) for script, _, _ in SCRIPTS])
    engine = ProcessEngine(doubles.ROOT, folder / "cache")
    session = doubles.session_of(plan, doubles.conditions_of(engine), folder / "cache")
    cores = os.sched_getaffinity(0)
    with doubles.children_end():
        made = Run.create(folder / "run", header(plan, {}, {}))
        session.run(made)
    assert session.skips == []
    assert os.sched_getaffinity(0) == cores
    yield made
    shutil.rmtree(folder)  # some runners write much


@pytest.fixture(scope="module")
def records(run: Run) -> list[TrialRecord]:
    return list(run.records())


def test_the_run_goes_on_to_its_end(records: list[TrialRecord]) -> None:
    assert len(records) == len(SCRIPTS)
    assert [record.case.options for record in records] == [doubles.case(**s).options for s, _, _ in SCRIPTS]


@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=NAMES)
def test_status_and_reason(records: list[TrialRecord], number: int) -> None:
    _, status, reason = SCRIPTS[number]
    record = records[number]
    assert (record.status, record.reason is None) == (status, reason is None), record.reason
    if reason is not None:
        assert record.reason is not None
        assert re.fullmatch(reason, record.reason), record.reason
        assert "\n" not in record.reason


@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=NAMES)
def test_raw_files_are_kept_and_are_what_the_record_says(run: Run, number: int) -> None:
    record = list(run.records())[number]
    assert set(record.files) == {"request.json", "transcript.jsonl", "stderr.log", "telemetry.jsonl"}
    for name, sha256 in record.files.items():
        assert sha256_file(run.raw(number) / name) == sha256
    assert json.loads((run.raw(number) / "request.json").read_bytes())["options"] == dict(record.case.options)


@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=NAMES)
def test_a_good_trial_has_its_figures(records: list[TrialRecord], number: int) -> None:
    record = records[number]
    if record.status is not Status.OK:
        assert exit_code([record], []) == 3
        return
    assert record.exit_code == 0
    assert len(record.cores) == record.case.threads
    assert record.latency is not None
    assert record.latency.count >= doubles.SHORT.min_iterations
    assert record.first_ns is not None
    assert record.memory is not None
    assert record.memory.vm_hwm_bytes is not None
    assert record.phases_ns["measure"] >= doubles.SHORT.min_duration_ns
    assert sum(record.phases_ns.values()) < record.wall_ns
    assert exit_code([record], []) == (3 if record.case.options == (("behaviour", "nan"),) else 0)


def found(records: list[TrialRecord], behaviour: str) -> TrialRecord:
    return next(record for record in records if dict(record.case.options)["behaviour"] == behaviour)


def test_what_was_measured_before_the_failure_stays(records: list[TrialRecord]) -> None:
    assert found(records, "no-done").latency is not None
    assert found(records, "crash").latency is None
    assert "load" in found(records, "crash").phases_ns
    assert found(records, "crash").versions["runtime_name"] == "fake"


def test_a_flood_of_stderr_is_kept_as_the_log(run: Run, records: list[TrialRecord]) -> None:
    log = run.raw(records.index(found(records, "flood"))) / "stderr.log"
    assert log.stat().st_size >= 10_000_000
    flooded = next(r for r in records if dict(r.case.options).get("bytes") == "30000000")
    tail = (run.raw(records.index(flooded)) / "stderr.log").read_bytes()[-200:]
    assert re.search(rb"\[inferometer: \d+ more bytes of stderr dropped\]\n$", tail)


def test_what_libraries_print_at_import_reaches_the_log_only(run: Run, records: list[TrialRecord]) -> None:
    log = (run.raw(records.index(found(records, "import-noise"))) / "stderr.log").read_text()
    assert "a line from Python" in log
    assert "a line from C" in log


def test_outputs_that_are_no_numbers_have_no_parity(records: list[TrialRecord]) -> None:
    parity = found(records, "nan").parity
    assert parity is not None
    assert parity.max_abs_difference is None


def test_a_hang_ends_soon_after_its_timeout(records: list[TrialRecord]) -> None:
    for behaviour in ("hang", "slow-term"):
        assert 3e9 <= found(records, behaviour).wall_ns < 6e9


# What no runner of ours does, but any command may.
COMMANDS = [
    ("/does/not/exist", Status.LAUNCH, "cannot start /does/not/exist: No such file or directory"),
    ("/etc/passwd", Status.LAUNCH, "cannot start /etc/passwd: Permission denied"),
    ("/bin/true", Status.CRASHED, "exit status 0 without a last line"),
    ("/bin/sh\0-c\0exit 3", Status.CRASHED, "exit status 3 without a last line"),
    ("/bin/sh\0-c\0kill -ABRT $$", Status.CRASHED, "killed by SIGABRT"),
    ("/bin/sh\0-c\0echo hello", Status.PROTOCOL, "stdout line 1: not JSON: 'hello'"),
    ("/bin/cat\0-", Status.PROTOCOL, "stdout line 1: not an object with a type: .*"),
    ("/bin/sh\0-c\0exec >&- 2>&-; sleep 60", Status.TIMEOUT, "no end within 3 s; .*"),
    ("/bin/sh\0-c\0sleep 60 & exit 0", Status.TIMEOUT, "no end within 3 s; .*"),
    ("/bin/sh\0-c\0trap '' TERM; while :; do sleep 60; done", Status.TIMEOUT, "no end within 3 s; .*"),
]


def trial_of(folder: Path, target: Target, load: Load, timeout_s: float = 3.0) -> TrialRecord:
    """One trial by the process engine, its raw files in ``folder/raw``."""
    settings = replace(doubles.SHORT, timeout_s=timeout_s)
    conditions = doubles.conditions_of(ProcessEngine(doubles.ROOT, folder), settings)
    raw = folder / "raw"
    raw.mkdir()
    with doubles.children_end():
        return execute(Trial(doubles.case(), 0), load, target, conditions, raw)


@pytest.mark.parametrize(
    ("target", "status", "reason"), COMMANDS, ids=[c[0].split("\0")[-1] for c in COMMANDS]
)
def test_any_command_becomes_a_record(tmp_path: Path, target: str, status: Status, reason: str) -> None:
    record = trial_of(tmp_path, Target("fake", target), doubles.load())
    assert record.status is status, record.reason
    assert record.reason is not None
    assert re.fullmatch(reason, record.reason), record.reason
    assert all(sha256_file(tmp_path / "raw" / name) == sha256 for name, sha256 in record.files.items())
    assert TrialRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("path", Path("/no/such/model.onnx"))])
def test_a_model_that_is_not_what_was_planned(tmp_path: Path, field: str, value: str | Path) -> None:
    engine = ProcessEngine(doubles.ROOT, tmp_path / "cache")
    target = engine.prepare(Catalog(doubles.ROOT).runtimes()["fake"], str)
    record = trial_of(tmp_path, target, replace(doubles.load(), **{field: value}))
    assert record.status is Status.ERROR
    assert record.reason is not None
    assert record.reason.startswith("model: ")


def test_a_transcript_without_end_is_stopped(tmp_path: Path) -> None:
    engine = ProcessEngine(doubles.ROOT, tmp_path)
    plan = doubles.plan_of([doubles.case(behaviour="endless")], replace(doubles.SHORT, timeout_s=60.0))
    session = doubles.session_of(plan, doubles.conditions_of(engine, plan.settings), tmp_path)
    run = Run.create(tmp_path / "run", header(plan, {}, {}))
    session.run(run)
    (record,) = run.records()
    assert record.status is Status.PROTOCOL
    assert record.reason == f"more than {MAX_TRANSCRIPT_BYTES} bytes on stdout"
    assert (run.raw(0) / "transcript.jsonl").stat().st_size <= MAX_TRANSCRIPT_BYTES
    shutil.rmtree(tmp_path / "run")


def test_helpers_that_a_runner_forked_die_with_it(tmp_path: Path) -> None:
    mark = f"61{os.getpid()}"
    target = Target("fake", f"/bin/sh\0-c\0(sleep {mark} & sleep {mark}) & sleep {mark}")
    trial_of(tmp_path, target, doubles.load(), timeout_s=1.0)
    wait_for(lambda: not doubles.running(mark))
    assert doubles.running(mark) == []
