"""What this machine's sensors give a bench: joules, and temperatures to wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from orchestrator.cooling import THERMOMETERS
from orchestrator.doctor.check import Check
from orchestrator.power import Power, Sense, survey

_PLUG = "use a plug: METER=http://ADDRESS"
_DRIVER = "load the sensor's driver (coretemp, k10temp); a virtual machine shows none"


def sensors(sense: Sense, sources: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> list[Check]:
    """What ``sources`` say; ``sense`` as an engine has it, ``sleep`` between tries."""
    return [_power(survey(sense, sources, sleep)), _temperature(sense, sources)]


def _power(found: Power) -> Check:
    if found.readable:
        return Check("power", "ok", _listed(map(_head, found.readable)))
    refused = _listed(f"{_head(name)} {said['reason']}" for name, said in found.refused.items())
    fixes = dict.fromkeys(said["fix"] for said in found.refused.values() if said["fix"])
    detail = f"none: {refused or found.why}"
    return Check("power", "warning", detail, "; ".join(map(str, fixes)) or _PLUG)


def _temperature(sense: Sense, sources: Sequence[str]) -> Check:
    asked = [source for source in sources if _head(source) in THERMOMETERS]
    lines = [line for line in (sense(asked) if asked else ()) if line.get("type") == "reading"]
    good = [line["source"] for line in lines if line["unit"] == "c" and line["value"] is not None]
    if good:
        return Check("temperature", "ok", _listed(map(_head, good)))
    return Check("temperature", "warning", "none: trials will not wait for the machine to cool", _DRIVER)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _head(name: str) -> str:
    """A source of its specification, or of its channel: ``rapl`` of ``rapl@0.1`` and of ``rapl.psys``."""
    return name.partition("=")[0].partition("@")[0].partition(".")[0]
