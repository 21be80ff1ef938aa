"""Which power sources answer on this machine, asked before a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orchestrator import meter
from orchestrator.domain import InferometerError
from orchestrator.energy import attainable, is_power
from orchestrator.measurement import Line

Sense = Callable[[Sequence[str]], Sequence[Line]]

# One bad reading says little: whoever may answer is asked so often, after such a pause.
TRIES, PAUSE_S = 3, 0.5
_FINAL = ("no_sensor", "permission", "not_supported")

NO_SOURCE = "this device's profile names no power source"
SILENT = "telemetry gave no reading: it needs Python 3.6 or later where runners run"
EMULATED = "an emulated board takes no power"


@dataclass(frozen=True)
class Power:
    """``readable``: specifications (``rapl@0.1``) with a value; ``refused``: channel -> reason and fix.

    ``beside``: those without power that have other values (a GPU's temperature). ``widths_ns``: what a read
    of each readable one took. ``why``: why nobody was asked, or nobody answered.
    """

    readable: tuple[str, ...] = ()
    refused: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    beside: tuple[str, ...] = ()
    widths_ns: Mapping[str, int] = field(default_factory=dict)
    why: str | None = None

    @property
    def attainable(self) -> tuple[str, ...]:
        """The readable ones with the intervals that they can keep."""
        return tuple(attainable(source, self.widths_ns.get(source, 0)) for source in self.readable)

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def survey(sense: Sense, sources: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> Power:
    """Read every power source among ``sources``, and again while one fails for a reason that may pass.

    A source is readable when one of its channels gave watts or joules.
    """
    asked = [source for source in sources if is_power(source)]
    if not asked:
        return Power(why=NO_SOURCE)
    widths_ns: dict[str, int] = {}
    beside: set[str] = set()
    refused: dict[str, dict[str, str | None]] = {}
    for attempt in range(TRIES):
        if attempt:
            sleep(PAUSE_S)
        # All of them each time: some stand in for others, and are silent while those answer.
        lines = sense(asked)
        refused |= _refused(lines)
        for line in lines:
            if line.get("type") == "reading" and line["value"] is not None:
                sources = [source for source in asked if _name(source) == _name(line["source"])]
                beside.update(sources)
                if _is_power(line):
                    refused.pop(line["source"], None)
                    width_ns = int(line["t1_ns"]) - int(line["t0_ns"])
                    widths_ns |= {source: max(widths_ns.get(source, 0), width_ns) for source in sources}
        answered = set(map(_name, widths_ns))
        left = [said["reason"] for name, said in refused.items() if _name(name) not in answered]
        if (answered or left) and set(left) <= set(_FINAL):
            break
    readable = tuple(source for source in asked if source in widths_ns)
    others = tuple(source for source in asked if source in beside and source not in widths_ns)
    return Power(readable, refused, others, widths_ns, None if readable or refused else SILENT)


def plug(sense: Sense, given: str, sleep: Callable[[float], None] = time.sleep) -> Power:
    """The one source that a meter's address is. Raises InferometerError where none gives power there."""
    found = survey(sense, meter.candidates(given), sleep)
    if not found.readable:
        raise InferometerError(f"--meter {given} gives no power: {why_none(found.to_json())}")
    source = found.readable[0]
    refused = {name: said for name, said in found.refused.items() if _name(name) == _name(source)}
    return Power((source,), refused, widths_ns=found.widths_ns)


def of_machine(
    sense: Sense,
    profile: Sequence[str],
    meters: Sequence[str],
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[tuple[str, ...], Power]:
    """The telemetry sources of trials, by the device's profile and the meters named, and what gives power.

    Raises InferometerError for a meter that does not answer: it was asked for by name.
    """
    found = [survey(sense, profile, sleep), *(plug(sense, given, sleep) for given in meters)]
    answering = [source for one in found[1:] for source in one.readable]
    if len({_name(source) for source in answering}) < len(answering):
        raise InferometerError("--meter: two plugs of one make have the same channels; name one of them")
    whole = Power(
        tuple(source for one in found for source in one.readable),
        {name: said for one in found for name, said in one.refused.items()},
        found[0].beside,
        {source: width_ns for one in found for source, width_ns in one.widths_ns.items()},
        None if answering else found[0].why,
    )
    return chosen((*profile, *answering), whole), whole


def chosen(sources: Sequence[str], power: Power) -> tuple[str, ...]:
    """The sources that trials read: to ask what does not answer again and again would tell nothing."""
    answering = (*power.readable, *power.beside)
    return tuple(source for source in sources if not is_power(source) or source in answering)


def still(sense: Sense, readable: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> None:
    """Refuse to go on with a run whose power sources no longer answer. Raises InferometerError."""
    if not readable:
        return
    now = survey(sense, readable, sleep)
    for source in readable:
        # One that is silent while others speak: another stands in for it.
        reasons = [said["reason"] for name, said in now.refused.items() if _name(name) == _name(source)]
        if source not in now.readable and (reasons or now.why):
            raise InferometerError(
                f"{_name(source)} was readable when this run began, now: {(reasons or [now.why])[0]}; "
                "mend it, or begin anew with another RESULTS folder"
            )


def refusals(power: Mapping[str, Any]) -> list[str]:
    """``source, source: reason (fix)``: each reason once, and a source once where its channels fail alike."""
    readable = {_name(source) for source in power["readable"]}
    channels: dict[tuple[str, str, str | None], list[str]] = {}
    for name, said in power["refused"].items():
        channels.setdefault((_name(name), said["reason"], said["fix"]), []).append(name)
    alike: dict[tuple[str, str | None], list[str]] = {}
    for (source, reason, fix), names in channels.items():
        told = [source] if len(names) > 1 and source not in readable else names
        alike.setdefault((reason, fix), []).extend(told)
    return [
        f"{', '.join(names)}: {reason}" + (f" ({fix})" if fix else "")
        for (reason, fix), names in alike.items()
    ]


def why_none(power: Mapping[str, Any]) -> str | None:
    """Why there are no joules, in one line with the fixes, or None where a source is readable."""
    if power["readable"]:
        return None
    return "; ".join(refusals(power)) or power.get("why") or NO_SOURCE


def _name(source: str) -> str:
    """``nvml`` of the channel ``nvml.0.power`` and of the specification ``nvml@0.1=folder``."""
    return source.partition("=")[0].partition("@")[0].partition(".")[0]


def _is_power(line: Line) -> bool:
    return line["unit"] in ("w", "j")


def _refused(lines: Iterable[Line]) -> dict[str, dict[str, str | None]]:
    fixes: dict[tuple[str, str], str] = {}
    found: dict[str, dict[str, str | None]] = {}
    for line in lines:
        if line.get("type") == "fix":
            fixes[line["source"], line["reason"]] = str(line["fix"])
        elif line.get("type") == "reading" and _is_power(line) and line["value"] is None:
            source, reason = str(line["source"]), str(line["reason"])
            found[source] = {"reason": reason, "fix": fixes.get((source, reason))}
    return found
