"""Peak memory of one launch, load and inference apart, as container, process and machine have it. Pure.

What the kernel kept is preferred to what was sampled. The runner reads the kernel's peaks at the end of
load and before its window: telemetry's own would count what it does after it (some look up their placement
with a second session). Zero is no figure: Docker shows it where the memory cgroup is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain import Memory
from orchestrator.measurement import Line, Window, align, cut

CURRENT, PEAK, ANON = "cgroup.memory_current", "cgroup.memory_peak", "cgroup.memory_anon"
AVAILABLE, GPU = "host.memory_available", "nvmap.used"
VM_HWM = ("vm_hwm_bytes", "load_vm_hwm_bytes", "inference_vm_hwm_bytes")


@dataclass(frozen=True)
class _Figure:
    """Bytes and how they were found, or why there are none."""

    value: int | None
    method: str | None
    reason: str = ""


@dataclass(frozen=True)
class _Spans:
    """The times to look into, CLOCK_MONOTONIC in ns; a text says why there is none."""

    before: Window | str  # everything before load
    load: Window | str  # everything before the end of load
    inference: Window | str  # from the first inference to the last timed one


def memory(
    footprint: Line | None,
    lines: Sequence[Line],
    marks: Mapping[str, Sequence[int]],
    clock: Line,
    contained: bool = True,
) -> Memory:
    """Peak memory of one launch from its ``footprint`` message and the ``lines`` of telemetry.

    ``marks`` maps a phase to its ``[start_ns, end_ns]`` (end may be missing), ``clock`` is ``hello.clock``.
    ``contained`` is False where the runner has no container; a cgroup that holds telemetry too is not taken
    for one either.

    The container's peaks are the cgroup's own (``memory.peak``, in version 1
    ``memory.max_usage_in_bytes``; method ``cgroup_peak``). It cannot be reset from inside: where it did not
    rise after load, the inferences' peak is at most load's, and the highest reading of the current usage from
    the first inference to the last (``sampled``) is told. The process's are its VmHWM. The machine's is the
    first ``MemAvailable`` before load less the lowest from the first inference to the last: other programs'
    doings are in it, and so is memory that a GPU shares with the processor, which no other view has. The
    GPU's own share is what ``nvmap.used`` rose by.
    """
    said: Line = footprint or {}
    spans = _spans(lines, marks, clock)
    unboxed = None if contained else "it ran in no container"
    if contained and _is_shared(lines):
        unboxed = "its cgroup is shared with other processes"
    figures = {
        "container_peak": _container(said, lines),
        "load_container_peak": _load(said, lines, spans),
        "inference_container_peak": _inference(said, lines, spans),
        "inference_anon_peak": _highest(lines, ANON, spans.inference),
    }
    if unboxed:
        figures = dict.fromkeys(figures, _Figure(None, None, unboxed))
    figures["system_drop"] = _change(lines, AVAILABLE, spans, falling=True)
    figures["gpu"] = _change(lines, GPU, spans, falling=False)
    fields: dict[str, Any] = {name: said.get(name) or None for name in VM_HWM}
    reasons = {name: _said_reason(said, name) for name in VM_HWM if fields[name] is None}
    fields["vm_hwm_method"] = "vmhwm" if fields["vm_hwm_bytes"] else None
    if not fields["vm_hwm_bytes"]:
        reasons["vm_hwm_method"] = reasons["vm_hwm_bytes"]
    for name, figure in figures.items():
        fields |= {f"{name}_bytes": figure.value, f"{name}_method": figure.method}
        if figure.value is None:
            reasons |= dict.fromkeys((f"{name}_bytes", f"{name}_method"), figure.reason)
    return Memory(**fields, reasons=reasons)


def _spans(lines: Sequence[Line], marks: Mapping[str, Sequence[int]], clock: Line) -> _Spans:
    ours = next((line for line in lines if line.get("type") == "clock"), None)
    foreign = align(clock, ours) if ours else "no telemetry was taken"
    if foreign:
        return _Spans(foreign, foreign, foreign)
    load, first, measure = (list(marks.get(name, [])) for name in ("load", "first", "measure"))
    return _Spans(
        (0, load[0]) if load else "load was not reached",
        (0, load[1]) if len(load) == 2 else "load did not end",
        (first[0], measure[1]) if len(measure) == 2 else "the window was not reached or not closed",
    )


def _is_shared(lines: Sequence[Line]) -> bool:
    values = _values(lines, PEAK) + _values(lines, CURRENT)
    return not values and _refusal(lines, PEAK) == "not_supported"


def _container(said: Line, lines: Sequence[Line]) -> _Figure:
    peak = said.get("cgroup_peak_bytes") or max(_values(lines, PEAK), default=0)
    if peak:
        return _Figure(peak, "cgroup_peak")
    currents = _values(lines, CURRENT)
    if currents:
        return _Figure(max(currents), "sampled")
    refused = _refusal(lines, PEAK) or "no reading"
    return _Figure(None, None, f"{_said_reason(said, 'cgroup_peak_bytes')}; telemetry: {refused}")


def _load(said: Line, lines: Sequence[Line], spans: _Spans) -> _Figure:
    told = said.get("load_cgroup_peak_bytes")
    return _Figure(told, "cgroup_peak") if told else _highest(lines, CURRENT, spans.load)


def _inference(said: Line, lines: Sequence[Line], spans: _Spans) -> _Figure:
    load, whole = said.get("load_cgroup_peak_bytes"), said.get("cgroup_peak_bytes")
    if load and whole and whole > load:
        return _Figure(whole, "cgroup_peak")
    return _highest(lines, CURRENT, spans.inference)


def _highest(lines: Sequence[Line], source: str, span: Window | str) -> _Figure:
    if isinstance(span, str):
        return _Figure(None, None, span)
    values = _values(cut(_readings(lines, source), span), source)
    return _Figure(max(values), "sampled") if values else _missing(lines, source, "in time")


def _change(lines: Sequence[Line], source: str, spans: _Spans, falling: bool) -> _Figure:
    if isinstance(spans.before, str):
        return _Figure(None, None, spans.before)
    if isinstance(spans.inference, str):
        return _Figure(None, None, spans.inference)
    before, after = (
        [line["value"] for line in cut(_readings(lines, source), span) if line["value"] is not None]
        for span in (spans.before, spans.inference)
    )
    if not before or not after:
        return _missing(lines, source, "during inference" if before else "before load")
    change = before[0] - min(after) if falling else max(after) - before[0]
    if change > 0:
        return _Figure(change, "sampled")
    return _Figure(
        None, None, f"{source} did not {'fall below' if falling else 'rise above'} that before load"
    )


def _missing(lines: Sequence[Line], source: str, when: str) -> _Figure:
    if not _readings(lines, source):
        return _Figure(None, None, f"{source} was not read")
    return _Figure(None, None, f"{source}: {_refusal(lines, source) or f'no reading {when}'}")


def _readings(lines: Sequence[Line], source: str) -> list[Line]:
    return [line for line in lines if line.get("type") == "reading" and line["source"] == source]


def _values(lines: Sequence[Line], source: str) -> list[int]:
    """The values above zero of one source."""
    return [line["value"] for line in _readings(lines, source) if line["value"]]


def _refusal(lines: Sequence[Line], source: str) -> str | None:
    """The last reason that a source gave for having no value."""
    refused = [line["reason"] for line in _readings(lines, source) if line["value"] is None]
    return refused[-1] if refused else None


def _said_reason(said: Line, name: str) -> str:
    if not said:
        return "the runner sent no footprint"
    if name not in said:
        return "the runner does not tell it"
    return str((said.get("reasons") or {}).get(name, "the runner gave no reason"))
