"""Holding out: the same seed gives the same inputs on every machine."""

from __future__ import annotations

import numpy as np

SHARE = 0.2


def hold_out(labels: np.ndarray, seed: int, share: float = SHARE) -> tuple[np.ndarray, np.ndarray]:
    """(training, held-out) indices, each sorted: of every class ``share``, at least one where it has two."""
    generator = np.random.RandomState(seed)  # its stream is frozen, that of default_rng is not
    train, test = [], []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(len(members) - 1, max(1, round(share * len(members))))
        test.append(members[:count])
        train.append(members[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))
