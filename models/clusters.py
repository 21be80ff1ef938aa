"""One-dimensional k-means: few values that stand for many."""

from __future__ import annotations

import numpy as np

ROUNDS = 100


def cluster(values: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """At most ``count`` centres in ascending order (float32), and for each value the index of its own.

    Lloyd's iteration from centres spread evenly over the range, which keeps the rare large weights that
    matter most (Han, Mao, Dally, "Deep Compression", 2016, arXiv:1510.00149, section 3.2). In one
    dimension a cluster is a stretch of the sorted values, so that an iteration is one search and
    differences of cumulative sums, several times faster than k-means for any dimension.
    """
    ordered = np.sort(values.astype(np.float64).ravel())
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.linspace(ordered[0], ordered[-1], count)
    for _ in range(ROUNDS):
        ends = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2)
        bounds = np.concatenate([[0], ends, [len(ordered)]])
        sizes = np.diff(bounds)
        taken = sizes > 0  # a centre that no value is nearest to goes
        moved = np.diff(sums[bounds])[taken] / sizes[taken]
        if len(moved) == len(centres) and np.allclose(moved, centres, rtol=0, atol=1e-9 * np.ptp(ordered)):
            break
        centres = moved
    centres = np.unique(centres.astype(np.float32))
    middles = (centres[1:].astype(np.float64) + centres[:-1]) / 2
    return centres, np.searchsorted(middles, values.astype(np.float64))
