"""A comparison in words and cells, the same on a terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.compare.comparison import Compared, Comparison
from orchestrator.compare.condition import Answer
from orchestrator.compare.judgement import INCOMPARABLE, Judged
from orchestrator.compare.metrics import BYTES, ENERGY, METRICS, P50, POINTS, TIME, Metric
from orchestrator.compare.pairing import Pair
from orchestrator.compare.provenance import OBSTACLES, SUBJECTS, Difference
from orchestrator.domain import Case
from orchestrator.report.cells import UNKNOWN, number, plain

VERDICTS = ("slower", "faster", "no difference", INCOMPARABLE)
_UNITS = {
    TIME: (("us", 1e3), ("ms", 1e6), ("s", 1e9)),
    BYTES: (("KiB", 2.0**10), ("MiB", 2.0**20), ("GiB", 2.0**30)),
    "J": (("uJ", 1e-6), ("mJ", 1e-3), ("J", 1.0)),
}


def labels(cases: Sequence[Case]) -> dict[str, str]:
    """Case id -> its name among these: model, runtime, and the fields in which any two differ.

    ``resnet50 fiq onnxruntime b8 t2``, written as in ids.
    """

    def varies(name: str) -> bool:
        return len({getattr(case, name) for case in cases}) > 1

    found = {}
    for case in cases:
        words = [case.device] if varies("device") else []
        words += [case.model, *([case.variant] if varies("variant") else []), case.runtime_label]
        words += [f"b{case.batch}"] if varies("batch") else []
        words += [f"t{case.threads}"] if varies("threads") else []
        found[case.id] = plain(" ".join(words))
    return found


def names(comparison: Comparison) -> dict[str, str]:
    """Labels of everything in a comparison."""
    alone = [*comparison.only_a, *comparison.only_b]
    sides = [side for case in comparison.cases for side in (case.pair.a, case.pair.b)]
    return labels([measured.case for measured in [*sides, *alone]])


def amount(metric: Metric, value: float | None) -> str:
    """``12.34 us``, ``84.5 MiB``, ``99.7 %``."""
    if value is None:
        return UNKNOWN
    if metric.unit == POINTS:
        return f"{value:.1f} %"
    units = _UNITS[metric.unit]
    unit, size = next(((unit, size) for unit, size in units if abs(value) < 1000 * size), units[-1])
    return f"{number(value / size)} {unit}"


def speeds(case: Compared) -> tuple[str, str]:
    """The p50 of both sides; in brackets that of an emulator, which says nothing about the board."""
    judged, sides = case.p50, (case.pair.a.summary, case.pair.b.summary)
    texts = (amount(judged.metric, judged.a.value), amount(judged.metric, judged.b.value))
    a, b = (
        f"({text})" if row.emulated and text != UNKNOWN else text
        for text, row in zip(texts, sides, strict=True)
    )
    return a, b


def change(judged: Judged) -> str:
    """``+3.2 %``, of an accuracy ``-0.5 pp``, of files ``same``; a dash where there is no one number."""
    if judged.metric.exact and judged.a.value is not None and judged.a.value == judged.b.value:
        return "same"
    if judged.points:
        return f"{_signed(judged.points[0])} pp"
    return _share(judged.ratio.value) if judged.ratio else UNKNOWN


def interval(judged: Judged) -> str:
    """``+1.1 to +5.3 %``."""
    if judged.points:
        return f"{_signed(judged.points[1])} to {_signed(judged.points[2])} pp"
    if not judged.ratio:
        return UNKNOWN
    return f"{_share(judged.ratio.low).removesuffix(' %')} to {_share(judged.ratio.high)}"


def _share(ratio: float) -> str:
    return f"{_signed(100 * (ratio - 1))} %" if ratio < 10 else f"{ratio:.0f} times"


def _signed(value: float) -> str:
    text = f"{value:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text


def rank(judged: Judged) -> str:
    """The p of the Mann-Whitney U test."""
    return UNKNOWN if judged.rank_p is None else f"{judged.rank_p:.3f}"


def verdict(judged: Judged) -> str:
    """The verdict with what there is to say of it."""
    return plain(f"{judged.verdict}: {judged.remark}" if judged.remark else judged.verdict)


def headline(comparison: Comparison) -> str:
    """``4 cases: 1 slower, 3 no difference``."""
    cases = comparison.cases
    if not cases:
        return "No case is in both."
    counts = {word: sum(case.p50.verdict == word for case in cases) for word in VERDICTS}
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    return f"{len(cases)} {'case' if len(cases) == 1 else 'cases'}: {told}"


def shown(comparison: Comparison) -> list[str]:
    """One line for each case that became faster or slower, the largest change first."""
    called = names(comparison)
    found = [case for case in comparison.cases if case.p50.differs]
    found.sort(key=lambda case: -abs(case.p50.ratio.value - 1) if case.p50.ratio else 0.0)
    return [f"{label(called, case.pair)} is {case.p50.verdict}: {_how(case.p50)}" for case in found]


def _how(judged: Judged) -> str:
    if not judged.ratio:
        return judged.remark or "by its modes"
    return f"{change(judged)} (95 % interval {interval(judged)})"


def label(called: Mapping[str, str], pair: Pair) -> str:
    """The pair by its case of B."""
    return called[pair.b.case.id]


def gates(answers: Sequence[Answer], comparison: Comparison) -> list[tuple[bool | None, str]]:
    """Each condition: whether it holds (None: nobody can say), and where."""
    called, told = names(comparison), list[tuple[bool | None, str]]()
    for answer in answers:
        text, total = answer.condition.text, answer.judged
        if answer.holds:
            where = ", ".join(label(called, case.pair) for case in answer.holds)
            told.append((True, f"{text}: holds in {len(answer.holds)} of {total}: {where}"))
        elif total:
            rest = f"; {len(answer.unjudged)} could not be judged" if answer.unjudged else ""
            told.append((False, f"{text}: holds in none of {total}{rest}"))
        else:
            reason = answer.unjudged[0][1] if answer.unjudged else "no case is in both"
            told.append((None, f"{text}: could not be judged in any case: {plain(reason)}"))
    return told


def others(comparison: Comparison) -> list[tuple[str, Metric]]:
    """The metrics beside p50 that any case has on both sides, by key, in their order."""
    order = [metric.name for metric in METRICS]
    found: dict[str, Metric] = {}
    for case in comparison.cases:
        for key, judged in case.metrics.items():
            if key != P50 and judged.verdict != INCOMPARABLE:
                found[key] = judged.metric
    return sorted(found.items(), key=lambda item: (order.index(item[1].name), item[0]))


def title(key: str, metric: Metric) -> str:
    """A column's title; an energy has its scope in it."""
    return f"{metric.title}, {key.partition(':')[2]}" if metric.name == ENERGY else metric.title


def cell(case: Compared, key: str) -> tuple[str, str]:
    """A change with its mark where a difference was shown, and the verdict behind it."""
    judged = case.metrics.get(key)
    if judged is None or judged.verdict == INCOMPARABLE:
        return UNKNOWN, INCOMPARABLE
    mark = f" {'▲' if judged.verdict == judged.metric.more else '▼'}" if judged.differs else ""
    return f"{change(judged)}{mark}", judged.verdict


def differing(comparison: Comparison) -> list[tuple[Difference, list[str]]]:
    """Every field that differs, obstacles first, with the cases in which it does."""
    return _grouped(comparison, lambda case: case.differing)


def unknown(comparison: Comparison) -> list[tuple[Difference, list[str]]]:
    """Every field that one side alone knows."""
    return _grouped(comparison, lambda case: case.unknown)


def _grouped(
    comparison: Comparison, of: Callable[[Compared], Sequence[Difference]]
) -> list[tuple[Difference, list[str]]]:
    called, found = names(comparison), dict[Difference, list[str]]()
    for case in comparison.cases:
        for one in of(case):
            found.setdefault(one, []).append(label(called, case.pair))
    order = [*OBSTACLES, *SUBJECTS]
    return sorted(found.items(), key=lambda item: order.index(item[0].field))


def equal(comparison: Comparison) -> list[str]:
    """The fields that are known and the same in every case."""
    apart = {one.field for one, _ in [*differing(comparison), *unknown(comparison)]}
    facts = [case.pair.b.provenance for case in comparison.cases]
    return [
        name
        for name in (*OBSTACLES, *SUBJECTS)
        if name not in apart and facts and all(one.get(name) is not None for one in facts)
    ]


def method(comparison: Comparison) -> str:
    """How the verdicts came about, in one line."""
    least = f"{100 * comparison.wish.least:.3g} %"
    few = any(case.p50.ratio and case.p50.rank_p is None for case in comparison.cases)
    asked = " (where there are enough launches for it: 4 and 4, or 3 and 5)" if few else ""
    return (
        f"A difference is called one where the 95 % interval of B/A (Welch's t over launches) lies beyond "
        f"{least}, still does for the number of cases (Benjamini-Hochberg), and Mann-Whitney agrees{asked}."
    )
