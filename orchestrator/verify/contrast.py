"""The first difference of two JSON values, by its path."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

# Of sums and roots that another version, or another NumPy, takes in another order.
CLOSE = 1e-9


def first_difference(stored: Any, again: Any, exact: bool = True, path: str = "") -> str | None:
    """``cases[3].p50_ns: stored 1.5, recomputed 1.6``, or None where there is no difference.

    Not ``exact``: floats may differ by a relative 1e-9, and fields that ``stored`` lacks are none of its
    differences: the version that wrote it did not know them.
    """
    if isinstance(stored, Mapping) and isinstance(again, Mapping):
        names = sorted(stored.keys() | again.keys() if exact else stored.keys())
        for name in names:
            where = f"{path}.{name}" if path else name
            if name not in stored or name not in again:
                sides = [_shown(side[name]) if name in side else "nothing" for side in (stored, again)]
                return _told(where, *sides)
            found = first_difference(stored[name], again[name], exact, where)
            if found:
                return found
        return None
    if isinstance(stored, list) and isinstance(again, list):
        for position, (one, other) in enumerate(zip(stored, again, strict=False)):
            found = first_difference(one, other, exact, f"{path}[{position}]")
            if found:
                return found
        if len(stored) != len(again):
            return _told(path, f"{len(stored)} items", f"{len(again)}")
        return None
    return None if _equal(stored, again, exact) else _told(path, _shown(stored), _shown(again))


def _equal(one: Any, other: Any, exact: bool) -> bool:
    numbers = all(isinstance(side, int | float) and not isinstance(side, bool) for side in (one, other))
    if numbers and not exact:
        return math.isclose(one, other, rel_tol=CLOSE)
    return type(one) is type(other) and bool(one == other)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _told(path: str, stored: str, again: str) -> str:
    return f"{path or 'the whole'}: stored {stored}, recomputed {again}"
