"""Blocks of two kinds in the order a b b a, reduced so that neither drift nor outliers decide."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

ORDER = "abba"

Pair = tuple[float, float]  # a, b


def pairs(blocks: Sequence[Sequence[float]]) -> list[Pair]:
    """Of each complete a b b a: (mean of the medians of its a blocks, of its b blocks).

    A drift that is linear over the four adds as much to one as to the other.
    """
    medians = [median(block) for block in blocks]
    whole = len(medians) // len(ORDER) * len(ORDER)
    return [
        (fmean((medians[start], medians[start + 3])), fmean((medians[start + 1], medians[start + 2])))
        for start in range(0, whole, len(ORDER))
    ]


def middle(found: Sequence[Pair]) -> Pair:
    """The pair (of at least one) whose ratio a / b is the median, of an even number the lower of the two."""
    return sorted(found, key=lambda pair: pair[0] / pair[1])[(len(found) - 1) // 2]
