"""jetson-stats asked outside windows: what it knows of the board, and whether its power is ours."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.engines import jtop
from orchestrator.engines.ssh import Link
from orchestrator.environment.cross_check import cross_check
from orchestrator.measurement import Line


def ask(
    sense: Callable[[Sequence[str]], Sequence[Line]],
    sources: Sequence[str],
    link: Link | None,
    sleep: Callable[[float], None] = time.sleep,
    facts: Callable[[Link | None], dict[str, Any]] = jtop.facts,
) -> dict[str, Any]:
    """jtop's facts with ``cross_check``: its total beside our readings of that input just before and after.

    Returns when its service has let go of the sensors again: they share a driver.
    """
    ours = [source for source in sources if source.partition("@")[0] in ("ina3221", "tegrastats")]
    before = sense(ours) if ours else ()
    found = facts(link)
    if found.get("reason") is not None:  # nobody was asked, so nobody holds the sensors
        return {**found, "cross_check": None}
    after = sense(ours) if ours else ()
    sleep(jtop.LINGERS_S)
    total = (found.get("power") or {}).get("total") or {}
    ours_w = [*_watts(before, total.get("name")), *_watts(after, total.get("name"))]
    return {**found, "cross_check": asdict(cross_check(ours_w, total.get("w")))}


def disagreement(told: Iterable[Mapping[str, Any] | None]) -> str | None:
    """What the finding says where jtop and we differ on one input; ``told``: answers of :func:`ask`."""
    for found in told:
        compared = (found or {}).get("cross_check") or {}
        if found and compared.get("agrees") is False:
            name, watts = found["power"]["total"]["name"], found["power"]["total"]["w"]
            return (
                f"jtop reads {name} at {watts:.2f} W, {compared['difference_w']:+.2f} W from ours "
                f"(allowed: {compared['tolerance_w']:.2f} W)"
            )
    return None


def _watts(lines: Sequence[Line], name: str | None) -> list[float]:
    return [
        line["value"]
        for line in lines
        if line.get("type") == "reading"
        and line["unit"] == "w"
        and line["value"] is not None
        and str(line["source"]).partition(".")[2] == name
    ]
