"""``run.json`` from schema 1 to 2: what came while the schema was 1 has a place in every run.

Schema 1 began without energy, plugs, long windows, tuning and boards over ssh; a run of that time had
none of them. Which power sources answered was asked of nobody (``power`` is None), and no run said of
which other one it is a reproduction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ABSENT: Mapping[str, Mapping[str, Any]] = {
    "": {"power": None, "reproduces": None, "notes": []},
    "identity": {"tuned": {}, "remote": False},
    "plan.wish": {"energy": False, "meters": [], "own": [], "accelerators": []},
    "plan.settings": {"sustained_ns": 0, "observer_rounds": 0, "observer_block_ns": 0, "idle_after_ns": 0},
}


def upgraded(content: Mapping[str, Any]) -> dict[str, Any]:
    """``run.json`` of schema 1 as one of schema 2; the plan's fingerprint stays that of its time."""
    found = {**content, "schema": 2}
    for place, defaults in _ABSENT.items():
        inner: Any = found
        for name in filter(None, place.split(".")):
            if not isinstance(inner.get(name), Mapping):
                break  # damaged: whoever needs the field says so
            inner[name] = dict(inner[name])
            inner = inner[name]
        else:
            for name, value in defaults.items():
                inner.setdefault(name, value)
    return found
