"""Conditions of a gate: how they are written, when they hold, and the exit status."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.compare.comparison import Comparison
from orchestrator.compare.condition import ask, exit_status, parse
from orchestrator.compare.metrics import Figure, of_launches
from orchestrator.domain import InferometerError
from tests.support.comparisons import compared, everything, launches, measured, pair, side
from tests.support.results import case

A = launches(1e6)


@pytest.mark.parametrize(
    ("text", "metric", "above", "limit"),
    [
        ("p50 > +5%", "p50", True, 0.05),
        ("p99>10", "p99", True, 0.1),
        (" Peak_Memory >+2 % ", "peak_memory", True, 0.02),
        ("accuracy < -0.5pp", "accuracy", False, -0.5),
        ("bytes > 0%", "bytes", True, 0.0),
        ("energy > 2.5%", "energy", True, 0.025),
        ("p50 < -3%", "p50", False, -0.03),
    ],
)
def test_conditions_are_read(text: str, metric: str, above: bool, limit: float) -> None:
    found = parse(text)
    assert (found.metric, found.above, found.limit) == (metric, above, pytest.approx(limit))
    assert found.text == text.strip()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no condition"),
        ("p50", 'is no condition; write it as "p50 > .5%"'),
        ("p50 >= 5%", "is no condition"),
        ("p50 > five", "is no condition"),
        ("p50 > 5 5%", "is no condition"),
        ("p50 > 5..%", "5.. is no number"),
        ("p55 > 5%", "Did you mean p50"),
        ("accuracy < -1%", "accuracy differs in points"),
        ("accuracy < -1", "accuracy differs in points"),
        ("p50 > 5pp", "only accuracy has pp"),
        ("p50 < -100%", "nothing can become less by 100 % or more"),
        (f"p50 > {'9' * 400}%", "too large"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InferometerError, match=complaint):
        parse(text)


def holds(text: str, comparison: Comparison, strict: bool = False) -> tuple[int, int]:
    """In how many cases it holds, of how many."""
    answer = ask(parse(text), comparison, strict)
    return len(answer.holds), answer.judged


def test_a_condition_holds_where_the_whole_interval_lies_beyond() -> None:
    found = pair(measured(case(), A), measured(case(), launches(1.06e6)))
    (one,) = found.cases
    assert one.p50.ratio and 1.04 < one.p50.ratio.low < 1.05 < one.p50.ratio.value
    assert holds("p50 > +4%", found) == (1, 1)
    assert holds("p50 > +5%", found) == (0, 1)
    assert holds("p50 > +5%", found, strict=True) == (1, 1)
    assert holds("p50 > +7%", found, strict=True) == (0, 1)
    assert holds("p50 < +8%", found) == (1, 1)


def test_the_number_of_cases_counts() -> None:
    """What holds by itself with p = 0.03 is no evidence among twenty."""
    wobbly = (0.97, 0.985, 1.0, 1.015, 1.03)
    cases = [case(batch=n) for n in range(1, 21)]
    a = side("a", *(measured(one, launches(1e6, wobbly)) for one in cases))
    b = side(
        "b", *(measured(one, launches(1.04e6 if n == 0 else 1e6, wobbly)) for n, one in enumerate(cases))
    )
    alone = side("a", *list(a.cases.values())[:1]), side("b", *list(b.cases.values())[:1])
    assert holds("p50 > 0%", compared(*alone)) == (1, 1)
    assert holds("p50 > 0%", compared(a, b)) == (0, 20)


def test_accuracy_files_and_modes() -> None:
    modes = (1.0, 1.001, 1.2, 1.201, 1.202)
    before = measured(
        case(), launches(1e6, modes), accuracy=Figure(0, score=(950, 1000)), bytes=Figure(100.0)
    )
    after = measured(case(), launches(2e6, modes), accuracy=Figure(0, score=(900, 1000)), bytes=Figure(101.0))
    found = pair(before, after)
    assert holds("accuracy < -0.5pp", found) == (1, 1)
    assert holds("accuracy < -4pp", found) == (0, 1)
    assert holds("accuracy < -4pp", found, strict=True) == (1, 1)
    assert holds("accuracy > 0pp", found) == (0, 1)
    assert holds("bytes > 0%", found) == (1, 1)
    assert holds("p50 > +50%", found) == (1, 1)
    assert holds("p50 > +70%", found) == (0, 1)  # fastest of B against slowest of A: +66 %


def test_a_figure_without_launches_is_judged_only_if_a_point_suffices() -> None:
    row = Figure(2.0, "a summary tells no single launches of it")
    found = pair(measured(case(), A, p99=Figure(1.0, "the same")), measured(case(), A, p99=row))
    answer = ask(parse("p99 > +10%"), found)
    assert (answer.judged, answer.unjudged[0][1]) == (0, "no interval: the same")
    assert holds("p99 > +10%", found, strict=True) == (1, 1)


def test_an_obstacle_is_none_the_less_one_if_a_point_suffices() -> None:
    found = pair(measured(case(), A), measured(case(), launches(2e6), {"kernel": "6.6.2"}))
    assert holds("p50 > +5%", found, strict=True) == (0, 0)


def test_what_b_skipped_and_a_measured_is_lost() -> None:
    other = case(model="mobilenet-v2")
    before = side("before", measured(case(), A), measured(other, A))
    after = side("after", measured(case(), A))
    assert holds("failed", compared(before, after)) == (0, 1)  # B was not asked for it
    told = compared(before, replace(after, skips={other.id: "its export failed"}))
    assert holds("failed", told) == (1, 2) and told.only_a == []
    (lost,) = (one for one in told.cases if one.pair.b.case == other)
    assert (lost.p50.verdict, lost.p50.remark) == (
        "not comparable",
        "unknown in B: failed: skipped: its export failed",
    )


def test_failed_asks_for_what_worked_before() -> None:
    assert holds("failed", everything()) == (1, 6)


@pytest.mark.parametrize(
    ("texts", "status"),
    [
        ([], 0),
        (["p50 > +50%"], 0),
        (["p50 > +5%"], 1),
        (["p50 > +50%", "p50 > +5%"], 1),
        (["p99 > +5%"], 125),
        (["p99 > +5%", "p50 > +50%"], 0),
        (["failed"], 1),
    ],
)
def test_the_exit_status(texts: list[str], status: int) -> None:
    found = everything()
    assert exit_status([ask(parse(text), found) for text in texts]) == status


def test_nothing_in_common_is_neither_good_nor_bad() -> None:
    alone = compared(side("a", measured(case(), A)), side("b", measured(case("tflite"), A)))
    assert exit_status([ask(parse(text), alone) for text in ("p50 > +5%", "failed")]) == 125


def test_several_sources_of_energy_are_one_case() -> None:
    scopes = ("rapl, cpu package, counter", "plug, wall, counter")
    before = {f"energy:{scope}": of_launches(launches(1.0), "") for scope in scopes}
    after = {f"energy:{scope}": of_launches(launches(1.2), "") for scope in scopes}
    assert holds("energy > +5%", pair(measured(case(), A, **before), measured(case(), A, **after))) == (1, 1)
