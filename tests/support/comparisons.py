"""Sides of comparisons, made of the launches that a test names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.compare import Comparison, Wish
from orchestrator.compare.comparison import judge
from orchestrator.compare.metrics import Figure, of_launches
from orchestrator.compare.side import Measured, Side
from orchestrator.domain import Case, CaseSummary, Finding, Severity, Verdict
from tests.support.results import case, header

FACTS: Mapping[str, str | None] = {
    "device": "x86",
    "machine": "0" * 64,
    "processor": "Example CPU @ 2.60GHz",
    "kernel": "6.1.0",
    "governor": "performance",
    "engine": "docker",
    "emulated": "no",
    "threads": "1",
    "cores": "3",
    "artifact": "a" * 64,
    "settings": "full, min_duration_ns 5000000000",
    "image": f"sha256:{'1' * 64}",
    "runtime": "1.31.1",
    "suite": "0.1.0",
}
STEADY = (0.99, 0.995, 1.0, 1.005, 1.01)  # a CV of 0.8 %


def launches(p50_ns: float, spread: Sequence[float] = STEADY) -> tuple[float, ...]:
    """Medians of launches around a p50."""
    return tuple(p50_ns * factor for factor in spread)


def measured(
    which: Case,
    medians_ns: Sequence[float] = (),
    facts: Mapping[str, str | None] | None = None,
    invalid: str | None = None,
    **figures: Figure,
) -> Measured:
    """A case with these launches; without any, one that failed."""
    failure = None if medians_ns else "oom: killed for lack of memory"
    finding = Finding(invalid or "", Severity.INVALID, "seen")
    row = CaseSummary(
        which,
        Verdict.INVALID if invalid else Verdict.VALID,
        (finding,) if invalid else (),
        launches=len(medians_ns),
        failed=0 if medians_ns else 5,
        count=500,
        p50_ns=sum(medians_ns) / len(medians_ns) if medians_ns else None,
        failure=failure,
        launch_p50_ns=tuple(medians_ns),
    )
    found = {"p50": of_launches(medians_ns, "no launch succeeded"), **figures}
    return Measured(which, row, found, {**FACTS, **(facts or {})})


def side(name: str, *cases: Measured, **fields: Any) -> Side:
    """A side of one run."""
    return Side(name, (header(name, **fields),), {one.case.id: one for one in cases})


def compared(a: Side, b: Side, **wish: Any) -> Comparison:
    """Both, judged."""
    return judge(a, b, Wish(**wish))


def pair(a: Measured, b: Measured, **wish: Any) -> Comparison:
    """One case on both sides."""
    return compared(side("before", a), side("after", b), **wish)


def everything() -> Comparison:
    """All that can happen: slower, faster, the same, modes, a failure, obstacles, cases that are alone."""
    score = {n: Figure(100 * n / 360, score=(n, 360)) for n in (359, 300)}
    weight = {n: Figure(float(n)) for n in (84_529, 21_000)}
    scope = "rapl.package, cpu package, counter"
    joules = {f"energy:{scope}": replace(of_launches(launches(0.0012), ""), scope=scope)}
    modes = (1.0, 1.001, 1.2, 1.201, 1.202)
    image = {"image": f"sha256:{'2' * 64}", "runtime": "1.32.0"}
    plain, slow, shown = case(), case("tflite"), case("pytorch", mode="eager")
    moded, lost, moved = case("pytorch", mode="aot"), case("armnn"), case("tensorrt")
    memory = of_launches(launches(200 * 2**20), "")
    fewer = of_launches(launches(150 * 2**20), "")
    a = side(
        "results/before",
        measured(plain, launches(38.2e6), accuracy=score[359], process_memory=memory, **joules),
        measured(slow, launches(95.3e6), bytes=weight[84_529], process_memory=memory),
        measured(shown, launches(71.9e6), accuracy=score[359]),
        measured(moded, launches(66.1e6, modes)),
        measured(lost, launches(50e6)),
        measured(moved, launches(9e6)),
        measured(case("tensorrt", "digits-cnn"), launches(1e5)),
    )
    b = side(
        "results/after|1",
        measured(plain, launches(38.3e6), image, accuracy=score[359], process_memory=memory, **joules),
        measured(slow, launches(110e6), image, bytes=weight[21_000], process_memory=fewer),
        measured(shown, launches(60e6), image, accuracy=score[300]),
        measured(moded, launches(66.1e6, modes[2:] + modes[:2]), image),
        measured(lost, (), image),
        measured(moved, launches(8e6), {**image, "kernel": "6.6.2", "governor": None}),
        measured(case("armnn", "digits-cnn"), launches(1e5)),
        created_utc="2026-11-21T08:00:00+00:00",
    )
    return compared(a, b)
