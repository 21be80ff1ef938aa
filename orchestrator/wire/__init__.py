"""The runner protocol as the host reads it: requests out, transcripts in. Pure.

The contract is ``runners/PROTOCOL.md``. Unknown fields and message types are ignored; what is no
protocol line is kept as the transcript's ``violation`` and everything valid before it survives.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.wire.fields import (
    Violation,
    brief,
    durations,
    integer,
    is_count,
    listing,
    string,
    strings,
    table,
)
from orchestrator.wire.further import PROBED as PROBED
from orchestrator.wire.further import check_loadgen, check_probe

PROTOCOL = "1.3.0"
MAJOR = 1
MAX_LINE_BYTES = 16 * 2**20
MAX_TRANSCRIPT_BYTES = 256 * 2**20
PHASES = frozenset(
    {"import", "load", "first", "warmup", "idle", "settle", "measure", "idle_after", "outputs", "compile"}
)
TIMED = frozenset({"first", "warmup", "measure"})
FOOTPRINT = (
    "vm_hwm_bytes",
    "load_vm_hwm_bytes",
    "inference_vm_hwm_bytes",
    "cgroup_peak_bytes",
    "load_cgroup_peak_bytes",
)


@dataclass(frozen=True)
class Request:
    """One request line; ``None`` fields are left out. See PROTOCOL.md section 2 for units."""

    command: str
    model: Mapping[str, str] | None = None
    inputs: str | None = None
    threads: int | None = None
    batch: int | None = None
    accelerator: str | None = None
    options: Mapping[str, str] | None = None
    warmup: Mapping[str, int] | None = None
    idle_ns: int | None = None
    idle_after_ns: int | None = None  # since 1.2.0: an older runner ignores it
    measure: Mapping[str, int] | None = None
    outputs: bool | None = None
    output_dir: str | None = None
    duration_ns: int | None = None  # of each of the two measurements of ``probe``
    driver: Mapping[str, Any] | None = None  # since 1.3.0: an older runner ignores it
    protocol: int = MAJOR

    def line(self) -> bytes:
        """The request as one line of UTF-8 JSON with its line feed."""
        fields = {
            name: value for name, value in vars(self).items() if value is not None and name != "command"
        }
        return json.dumps(fields, separators=(",", ":"), sort_keys=True).encode() + b"\n"


@dataclass
class Transcript:
    """What a runner said. ``marks`` maps a phase to its ``[start_ns, end_ns]`` (end may be missing)."""

    hello: dict[str, Any] | None = None
    marks: dict[str, list[int]] = field(default_factory=dict)
    steady: bool | None = None
    model: dict[str, Any] | None = None
    harness_ns: list[int] = field(default_factory=list)
    latencies_ns: dict[str, array[int]] = field(default_factory=dict)  # 8 bytes each: there are millions
    parts_ns: dict[str, list[int]] = field(default_factory=dict)
    outputs: dict[int, list[float | None]] = field(default_factory=dict)
    placement: dict[str, Any] | None = None
    footprint: dict[str, Any] | None = None
    artifact: dict[str, Any] | None = None
    probe: dict[str, Any] | None = None
    loadgen: dict[str, Any] | None = None
    done: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    violation: str | None = None
    lines: int = 0

    def latencies(self, phase: str) -> Sequence[int]:
        """The phase's latencies in time order (ns); none where none were sent."""
        return self.latencies_ns.get(phase, ())

    def window(self, phase: str) -> tuple[int, int] | None:
        """The finished phase as ``(start_ns, end_ns)`` of CLOCK_MONOTONIC, else None."""
        marks = self.marks.get(phase, [])
        return (marks[0], marks[1]) if len(marks) == 2 else None

    @property
    def open_phase(self) -> str | None:
        """The phase that began and did not end: where a crash or a hang happened."""
        return next((name for name, marks in self.marks.items() if len(marks) == 1), None)


def read(lines: Iterable[bytes]) -> Transcript:
    """Parse a transcript; stops at the first violation and says so in ``violation``."""
    transcript = Transcript()
    for number, raw in enumerate(lines, start=1):
        try:
            if transcript.done or transcript.error:
                raise Violation(f"a line after the last one: {_quote(raw)}")
            _take(transcript, _message(raw))
        except Violation as problem:
            transcript.violation = f"line {number}: {problem}"
            break
        transcript.lines = number
    return transcript


def _quote(raw: bytes) -> str:
    text = raw[:80].decode("utf-8", "replace").rstrip("\n")
    return repr(text) + ("..." if len(raw) > 80 else "")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


# Made once: json.loads makes one for every line when it is given parse_constant.
_DECODER = json.JSONDecoder(parse_constant=_no_number)


def _message(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE_BYTES:
        raise Violation(f"longer than {MAX_LINE_BYTES} bytes")
    if not raw.endswith(b"\n"):
        raise Violation(f"cut off: {_quote(raw)}")
    try:
        message = _DECODER.decode(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Violation(f"not JSON: {_quote(raw)}") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise Violation(f"not an object with a type: {_quote(raw)}")
    return message


def _take(transcript: Transcript, message: dict[str, Any]) -> None:
    kind = message["type"]
    if transcript.hello is None and kind not in ("hello", "error"):
        raise Violation(f"{kind} before hello")
    handler = _HANDLERS.get(kind)
    if handler:
        handler(transcript, message)


def _take_hello(transcript: Transcript, message: dict[str, Any]) -> None:
    versions = listing(message, "protocols", (str,))
    if not any(version.split(".")[0] == str(MAJOR) for version in versions):
        raise Violation(f"the runner speaks protocols {versions}, this suite speaks {PROTOCOL}")
    strings(message, "runtime", "sdk")
    if message.get("version") is not None:
        string(message, "version")
    table(message, "clock")
    transcript.hello = message


def _take_phase(transcript: Transcript, message: dict[str, Any]) -> None:
    name, edge, t_ns = string(message, "name"), string(message, "edge"), integer(message, "t_ns")
    marks = transcript.marks
    if name not in PHASES:
        raise Violation(f"phase {brief(name)} is unknown")
    if any(t_ns < previous for pair in marks.values() for previous in pair):
        raise Violation(f"phase {name} {edge}: t_ns goes backwards")
    if edge == "start" and name not in marks and transcript.open_phase is None:
        marks[name] = [t_ns]
    elif edge == "end" and len(marks.get(name, [])) == 1:
        marks[name].append(t_ns)
        if name == "warmup" and isinstance(message.get("steady"), bool):
            transcript.steady = message["steady"]
    else:
        raise Violation(f"phase {name} {edge} is out of place")


def _take_harness(transcript: Transcript, message: dict[str, Any]) -> None:
    transcript.harness_ns = durations(message)


def _take_latencies(transcript: Transcript, message: dict[str, Any]) -> None:
    phase = string(message, "phase")
    if phase not in TIMED:
        raise Violation(f"latencies of {brief(phase)}: only {', '.join(sorted(TIMED))} have some")
    values = transcript.latencies_ns.setdefault(phase, array("q"))
    if transcript.window(phase) is None:
        raise Violation(f"latencies of {phase} before its window closed")
    if integer(message, "start") != len(values):
        raise Violation(f"latencies of {phase} start at {message['start']}, expected {len(values)}")
    values.extend(durations(message))


def _take_parts(transcript: Transcript, message: dict[str, Any]) -> None:
    transcript.parts_ns[string(message, "name")] = durations(message)


def _take_outputs(transcript: Transcript, message: dict[str, Any]) -> None:
    values = listing(message, "values", (int, float, type(None)))
    if any(isinstance(value, int) and abs(value) > sys.float_info.max for value in values):
        raise Violation("outputs.values holds a number beyond a double")
    transcript.outputs[integer(message, "index")] = values


def _take_model(transcript: Transcript, message: dict[str, Any]) -> None:
    for side in ("inputs", "outputs"):
        for tensor in listing(message, side, (dict,), 1):
            part = {**tensor, "type": f"model.{side}"}
            strings(part, "name", "dtype")
            listing(part, "shape", (int, str, type(None)))
            if tensor.get("quantization") is not None:
                numbers = {**table(part, "quantization"), "type": f"model.{side}.quantization"}
                listing(numbers, "scale", (int, float), 1)
                listing(numbers, "zero_point", (int,), 1)
    transcript.model = message


def _take_footprint(transcript: Transcript, message: dict[str, Any]) -> None:
    for name in FOOTPRINT:
        if message.get(name) is not None:
            integer(message, name)
    table(message, "reasons")
    transcript.footprint = message


def _take_artifact(transcript: Transcript, message: dict[str, Any]) -> None:
    strings(message, "path", "format", "sha256")
    for name in ("bytes", "build_ns"):
        integer(message, name)
    transcript.artifact = message


def _take_probe(transcript: Transcript, message: dict[str, Any]) -> None:
    check_probe(message)
    transcript.probe = message


def _take_loadgen(transcript: Transcript, message: dict[str, Any]) -> None:
    check_loadgen(message)
    transcript.loadgen = message


def _take_placement(transcript: Transcript, message: dict[str, Any]) -> None:
    string(message, "requested")
    executed = table(message, "executed")
    if not executed or not all(value is None or is_count(value) for value in executed.values()):
        raise Violation("placement.executed must map at least one provider to its number of nodes or null")
    if "notes" in message:
        listing(message, "notes", (str,))
    transcript.placement = message


def _take_done(transcript: Transcript, message: dict[str, Any]) -> None:
    expected = len(transcript.latencies_ns.get("measure", []))
    if integer(message, "iterations") != expected:
        raise Violation(f"done.iterations is {message['iterations']}, but {expected} latencies arrived")
    transcript.done = message


def _take_error(transcript: Transcript, message: dict[str, Any]) -> None:
    strings(message, "code", "message")
    transcript.error = message


_HANDLERS: dict[str, Any] = {
    "hello": _take_hello,
    "phase": _take_phase,
    "model": _take_model,
    "harness": _take_harness,
    "latencies": _take_latencies,
    "parts": _take_parts,
    "outputs": _take_outputs,
    "placement": _take_placement,
    "footprint": _take_footprint,
    "artifact": _take_artifact,
    "probe": _take_probe,
    "loadgen": _take_loadgen,
    "done": _take_done,
    "error": _take_error,
}
