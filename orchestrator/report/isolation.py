"""How the machine was set while it measured, in one line a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.report.cells import plain


def isolation_lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    """``machine: governor schedutil, turbo on, ...``; only what is known, and nothing of older runs."""
    lines = []
    for run in runs:
        parts = _parts(run.get("isolation") or {})
        if parts:
            where = f" of {run['name']}" if len(runs) > 1 else ""
            lines.append(plain(f"machine{where}: {', '.join(parts)}"))
    return lines


def _parts(facts: Mapping[str, Any]) -> list[str]:
    governors = sorted(set((facts.get("governors") or {}).values()))
    locked = [name for name, is_locked in (facts.get("clocks_locked") or {}).items() if is_locked]
    swaps, load = facts.get("swaps"), facts.get("load_average")
    parts = [f"governor {'/'.join(governors)}"] if governors else []
    if facts.get("turbo") is not None:
        parts.append(f"turbo {'on' if facts['turbo'] else 'off'}")
    if facts.get("nvpmodel"):
        parts.append(f"power mode {facts['nvpmodel']}")
    if locked:
        parts.append(f"clocks locked: {', '.join(locked)}")
    if swaps is not None:
        parts.append(f"{len(swaps)} swap devices" if swaps else "no swap")
    if facts.get("aslr") is not None:
        parts.append(f"ASLR {facts['aslr']}")
    if load:
        parts.append(f"load {load[0]:.2f} at the start")
    return parts
