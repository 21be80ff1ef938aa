"""Which power sources answer on this machine, asked once before a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator.energy import is_power
from orchestrator.measurement import Line

# Reasons that may be gone at the next reading.
_PASSING = ("eagain", "timeout", "stale")


@dataclass(frozen=True)
class Power:
    """``readable``: specifications (``rapl@0.1``) with a value; ``refused``: channel -> reason and fix."""

    readable: tuple[str, ...] = ()
    refused: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def survey(sense: Callable[[Sequence[str]], Sequence[Line]], sources: Sequence[str]) -> Power:
    """Read every power source among ``sources`` once.

    A source is readable when one of its channels gave watts or joules, or may give some later.
    """
    asked = [source for source in sources if is_power(source)]
    if not asked:
        return Power()
    lines = sense(asked)
    fixes = {
        (line["source"], line["reason"]): str(line["fix"]) for line in lines if line.get("type") == "fix"
    }
    told = [line for line in lines if line.get("type") == "reading" and line["unit"] in ("w", "j")]
    readable = [source for source in asked if any(_promises(line) for line in told if _of(line, source))]
    refused = {
        str(line["source"]): {
            "reason": str(line["reason"]),
            "fix": fixes.get((line["source"], line["reason"])),
        }
        for line in told
        if line["value"] is None
    }
    return Power(tuple(readable), refused)


def chosen(sources: Sequence[str], power: Power) -> tuple[str, ...]:
    """The sources that trials read: to ask what does not answer again and again would tell nothing."""
    return tuple(source for source in sources if not is_power(source) or source in power.readable)


def why_none(power: Mapping[str, Any]) -> str | None:
    """Why there are no joules, in one line with the fixes, or None where a source is readable."""
    if power["readable"]:
        return None
    parts = [
        f"{source}: {said['reason']}" + (f" ({said['fix']})" if said["fix"] else "")
        for source, said in power["refused"].items()
    ]
    return "; ".join(parts) or "this device's profile names no power source"


def _of(line: Line, source: str) -> bool:
    return str(line["source"]).partition(".")[0] == source.partition("=")[0].partition("@")[0]


def _promises(line: Line) -> bool:
    return line["value"] is not None or line["reason"] in _PASSING
