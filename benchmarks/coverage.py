"""Whether the statistics keep their word: simulated cases whose truth is known.

``coverage_*``: how many 95 % intervals hold the truth; the peer is Student's t over the launch medians
of the same cases; of ``coverage_modes_*``, launches in three speed modes as on a Pi 5, every interval that is
stated counts, a mode's own and the mean's where no modes were seen; ``modes_*``: these apart.
``alarms_*``: what is seen where there is nothing. Nothing is timed, so any machine does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.figure import Figure
from benchmarks.place import Place
from benchmarks.processes import (
    CENTRE_NS,
    MODES_NS,
    PROCESSES,
    UNIMODAL,
    Random,
    autoregressive,
    moded,
    one_slow,
)
from orchestrator.domain import Interval
from orchestrator.statistics.bootstrap import launch_interval
from orchestrator.statistics.mode_figures import mode_figures
from orchestrator.statistics.modes import speed_modes
from orchestrator.statistics.quantiles import median
from orchestrator.statistics.settling import head
from orchestrator.statistics.stability import stability, trend
from orchestrator.statistics.student import student_t

LAUNCHES = (5, 10, 20, 30)
CASES = 1000
SIZE = 51
_OF_MODES = ("power", "p50", "share", "mixture")
_OF_SPLITS = ("split", "one_slow")
_OF_WINDOWS = ("trend", "warmup")
FIGURES = (
    *(f"coverage_{name}_{launches}" for name in PROCESSES for launches in LAUNCHES),
    *(f"coverage_modes_{launches}" for launches in LAUNCHES),
    *(f"modes_{what}_{launches}" for launches in LAUNCHES for what in _OF_MODES),
    *(f"alarms_{what}_{launches}" for launches in LAUNCHES for what in _OF_SPLITS),
    *(f"alarms_{what}" for what in _OF_WINDOWS),
)


def measure(_: Place) -> Iterator[Figure]:
    """All figures, each process with a seed of its own."""
    for name in PROCESSES:
        for launches in LAUNCHES:
            yield _coverage(name, launches)
    for launches in LAUNCHES:
        yield from _modes(launches)
    for launches in LAUNCHES:
        yield from _splits(launches)
    yield from _alarms()


def _coverage(name: str, launches: int) -> Figure:
    random, process = np.random.default_rng([launches, len(name)]), PROCESSES[name]
    hits = peers = 0
    for seed in range(CASES):
        windows = process.windows(random, launches, SIZE).astype(np.int64).tolist()
        interval = launch_interval(windows, seed)
        assert isinstance(interval, Interval)
        hits += interval.low_ns <= process.truth_ns <= interval.high_ns
        medians = np.array([median(window) for window in windows])
        reach = student_t(launches - 1) * medians.std(ddof=1) / math.sqrt(launches)
        peers += abs(medians.mean() - process.truth_ns) <= reach
    share = 100 * hits / CASES
    note = "peer: Student's t over the medians"
    figure = f"coverage_{name}_{launches}"
    return Figure(figure, "%", share, 100 * peers / CASES, "93 to 97 %", 93 <= share <= 97, note)


@dataclass
class _Tally:
    found: int = 0
    p50: list[bool] = field(default_factory=list)  # whether a mode's interval holds its truth
    share: list[bool] = field(default_factory=list)
    mixture: list[bool] = field(default_factory=list)  # of cases where no modes were seen


def tally(random: Random, launches: int, cases: int) -> _Tally:
    """What is said of ``cases`` moded cases, against the truth; a group's truth is the mode nearest to it."""
    told = _Tally()
    for seed in range(cases):
        windows = moded(random, launches, SIZE).astype(np.int64).tolist()
        medians = [median(window) for window in windows]
        groups = speed_modes(medians)
        modes = mode_figures(windows, medians, groups, seed)
        told.found += bool(modes)
        if not modes:
            interval = launch_interval(windows, seed)
            assert isinstance(interval, Interval)
            told.mixture.append(interval.low_ns <= sum(MODES_NS) / len(MODES_NS) <= interval.high_ns)
        for mode in modes:
            truth_ns = _nearest(mode.p50_ns)
            told.share.append(mode.share_low <= 1 / len(MODES_NS) <= mode.share_high)
            if mode.low_ns is not None and mode.high_ns is not None:
                told.p50.append(mode.low_ns <= truth_ns <= mode.high_ns)
    return told


def _nearest(p50_ns: float) -> float:
    return min(MODES_NS, key=lambda centre: abs(centre - p50_ns))


def _modes(launches: int) -> Iterator[Figure]:
    told = tally(np.random.default_rng([launches, 3]), launches, CASES)
    power = 100 * told.found / CASES
    least = 90.0 if launches >= 10 else None
    ok = None if least is None else power >= least
    yield Figure(
        f"modes_power_{launches}", "%", power, None, ">= 90 % from 10 on", ok, "cases whose modes are found"
    )
    stated = [*told.p50, *told.mixture]
    held = 100 * sum(stated) / len(stated)
    note = f"all {len(stated)} intervals stated of {CASES} cases in three modes"
    yield Figure(f"coverage_modes_{launches}", "%", held, None, "93 to 97 %", 93 <= held <= 97, note)
    for what, note in (
        ("p50", "intervals of the modes' p50"),
        ("share", "intervals of the modes' shares"),
        ("mixture", "intervals of the mean where no modes were found"),
    ):
        hits: list[bool] = getattr(told, what)
        share = 100 * sum(hits) / len(hits) if hits else None
        name = f"modes_{what}_{launches}"
        yield Figure(name, "%", share, None, "reported", None, f"{note}; of {len(hits)}")


def _splits(launches: int) -> Iterator[Figure]:
    random = np.random.default_rng([launches, 4])
    worst, which = 0.0, ""
    for name, effects in UNIMODAL.items():
        medians = CENTRE_NS * (1 + effects(random, (CASES, launches)))
        split = sum(len(speed_modes(row)) > 1 for row in medians.tolist())
        if split > worst:
            worst, which = split, name
    share = 100 * worst / CASES
    note = f"unimodal launches called MULTIMODAL, worst process: {which}"
    yield Figure(f"alarms_split_{launches}", "%", share, 5.0, "<= 5 %", share <= 5, note)
    said = [
        stability(row, len(speed_modes(row)), [0.01] * launches)
        for row in (one_slow(random, launches).tolist() for _ in range(CASES))
    ]
    missed = 100 * (1 - said.count("UNSTABLE") / CASES)
    note = "quiet cases with one slow launch not called UNSTABLE"
    yield Figure(f"alarms_one_slow_{launches}", "%", missed, 10.0, "<= 10 %", missed <= 10, note)


def _alarms() -> Iterator[Figure]:
    """Steady windows in which something is seen; the worst of lengths, noises and autocorrelations."""
    random, count = np.random.default_rng(6), 400
    worst = dict.fromkeys(_OF_WINDOWS, (0.0, ""))
    for size in (64, 200, 1000):
        for noise in (0.02, 0.1, 0.2):
            for alike in (0.0, 0.5, 0.8, 0.9, 0.95):
                rows = CENTRE_NS * (1 + noise * autoregressive(random, count, size, alike))
                for what, rule in (("trend", trend), ("warmup", head)):
                    alarms = 100 * sum(rule(row) is not None for row in rows.tolist()) / count
                    where = f"{size} iterations, noise {noise:.0%}, autocorrelation {alike}"
                    worst[what] = max(worst[what], (alarms, where))
    for what, (alarms, where) in worst.items():
        yield Figure(
            f"alarms_{what}", "%", alarms, 5.0, "<= 5 %", alarms <= 5, f"steady windows; worst: {where}"
        )
