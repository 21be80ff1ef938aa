"""How well a machine is isolated from what lets figures wander, and what a killed bench has left tuned."""

from __future__ import annotations

from pathlib import Path

from orchestrator import environment, lock, tuning
from orchestrator.doctor.check import Check, refusal
from orchestrator.domain import InferometerError

_STILL = "performance"


def isolation(root: Path) -> Check:
    """Advice: what moves clocks or may read memory from a disk in the middle of a window."""
    found = environment.isolation_of(root)
    moving, knobs = [], []
    governors = sorted(set((found["governors"] or {}).values()))
    if governors and governors != [_STILL] and not all((found["clocks_locked"] or {}).values()):
        moving.append(f"governor {', '.join(governors)}")
        knobs.append(f"governor={_STILL}")
    if found["turbo"]:
        moving.append("turbo on")
        knobs.append("turbo=off")
    used = sum(swap["used_bytes"] for swap in found["swaps"] or [])
    if used:
        moving.append(f"{used / 2**20:.0f} MiB in swap")
        knobs.append("swap=off")
    if not moving:
        return Check("isolation", "ok", _still(governors, found["swaps"]))
    return Check(
        "isolation",
        "warning",
        f"{', '.join(moving)}: clocks or memory may move while measuring",
        f"on that machine, as root: inferometer bench --tune {','.join(knobs)} (put back afterwards)",
    )


def _still(governors: list[str], swaps: list[object] | None) -> str:
    clocks = f"governor {', '.join(governors)}" if governors else "no governor is shown"
    swap = "swap is unknown" if swaps is None else "swap is not used" if swaps else "no swap"
    return f"{clocks}, {swap}"


def leftover(root: Path, user: int) -> list[Check]:
    """Whether a killed bench has left this machine tuned; where ``user`` may, it is put back."""
    machine = tuning.Machine(root)
    try:
        if not tuning.forgotten(machine):
            return []
        with lock.hold("putting back what a bench tuned"):
            said = tuning.put_back(machine, user)
    except InferometerError as problem:
        return [refusal("tuning", problem, "warning")]
    return [Check("tuning", "ok", said)] if said else []


def leftover_there(root: Path) -> list[Check]:
    """The same of a board, whose files are copied below ``root``: it can only be told."""
    try:
        tuning.refuse_there(tuning.Machine(root))
    except InferometerError as problem:
        return [refusal("tuning there", problem)]
    return []
