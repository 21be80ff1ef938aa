"""Verdicts, obstacles and pairs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.compare import Wish
from orchestrator.compare.condition import ask, parse
from orchestrator.compare.judgement import look
from orchestrator.compare.metrics import BY_NAME, Figure, of_launches
from orchestrator.compare.moded import judge, separation
from orchestrator.compare.words import headline
from orchestrator.domain import InferometerError
from tests.support.comparisons import compared, launches, measured, pair, side
from tests.support.results import case

A = launches(1e6)


def p50(*b: float, least: float = 0.01, a: tuple[float, ...] = A) -> tuple[str, str | None]:
    judged = judge(BY_NAME["p50"], of_launches(a, ""), of_launches(b, ""), least)
    return judged.verdict, judged.remark


def test_the_four_answers_of_a_ratio() -> None:
    assert p50(*launches(1.1e6)) == ("slower", None)
    assert p50(*launches(0.9e6)) == ("faster", None)
    assert p50(*launches(1.0e6, (0.9, 0.95, 1.0, 1.05, 1.1))) == (
        "no difference",
        "up to 10 % may hide in the scatter",
    )
    assert p50(*launches(1.001e6, (0.999, 1.0, 1.001, 1.0, 1.0)), a=launches(1e6, (0.999, 1.0, 1.001))) == (
        "no difference",
        "equal within 1 %",
    )


def test_a_difference_below_the_least_is_none() -> None:
    tight = (0.9999, 1.0, 1.0001, 1.0002, 0.9998)
    a, b = launches(1e6, tight), launches(1.005e6, tight)
    assert p50(*b, a=a) == ("no difference", "a difference, but not shown to reach 1 %")
    assert p50(*b, a=a, least=0.001) == ("slower", None)
    assert p50(*b, a=a, least=0.0) == ("slower", None)


def test_both_tests_must_agree() -> None:
    """Four of five launches in order: a t interval beyond 1, but ranks that chance gives too."""
    a = launches(1e6, (1.0, 1.0001, 0.9999, 1.0002, 1.031))
    b = launches(1.03e6, (1.0, 1.0001, 0.9999, 1.0002, 0.9998))
    judged = look(BY_NAME["p50"], of_launches(a, ""), of_launches(b, ""), 0.0)
    assert judged.verdict == "no difference"
    assert judged.ratio and judged.ratio.low > 1 and judged.rank_p and judged.rank_p > 0.05
    assert judged.remark == "the interval lies beyond, but the order of the launches may be chance"


def test_three_launches_are_judged_by_the_interval_alone() -> None:
    few = (0.995, 1.0, 1.005)
    judged = judge(
        BY_NAME["p50"], of_launches(launches(1e6, few), ""), of_launches(launches(1.1e6, few), ""), 0.01
    )
    assert (judged.verdict, judged.rank_p) == ("slower", None)


def test_one_launch_cannot_be_compared() -> None:
    verdict, remark = p50(1e6)
    assert verdict == "not comparable"
    assert remark == "an interval needs 2 launches on both sides, one has 1"


MODES = (1.0, 1.001, 1.2, 1.201, 1.202)


def test_modes_are_compared_in_words_and_without_an_interval() -> None:
    a, b = launches(10e6, MODES), launches(10e6, (1.0, 1.001, 1.002, 1.2, 1.201))
    judged = judge(BY_NAME["p50"], of_launches(a, ""), of_launches(b, ""), 0.01)
    assert (judged.verdict, judged.ratio) == ("no difference", None)
    assert judged.remark == (
        "modes: 2 of 5 launches at 10 ms and 3 of 5 launches at 12 ms in A; "
        "3 of 5 launches at 10 ms and 2 of 5 launches at 12 ms in B; "
        "the same modes, whose shares so few launches cannot tell apart"
    )


def test_a_mode_of_one_side_alone_is_named() -> None:
    _, remark = p50(*launches(1e6, MODES))
    assert remark and remark.endswith("; that at 1.2 ms is in B alone")
    _, remark = p50(*A, a=launches(1e6, MODES))
    assert remark and remark.endswith("; that at 1.2 ms is in A alone")


def test_modes_that_all_moved_are_a_difference() -> None:
    assert p50(*launches(2e6, MODES), a=launches(1e6, MODES))[0] == "slower"
    assert p50(*launches(1e6, MODES), a=launches(2e6, MODES))[0] == "faster"
    assert separation([1.0, 2.0], [3.0, 4.0]) == pytest.approx(0.5)
    assert separation([3.0, 4.0], [1.0, 2.0]) == pytest.approx(-1 / 3)
    assert separation([1.0, 3.0], [2.0, 4.0]) is None


def test_modes_that_moved_far_are_a_difference_among_many_cases() -> None:
    names = [f"net-{number}" for number in range(20)]
    before = side("A", *(measured(case(model=name), launches(1e6, MODES)) for name in names))
    slow = measured(case(model=names[0]), launches(2e6, MODES))
    after = side("B", slow, *(measured(case(model=name), launches(1e6, MODES)) for name in names[1:]))
    comparison = compared(before, after)
    assert headline(comparison) == "20 cases: 1 slower, 19 no difference"
    assert [len(ask(parse(text), comparison).holds) for text in ("p50 > +5%", "p50 < -5%")] == [1, 0]


@pytest.mark.parametrize(
    ("field", "b", "words"),
    [
        ("kernel", "6.6.2", "kernel 6.1.0 / 6.6.2"),
        ("governor", "powersave", "governor performance / powersave"),
        ("machine", "f" * 64, "machine 000000000000 / ffffffffffff"),
        ("emulated", "yes", "emulated no / yes"),
        ("engine", "process", "engine docker / process"),
        ("cores", "0", "cores 3 / 0"),
        ("artifact", "b" * 64, "artifact aaaaaaaaaaaa / bbbbbbbbbbbb"),
        ("settings", "quick, min_duration_ns 5000000000", "settings full / quick"),
    ],
)
def test_an_obstacle_is_named_with_both_values(field: str, b: str, words: str) -> None:
    before, after = measured(case(), A), measured(case(), launches(2e6), {field: b})
    (found,) = pair(before, after).cases
    assert (found.p50.verdict, found.p50.remark) == ("not comparable", words)
    (allowed,) = pair(before, after, allow=frozenset({field})).cases
    assert allowed.p50.verdict == "slower"
    assert [one.words() for one in allowed.differing] == [words]


def test_subjects_are_told_and_hinder_where_they_must_be_the_same() -> None:
    before = measured(case(), A)
    after = measured(case(), launches(2e6), {"image": f"sha256:{'2' * 64}", "runtime": "1.32.0"})
    (found,) = pair(before, after).cases
    assert found.p50.verdict == "slower"
    assert [one.words() for one in found.differing] == [
        "image sha256:111111111111 / sha256:222222222222",
        "runtime 1.31.1 / 1.32.0",
    ]
    (same,) = pair(before, after, same=frozenset({"image"})).cases
    assert same.p50.remark == "image sha256:111111111111 / sha256:222222222222"


def test_what_one_side_does_not_know_hinders_nothing_and_is_told() -> None:
    (found,) = pair(measured(case(), A), measured(case(), A, {"governor": None})).cases
    assert found.p50.verdict == "no difference"
    assert [one.words() for one in found.unknown] == ["governor performance / unknown"]


def test_an_invalid_row_is_not_comparable_unless_allowed() -> None:
    before, after = measured(case(), A), measured(case(), launches(2e6), invalid="throttled")
    (found,) = pair(before, after).cases
    assert found.p50.remark == "invalid in B: throttled"
    (allowed,) = pair(before, after, allow=frozenset({"invalid"})).cases
    assert allowed.p50.verdict == "slower"


def test_a_failed_case_says_how_it_failed() -> None:
    (found,) = pair(measured(case(), A), measured(case())).cases
    assert found.p50.remark == "unknown in B: failed: oom: killed for lack of memory"
    assert found.lost


def test_files_are_compared_whatever_the_machine() -> None:
    before = measured(case(), A, bytes=Figure(1000.0), accuracy=Figure(90.0, score=(900, 1000)))
    after = measured(
        case(), A, {"kernel": "x"}, bytes=Figure(1001.0), accuracy=Figure(70.0, score=(700, 1000))
    )
    (found,) = pair(before, after).cases
    assert found.p50.verdict == "not comparable"
    assert found.metrics["bytes"].verdict == "more"
    assert (found.metrics["accuracy"].verdict, found.metrics["accuracy"].remark) == (
        "worse",
        "-200 of 1000 inputs right",
    )


def test_accuracies_on_other_inputs_are_not_compared() -> None:
    before = measured(case(), A, accuracy=Figure(90.0, score=(9, 10)))
    after = measured(case(), A, accuracy=Figure(90.0, score=(90, 100)))
    (found,) = pair(before, after).cases
    assert found.metrics["accuracy"].remark == "other inputs: 10 in A, 100 in B"


def test_joules_of_another_scope_are_not_compared() -> None:
    def joules(scope: str) -> dict[str, Figure]:
        return {f"energy:{scope}": replace(of_launches(launches(0.5), ""), scope=scope)}

    wall, package = "plug, wall, counter", "rapl, cpu package, counter"
    (found,) = pair(measured(case(), A, **joules(wall)), measured(case(), A, **joules(package))).cases
    assert found.metrics[f"energy:{wall}"].remark == f"unknown in B: other sources there: {package}"
    (found,) = pair(measured(case(), A, **joules(wall)), measured(case(), A, **joules(wall))).cases
    assert found.metrics[f"energy:{wall}"].verdict == "no difference"


def test_a_case_without_an_equal_meets_its_nearest() -> None:
    (found,) = pair(measured(case(), A), measured(case(threads=2), A, {"threads": "2"})).cases
    assert found.p50.remark == "threads 1 / 2"
    (found,) = pair(measured(case(), A), measured(case(device="rpi5"), A, {"device": "rpi5"})).cases
    assert found.p50.remark == "device x86 / rpi5"


def test_cases_that_are_alone_are_listed() -> None:
    one, other, both = case("tflite"), case("pytorch", mode="eager"), case()
    found = compared(
        side("a", measured(one, A), measured(both, A)), side("b", measured(other, A), measured(both, A))
    )
    assert [item.pair.b.case for item in found.cases] == [both]
    assert ([m.case for m in found.only_a], [m.case for m in found.only_b]) == ([one], [other])


def test_unknown_fields_are_refused_with_the_nearest() -> None:
    with pytest.raises(InferometerError, match=r"unknown field of --allow 'kernle'\. Did you mean kernel\?"):
        Wish(allow=frozenset({"kernle"})).check()
    with pytest.raises(InferometerError, match="unknown field of --same"):
        Wish(same=frozenset({"invalid"})).check()


def test_no_metric_of_time_has_an_interval_over_modes() -> None:
    mean = of_launches(launches(1e6, MODES), "")
    (found,) = pair(
        measured(case(), A, mean=mean, load=mean), measured(case(), A, mean=mean, load=mean)
    ).cases
    for name in ("mean", "load"):
        assert (found.metrics[name].verdict, found.metrics[name].ratio) == ("no difference", None)
