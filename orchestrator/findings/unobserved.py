"""Whether heat could have been seen at all: a board that tells nothing must not pass for a cool one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.domain import Finding
from orchestrator.findings.codes import Code
from orchestrator.findings.readings import Line, Window, around, by_source

# What shows that a processor was slowed down, by its own word or by its clock.
_WATCHES = re.compile(r"(vcgencmd\.(throttled|clock_arm)|throttle|soctherm|cpufreq)(\..*)?")


def heat_unobserved(lines: Sequence[Line], window: Window) -> tuple[Finding, ...]:
    """A note where no reading in or around the window could have shown a slowed processor, with the reasons."""
    seen = by_source([line for line in lines if _watches(line)])
    if any(around(points, window) for points in seen.values()):
        return ()
    fixes = {
        (line["source"], line["reason"]): f" ({line['fix']})" for line in lines if line.get("type") == "fix"
    }
    reasons = {line["source"]: line["reason"] for line in lines if _watches(line) and line["value"] is None}
    told = [f"{source} {reason}{fixes.get((source, reason), '')}" for source, reason in reasons.items()]
    return (Code.HEAT_UNOBSERVED.finding(", ".join(told) or "nothing that would tell was read"),)


def _watches(line: Line) -> bool:
    return line.get("type") == "reading" and bool(_WATCHES.fullmatch(line["source"]))
