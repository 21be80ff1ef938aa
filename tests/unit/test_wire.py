"""The reader of transcripts: whatever the bytes, it answers with what was valid and one violation."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import wire
from tests.support import transcripts

PROTOCOL = Path(__file__).resolve().parents[2] / "runners" / "protocol"
# JSON Schema takes 1.0 for an integer, PROTOCOL.md does not.
KINDS = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
STRICT = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=KINDS)
SCHEMA = STRICT(json.loads((PROTOCOL / "v1.schema.json").read_bytes()))


def read(content: bytes) -> wire.Transcript:
    return wire.read(io.BytesIO(content))


def replaced(number: int, **fields: Any) -> list[dict[str, Any]]:
    """A valid run whose message ``number`` has other fields; None removes one."""
    messages = transcripts.run([100, 200, 300])
    changed = {**messages[number], **fields}
    messages[number] = {name: value for name, value in changed.items() if value is not ...}
    return messages


def position(kind: str, **fields: Any) -> int:
    messages = transcripts.run([100, 200, 300])
    return next(n for n, m in enumerate(messages) if m["type"] == kind and fields.items() <= m.items())


def test_the_messages_these_tests_start_from_are_valid_under_the_schema() -> None:
    for message in transcripts.run([100, 200, 300]):
        SCHEMA.validate(message)


@given(transcripts.runs())
def test_a_valid_run_round_trips(messages: list[dict[str, Any]]) -> None:
    transcript = wire.read(transcripts.lines(messages))
    assert transcript.violation is None
    assert transcript.lines == len(messages)
    assert transcript.done == messages[-1]
    measured = [v for m in messages if m.get("phase") == "measure" for v in m["values_ns"]]
    assert list(transcript.latencies("measure")) == measured
    marks = [m for m in messages if m["type"] == "phase"]
    for start, end in zip(marks[::2], marks[1::2], strict=True):
        assert transcript.window(start["name"]) == (start["t_ns"], end["t_ns"])
    assert transcript.open_phase is None
    outputs = {m["index"]: m["values"] for m in messages if m["type"] == "outputs"}
    assert transcript.outputs == outputs


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_bytes_never_raise(content: bytes) -> None:
    transcript = read(content)
    assert transcript.done is None
    if content:
        assert transcript.violation is not None
        assert "\n" not in transcript.violation


@settings(max_examples=200)
@given(transcripts.runs(), st.data())
def test_a_cut_transcript_is_never_done(messages: list[dict[str, Any]], data: st.DataObject) -> None:
    content = b"".join(transcripts.lines(messages))
    cut = data.draw(st.integers(0, len(content) - 1))
    transcript = read(content[:cut])
    assert transcript.done is None
    whole = content[:cut].count(b"\n")
    assert transcript.lines == whole
    assert (transcript.violation is None) == (content[:cut].endswith(b"\n") or cut == 0)


@settings(max_examples=300)
@given(transcripts.damaged())
def test_damage_never_raises(messages: list[dict[str, Any]]) -> None:
    transcript = wire.read(transcripts.lines(messages))
    assert transcript.violation is None or "\n" not in transcript.violation


@settings(max_examples=300)
@given(transcripts.damaged())
def test_what_the_schema_allows_is_read(messages: list[dict[str, Any]]) -> None:
    """Each line alone: the reader refuses none that is valid, so a runner can trust the schema."""
    for message in messages:
        if message.get("type") in ("phase", "latencies", "done", "hello"):
            continue  # those depend on the lines before them
        if SCHEMA.is_valid(message):
            transcript = wire.read(transcripts.lines([transcripts.hello(), message]))
            assert transcript.violation is None


@pytest.mark.parametrize(
    ("messages", "violation"),
    [
        (replaced(0, protocols=["2.0.0"]), "line 1: the runner speaks protocols ['2.0.0'], this suite"),
        (replaced(0, protocols="1.0.0"), "line 1: hello.protocols must be a list of str"),
        (replaced(0, runtime=None), "line 1: hello.runtime must be a string"),
        (replaced(0, version=3), "line 1: hello.version must be a string"),
        (replaced(0, clock=...), "line 1: hello.clock must be an object"),
        (replaced(0, type="phase"), "line 1: phase before hello"),
        (replaced(1, t_ns=-1), "line 2: phase.t_ns must be a whole number >= 0"),
        (replaced(1, t_ns=True), "line 2: phase.t_ns must be a whole number >= 0"),
        (replaced(1, t_ns=2**64), "line 2: phase.t_ns must be a whole number >= 0"),
        (replaced(1, name="nap"), "line 2: phase 'nap' is unknown"),
        (replaced(1, edge="middle"), "line 2: phase import middle is out of place"),
        (replaced(1, edge="end"), "line 2: phase import end is out of place"),
        (replaced(2, t_ns=0), "line 3: phase import end: t_ns goes backwards"),
        (replaced(3, name="import"), "line 4: phase import start is out of place"),
        (
            replaced(position("phase", name="first", edge="end"), name="load"),
            "phase load end is out of place",
        ),
        (replaced(position("model"), outputs={}), "model.outputs must be a list of dict"),
        (replaced(position("model"), outputs=[]), "model.outputs is empty"),
        (
            replaced(position("latencies", phase="measure"), start=1),
            "latencies of measure start at 1, expected 0",
        ),
        (replaced(position("latencies", phase="measure"), phase="idle"), "latencies of 'idle': only"),
        (replaced(position("latencies", phase="measure"), phase="nap"), "latencies of 'nap': only first,"),
        (replaced(position("latencies", phase="measure"), values_ns=[1, -2]), "holds a negative duration"),
        (replaced(position("latencies", phase="measure"), values_ns=[1, 2.5]), "must be a list of int"),
        (replaced(position("latencies", phase="measure"), values_ns=[1, True]), "must be a list of int"),
        (replaced(position("latencies", phase="measure"), values_ns=[10**400]), "beyond 64 bits"),
        (replaced(position("outputs"), values=[10**400]), "outputs.values holds a number beyond a double"),
        (replaced(position("outputs"), values=["1"]), "outputs.values must be a list of"),
        (
            replaced(position("footprint"), vm_hwm_bytes="4 GB"),
            "footprint.vm_hwm_bytes must be a whole number",
        ),
        (replaced(position("footprint"), reasons=[]), "footprint.reasons must be an object"),
        (replaced(position("placement"), executed={}), "placement.executed must map"),
        (replaced(position("placement"), executed={"cpu": "all"}), "placement.executed must map"),
        (replaced(position("placement"), executed=["cpu"]), "placement.executed must be an object"),
        (replaced(position("placement"), notes="none"), "placement.notes must be a list of str"),
        (replaced(position("done"), iterations=4), "done.iterations is 4, but 3 latencies arrived"),
        (replaced(position("done"), type="error", code="x", message=["a"]), "error.message must be a string"),
    ],
)
def test_violations_name_the_line_and_the_field(messages: list[dict[str, Any]], violation: str) -> None:
    transcript = wire.read(transcripts.lines(messages))
    assert transcript.violation is not None
    assert violation in transcript.violation
    assert transcript.done is None


@pytest.mark.parametrize(
    ("line", "violation"),
    [
        (b"Loading model... 100%\n", "not JSON: 'Loading model... 100%'"),
        (b"\n", "not JSON: ''"),
        (b"[]\n", "not an object with a type"),
        (b'{"type":1}\n', "not an object with a type"),
        (b'{"type":"done"', 'cut off: \'{"type":"done"\''),
        (b"\xff\xfe{}\n", "not JSON"),
        ('{"type":"x"}\n'.encode("utf-16-le") + b"\n", "not JSON"),
        (b'{"type":"x","y":' + b"[" * 100_000 + b"\n", "not JSON"),
        (b'{"type":"x","y":NaN}\n', "not JSON"),
        (b'{"type":"x","y":-Infinity}\n', "not JSON"),
        (b'{"type":"x","y":' + b"9" * 10_000 + b"}\n", "not JSON"),
    ],
)
def test_what_is_no_message_is_quoted_and_what_came_before_kept(line: bytes, violation: str) -> None:
    transcript = wire.read([*transcripts.lines([transcripts.hello()]), line])
    assert transcript.hello is not None
    assert transcript.violation is not None
    assert transcript.violation.startswith(f"line 2: {violation}")
    assert len(transcript.violation) < 400


def test_unknown_types_and_fields_are_ignored() -> None:
    messages = transcripts.run([100, 200, 300])
    messages.insert(3, {"type": "x-chatter", "anything": [1, {"a": None}]})
    messages = [{**message, "x-extra": {"b": 1}} for message in messages]
    assert wire.read(transcripts.lines(messages)).violation is None


@pytest.mark.parametrize("extra", [{"type": "done", "iterations": 3}, {"type": "x-chatter"}])
def test_nothing_follows_the_last_line(extra: dict[str, Any]) -> None:
    messages = [*transcripts.run([100, 200, 300]), extra]
    violation = wire.read(transcripts.lines(messages)).violation
    assert violation is not None
    assert "a line after the last one" in violation


def test_an_error_may_come_before_hello() -> None:
    line = b'{"type":"error","code":"protocol","message":"no request","details":{}}\n'
    transcript = read(line)
    assert transcript.violation is None
    assert transcript.error is not None


def test_a_line_beyond_the_limit_is_a_violation() -> None:
    long = b'{"type":"x","y":"' + b"y" * wire.MAX_LINE_BYTES + b'"}\n'
    violation = wire.read([*transcripts.lines([transcripts.hello()]), long]).violation
    assert violation == f"line 2: longer than {wire.MAX_LINE_BYTES} bytes"


def test_an_unfinished_phase_is_named() -> None:
    messages = transcripts.run([100])[:4]
    transcript = wire.read(transcripts.lines(messages))
    assert transcript.open_phase == "load"
    assert transcript.window("load") is None
    assert transcript.window("measure") is None


def golden() -> list[Path]:
    return sorted(PROTOCOL.glob("*.jsonl"))


def test_golden_transcripts_are_there() -> None:
    assert {"ok", "error", "crash", "noisy", "truncated"} <= {path.stem for path in golden()}


@pytest.mark.parametrize("path", golden(), ids=lambda path: path.stem)
def test_golden_transcripts(path: Path) -> None:
    with path.open("rb") as stream:
        transcript = wire.read(stream)
    outcomes = {
        "ok": transcript.done is not None and transcript.violation is None,
        "error": transcript.error is not None and transcript.violation is None,
        "crash": transcript.done is None and transcript.error is None and transcript.violation is None,
        "noisy": transcript.violation is not None and "not JSON" in transcript.violation,
        "truncated": transcript.violation is not None and "cut off" in transcript.violation,
    }
    assert outcomes.get(path.stem, True), f"{path.name}: {transcript}"
    assert transcript.hello is not None


def test_a_request_is_one_line_without_what_was_not_asked() -> None:
    line = wire.Request("run", model={"path": "/data/m", "format": "onnx", "sha256": "0"}, threads=2).line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == {
        "protocol": 1,
        "model": {"path": "/data/m", "format": "onnx", "sha256": "0"},
        "threads": 2,
    }


@given(st.lists(st.floats(), min_size=1, max_size=5))
def test_floats_survive_as_they_were_sent(values: list[float]) -> None:
    finite = [value for value in values if math.isfinite(value)] or [0.5]
    message = {"type": "outputs", "index": 0, "shape": [len(finite)], "values": finite}
    assert wire.read(transcripts.lines([transcripts.hello(), message])).outputs == {0: finite}
