"""Figures as sentences have them."""

from __future__ import annotations

from collections.abc import Mapping

_TIMES = (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 1.0))
_SIZES = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0))
_NAMED = 4  # kinds of operators; more are counted


def time(value_ns: float) -> str:
    """``16.1 us``: three digits."""
    unit, ns = next((item for item in _TIMES if value_ns >= item[1]), _TIMES[-1])
    return f"{_digits(value_ns / ns)} {unit}"


def amount(value: float, unit: str) -> str:
    """``12.4 GFLOP/s``: three digits and a decimal prefix."""
    prefix, size = next((item for item in _SIZES if value >= item[1]), _SIZES[-1])
    return f"{_digits(value / size)} {prefix}{unit}"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def kinds(counts: Mapping[str, int]) -> str:
    """``2 MAX_POOL_2D, 1 RESHAPE``, most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{count} {name}" for name, count in ordered[:_NAMED])
    rest = sum(count for _, count in ordered[_NAMED:])
    return f"{shown} and {rest} more" if rest else shown


def nodes(count: int) -> str:
    """``1 node`` or ``3 nodes``."""
    return f"{count} node{'' if count == 1 else 's'}"


def threads(count: int) -> str:
    """``1 thread`` or ``3 threads``."""
    return f"{count} thread{'' if count == 1 else 's'}"
