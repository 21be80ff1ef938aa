"""From wishes to trials: order, names, skips, and the fingerprint that decides about resuming."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain import Case, InferometerError, Skip, Trial
from orchestrator.plan import (
    FULL,
    QUICK,
    Plan,
    Settings,
    Wish,
    expand,
    expected_run_s,
    expected_s,
    interleave,
    known,
    lengthened,
    sift,
    sustained,
    to_json,
)

words = st.text("abcdefgh-", min_size=1, max_size=6)
cases = st.builds(
    Case,
    st.just("board"),
    st.sampled_from(["alpha", "beta"]),
    words,
    st.sampled_from(["nq", "fiq"]),
    st.integers(1, 8),
    st.integers(1, 4),
    st.dictionaries(words, words, max_size=2).map(lambda options: tuple(sorted(options.items()))),
)
case_sets = st.lists(cases, min_size=1, max_size=12, unique_by=lambda case: case.id)


@given(case_sets, st.integers(1, 7), st.integers(0, 2**32))
def test_each_round_launches_every_case_once(cases: list[Case], launches: int, seed: int) -> None:
    trials = interleave(cases, launches, seed)
    assert len(trials) == len(cases) * launches
    assert len({trial.id for trial in trials}) == len(trials)
    for number in range(launches):
        ring = trials[number * len(cases) : (number + 1) * len(cases)]
        assert {trial.case for trial in ring} == set(cases)
        assert {trial.launch for trial in ring} == {number}


@given(case_sets, st.integers(1, 5), st.integers(0, 2**32), st.randoms())
def test_the_order_depends_on_the_seed_alone(cases: list[Case], launches: int, seed: int, other: Any) -> None:
    shuffled = list(cases)
    other.shuffle(shuffled)
    assert interleave(shuffled, launches, seed) == interleave(cases, launches, seed)


def test_another_seed_gives_another_order_and_so_does_the_next_round() -> None:
    many = [Case("board", "alpha", f"model-{number}") for number in range(20)]
    orders = {interleave(many, 2, seed) for seed in range(10)}
    assert len(orders) == 10
    trials = interleave(many, 2, 0)
    assert [t.case for t in trials[:20]] != [t.case for t in trials[20:]]


def test_every_place_in_a_round_is_equally_likely() -> None:
    """Drift must hit all cases alike: no case may come first or last more often than by chance."""
    many = [Case("board", "alpha", f"model-{number}") for number in range(4)]
    firsts = Counter(interleave(many, 1, seed)[0].case.model for seed in range(4000))
    assert set(firsts) == {case.model for case in many}
    assert all(850 < count < 1150 for count in firsts.values())  # 1000 +- 5 standard deviations


def test_known_returns_what_was_wanted() -> None:
    assert known("device", ["b", "a"], ["a", "b", "c"]) == ("b", "a")
    assert known("device", [], ["a"]) == ()


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("resnet5", "resnet50"),
        ("Resnet50", "resnet50"),
        ("mobilenetv2", "mobilenet-v2"),
        ("digits", "digits-cnn"),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(wanted: str, near: str) -> None:
    with pytest.raises(InferometerError) as caught:
        known("model", [wanted], ["digits-cnn", "mobilenet-v2", "resnet50"])
    message = str(caught.value)
    assert message == (
        f"unknown model {wanted!r}. Did you mean {near}? Known: digits-cnn, mobilenet-v2, resnet50."
    )


def test_a_name_near_to_none_gets_the_list_only() -> None:
    with pytest.raises(InferometerError, match=r"^unknown model 'qqqq'\. Known: resnet50\.$"):
        known("model", ["qqqq"], ["resnet50"])


@given(st.text(), st.lists(st.text(), min_size=1, max_size=5))
def test_known_answers_or_refuses_in_one_line(wanted: str, existing: list[str]) -> None:
    if wanted in existing:
        assert known("model", [wanted], existing) == (wanted,)
    else:
        with pytest.raises(InferometerError, match="unknown model"):
            known("model", [wanted], existing)


def test_expand_combines_everything() -> None:
    wish = Wish("board", threads=(1, 2), batches=(1, 8))
    found = expand(
        wish,
        ["m", "n"],
        ["nq"],
        {"alpha": {}, "beta": {"mode": ("eager", "aot"), "xnn": ("on",)}},
        {"alpha": ("cpu", "cuda"), "beta": ("cpu",)},
    )
    assert len(found) == len(set(found)) == 2 * 2 * 2 * (2 + 2)
    assert Case("board", "beta", "n", "nq", 8, 2, (("mode", "aot"), ("xnn", "on"))) in found
    assert Case("board", "alpha", "n", "nq", 8, 2, (), "cuda") in found
    assert Case("board", "alpha", "m", "nq", 1, 1) in found


def test_expand_defaults_to_one_thread_and_batch_one() -> None:
    assert expand(Wish("board"), ["m"], ["nq"], {"alpha": {}}, {"alpha": ("cpu",)}) == [
        Case("board", "alpha", "m")
    ]


def test_sift_gives_the_first_obstacle_as_the_reason() -> None:
    small, large, odd = (Case("board", "alpha", name) for name in ("small", "large", "odd"))
    kept, skips = sift(
        [small, large, odd],
        [
            lambda case: "too large" if case is large else None,
            lambda case: "not small" if case is not small else None,
        ],
    )
    assert kept == [small]
    assert skips == [Skip(large, "too large"), Skip(odd, "not small")]


@given(case_sets, st.sets(st.integers(0, 11)))
def test_sift_loses_no_case(cases: list[Case], bad: set[int]) -> None:
    refused = {case for number, case in enumerate(cases) if number in bad}
    kept, skips = sift(cases, [lambda case: "no" if case in refused else None])
    assert set(kept) | {skip.case for skip in skips} == set(cases)
    assert {skip.case for skip in skips} == refused


def plan_of(
    cases: list[Case], seed: int = 0, settings: Settings = QUICK, skips: tuple[Skip, ...] = ()
) -> Plan:
    return Plan(Wish("board", seed=seed), settings, interleave(cases, settings.launches, seed), skips)


@given(case_sets)
def test_the_fingerprint_is_that_of_the_cases_not_of_their_order_or_skips(cases: list[Case]) -> None:
    plan = plan_of(cases)
    turned = replace(plan, trials=plan.trials[::-1], skips=(Skip(cases[0], "reason"),))
    assert turned.fingerprint() == plan.fingerprint()


def test_the_fingerprint_changes_with_everything_that_is_measured() -> None:
    cases = [Case("board", "alpha", "m")]
    plans = [plan_of(cases), plan_of(cases, seed=1), plan_of(cases, settings=FULL)]
    plans += [plan_of([replace(cases[0], threads=2)]), plan_of([*cases, Case("board", "beta", "m")])]
    for field in fields(Settings):
        value = getattr(QUICK, field.name)
        plans.append(replace(plans[0], settings=replace(QUICK, **{field.name: not value or value + 1})))
    assert len({plan.fingerprint() for plan in plans}) == len(plans)


def test_the_fingerprint_is_of_what_was_asked_for_not_of_what_answered() -> None:
    plan = plan_of([Case("board", "alpha", "m")])
    longer = replace(plan, settings=lengthened(QUICK, 10**12, 10**12), asked=QUICK)
    assert longer.fingerprint() == plan.fingerprint()
    for wish in (replace(plan.wish, energy=True), replace(plan.wish, meters=("http://192.0.2.1",))):
        assert replace(plan, wish=wish).fingerprint() != plan.fingerprint()


def test_the_fingerprint_stays_what_it_was() -> None:
    """A run begun by one process is resumed by the next: the value may not depend on the process."""
    plan = plan_of([Case("board", "alpha", "m", options=(("mode", "eager"),))])
    again = Plan(plan.wish, plan.settings, plan.trials, plan.skips)
    assert plan.fingerprint() == again.fingerprint()
    assert len(plan.fingerprint()) == 64


@given(cases, st.integers(0, 99))
def test_a_case_round_trips_through_json(case: Case, launch: int) -> None:
    assert Case.from_json(json.loads(json.dumps(case.to_json()))) == case
    assert Trial(case, launch).id == f"{case.id}#{launch}"


def test_a_plan_as_json_names_trials_in_order_and_skips_with_reasons() -> None:
    cases = [Case("board", "alpha", "m"), Case("board", "beta", "m")]
    plan = plan_of(cases, skips=(Skip(Case("board", "gamma", "m"), "no such thing"),))
    document = json.loads(json.dumps(to_json(plan)))
    assert document["fingerprint"] == plan.fingerprint()
    assert [Trial(Case.from_json(t["case"]), t["launch"]) for t in document["trials"]] == list(plan.trials)
    assert [skip["reason"] for skip in document["skips"]] == ["no such thing"]


def test_the_expected_time_holds_the_window_and_the_idle_time() -> None:
    assert expected_s(FULL) > (FULL.min_duration_ns + FULL.idle_ns) / 1e9
    assert expected_s(QUICK) < expected_s(FULL)


def test_a_long_window_has_no_longer_warm_up() -> None:
    assert expected_s(lengthened(FULL, 315_000_000_000, 0)) < 315 + 0.3 * 5 + FULL.idle_ns / 5e8 + 4


def test_the_expected_time_of_a_run_holds_the_observer_launch() -> None:
    plan = plan_of([Case("board", "alpha", "m")])
    trials_s = len(plan.trials) * expected_s(QUICK)
    window_s = (QUICK.observer_rounds + 1) * 4 * QUICK.observer_block_ns / 1e9
    probe_s = 2 * QUICK.probe_ns / 1e9 + 3.0
    assert trials_s + window_s < expected_run_s(plan) - probe_s < trials_s + window_s + 5
    bare = plan_of([Case("board", "alpha", "m")], settings=replace(QUICK, probe_ns=0))
    assert expected_run_s(bare) == pytest.approx(expected_run_s(plan) - probe_s)
    driven = replace(plan, settings=replace(QUICK, loadgen="Offline"))
    assert expected_run_s(driven) > expected_run_s(plan) + QUICK.loadgen_ns / 1e9
    assert expected_run_s(plan_of([])) == 0
    without = plan_of([Case("board", "alpha", "m")], settings=replace(QUICK, observer_rounds=0, probe_ns=0))
    assert expected_run_s(without) == trials_s


def test_defaults_obey_the_rules_of_measurement() -> None:
    assert FULL.launches >= 5
    assert FULL.min_iterations >= 64  # enough for a p90
    assert QUICK.quick
    assert not FULL.quick


def test_a_sustained_run_is_another_plan() -> None:
    long = sustained(FULL, 1800)
    assert (long.launches, long.sustained_ns, long.observer_rounds) == (1, 1_800_000_000_000, 0)
    assert long.timeout_s > 1800
    short = replace(long, sustained_ns=0)
    assert Plan(Wish("x"), long, (), ()).fingerprint() != Plan(Wish("x"), short, (), ()).fingerprint()


def test_a_power_source_may_need_a_longer_window_than_was_asked_for() -> None:
    long = sustained(lengthened(FULL, 315_000_000_000, 157_500_000_000), 60)
    assert long.sustained_ns == long.min_duration_ns == 315_000_000_000
    assert long.idle_after_ns == 157_500_000_000
