"""What slowed a launch's window from outside: throttling, low voltage, lost clock, other programs.

Judged from raw telemetry lines, which are stamped by the runner's clock. docs/adr/0011-heat.md has the
reasons for each rule and limit. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.domain import Finding
from orchestrator.findings.clocks import GPU_IDLE, clock_drops
from orchestrator.findings.codes import Code
from orchestrator.findings.neighbours import neighbours, own_cores
from orchestrator.findings.readings import Line, Points, Window, around, by_source, inside, since, when

# vcgencmd get_throttled (Raspberry Pi documentation); the same bits, shifted, are kept since boot.
_FIRMWARE = {
    Code.UNDER_VOLTAGE: {0x1: "under-voltage"},
    Code.THROTTLED: {0x2: "frequency capped", 0x4: "throttled", 0x8: "soft temperature limit"},
}
_STICKY_SHIFT = 16
# nvml.h, nvmlClocksThrottleReason*. Not among them: what a user has set (0x2, 0x10, 0x100), and the power
# cap (0x4), which holds most boards under full load and always: how far the clock then falls tells.
_GPU = {
    0x8: "slowed down by hardware",
    0x20: "too hot (software)",
    0x40: "too hot (hardware)",
    0x80: "power brake",
}
_COUNTERS = ("throttle.", "soctherm.")


def heat_findings(
    lines: Sequence[Line], window: Window, accelerator: str = "cpu", cores: int = 1, boosts: bool = False
) -> tuple[Finding, ...]:
    """Findings of one window, at most one a code.

    ``lines`` are those of the trial's ``telemetry.jsonl``, of the runner's clock; ``cores``: how many the
    runner was kept on; ``boosts``: the processor's highest clock is an offer (turbo) and no promise.
    """
    readings = by_source(lines)
    causes: dict[Code, list[str]] = {}
    for code, bits in _FIRMWARE.items():
        causes[code] = _firmware(readings.get("vcgencmd.throttled", ()), window, bits)
    causes[Code.THROTTLED] += _counters(readings, window)
    if accelerator != "cpu":
        causes[Code.THROTTLED] += _gpus(readings, window)
    busy = own_cores(readings, window)
    causes[Code.CLOCK_DROP] = clock_drops(readings, window, accelerator, cores, busy, boosts)
    causes[Code.NOISY_NEIGHBOUR] = neighbours(readings, lines, window)
    return tuple(code.finding("; ".join(told)) for code, told in causes.items() if told)


def _firmware(points: Points, window: Window, bits: Mapping[int, str]) -> list[str]:
    """What the firmware said inside the window, or remembers since the last reading before it."""
    for at_ns, value in inside(points, window):
        if live := _names(bits, value):
            return [f"{live} {when(at_ns, window)} (bits {value:#x})"]
    bracket = around(points, window)
    kept, seen_ns = 0, []
    for at_ns, value in bracket[1:]:
        kept |= value & ~bracket[0][1]
        seen_ns += [at_ns] if _names(bits, kept >> _STICKY_SHIFT) else []
    if fresh := _names(bits, kept >> _STICKY_SHIFT):
        span = f"between {when(bracket[0][0], window)} and {when(bracket[-1][0], window)}"
        changed = f"(bits {bracket[0][1]:#x}, then {bracket[-1][1]:#x})"
        return [f"{fresh} {span} {changed}{since(seen_ns[0], window)}"]
    return []


def _counters(readings: Mapping[str, Points], window: Window) -> list[str]:
    """Counters of events that lowered a clock, where they rose across the window."""
    told = []
    for name, points in readings.items():
        if not name.startswith(_COUNTERS):
            continue
        bracket = around(points, window)
        pairs = list(zip(bracket, bracket[1:], strict=False))
        rise = sum(max(0, later - earlier) for (_, earlier), (_, later) in pairs)
        if rise:
            first_ns = next(at_ns for (_, one), (at_ns, other) in pairs if other > one)
            span = f"between {when(bracket[0][0], window)} and {when(bracket[-1][0], window)}"
            told.append(f"{name} rose by {rise:g} to {bracket[-1][1]:g} {span}{since(first_ns, window)}")
    return [f"{told[0]}, and {len(told) - 1} other counters"] if len(told) > 1 else told


def _gpus(readings: Mapping[str, Points], window: Window) -> list[str]:
    told = []
    for name, points in readings.items():
        if not (name.startswith("nvml.") and name.endswith(".throttle")):
            continue
        awake = [point for point in inside(points, window) if not point[1] & GPU_IDLE]
        slowed = [point for point in awake if _names(_GPU, point[1])]
        if slowed:
            at_ns, value = slowed[0]
            count = f"{len(slowed)} of {len(awake)} readings"
            told.append(f"{name}: {_names(_GPU, value)} {when(at_ns, window)} (bits {value:#x}), {count}")
    return told


def _names(known: Mapping[int, str], value: int) -> str:
    return ", ".join(name for bit, name in known.items() if value & bit)
