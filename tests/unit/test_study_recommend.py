"""Who qualifies, the nearest miss, the Pareto set and the strategy, from tables whose answer is plain."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.cli import main
from orchestrator.domain import InferometerError
from orchestrator.study import strategy
from orchestrator.study.candidates import newest, of_summary, read
from orchestrator.study.limits import Candidate, Limits, misses
from orchestrator.study.recommend import advise, lines, to_json
from tests.support.results import document as run_document
from tests.support.studies import report


def candidate(variant: str, drop: float, size: int, ms: float, **fields: Any) -> Candidate:
    known: dict[str, Any] = {
        "model": "net", "variant": variant, "runtime": "tflite", "device": "board",
        "accuracy": 0.9 - drop / 100, "drop_points": drop,
        "bytes": size, "deflated_bytes": size, "latency_ns": ms * 1e6,
        "latency_high_ns": ms * 1.1e6, "memory_bytes": 10**7,
    }  # fmt: skip
    return Candidate(**{**known, **fields})


TABLE = [
    candidate("nq", 0.0, 8_000_000, 30.0),
    candidate("f16", 0.1, 4_000_000, 31.0),
    candidate("fiq", 0.6, 2_000_000, 10.0),
    candidate("prq", 0.9, 900_000, 12.0),
    candidate("fpr", 3.0, 1_500_000, 5.0),
]


def test_those_within_all_limits_qualify_fastest_first() -> None:
    advice = advise(TABLE, Limits(1, 5e6, 20e6))
    assert [one.variant for one in advice.qualifying] == ["fiq", "prq"]
    why = {one.variant: miss.text for one, miss in advice.refused}
    assert why["nq"] == "size 8 MB: 3 MB over 5 MB"
    assert why["f16"] == "latency 31 ms: 11 ms over 20 ms"
    assert why["fpr"] == "accuracy drop 3 points: 2 points over 1 points"
    assert advice.nearest is None


def test_the_pareto_set_does_not_depend_on_limits() -> None:
    for limits in (Limits(), Limits(0, 1, 1)):
        assert {one.variant for one in advise(TABLE, limits).pareto} == {"nq", "f16", "fiq", "prq", "fpr"}
    worse = candidate("blq", 0.7, 2_000_000, 11.0)
    assert "blq" not in {one.variant for one in advise([*TABLE, worse], Limits()).pareto}


def test_the_nearest_miss_is_the_one_that_fails_by_least() -> None:
    advice = advise(TABLE, Limits(1, 5e6, 9.5e6))
    assert advice.nearest is not None
    assert advice.nearest[0].variant == "fiq"
    assert advice.nearest[1].text == "latency 10 ms: 0.5 ms over 9.5 ms"


def test_a_runtime_that_nothing_was_measured_in_is_refused() -> None:
    with pytest.raises(InferometerError, match="unknown measured runtime 'tflit'. Did you mean tflite?"):
        advise(TABLE, Limits(), "tflit")


def test_what_lacks_a_figure_is_left_out_of_the_set_and_said() -> None:
    advice = advise([*TABLE, candidate("kd", 0, 1, 1, accuracy=None, drop_points=None)], Limits())
    assert [one.variant for one in advice.incomparable] == ["kd"]
    assert any("lack one of the three figures" in line for line in lines(advice, Limits()))


candidates = st.lists(
    st.builds(
        candidate, st.sampled_from(["nq", "fiq", "kd"]), st.floats(-2, 5), st.integers(1, 9), st.floats(1, 50)
    ),
    min_size=1,
    max_size=10,
)
limits = st.builds(
    Limits, st.none() | st.floats(0, 5), st.none() | st.floats(1, 9), st.none() | st.floats(1e6, 5e7)
)


@given(candidates, limits)
def test_everybody_qualifies_or_has_a_reason(table: list[Candidate], most: Limits) -> None:
    advice = advise(table, most)
    assert len(advice.qualifying) + len(advice.refused) == len(table)
    assert all(not misses(one, most) for one in advice.qualifying)
    assert (advice.nearest is None) == bool(advice.qualifying)
    json.dumps(to_json(advice, most), allow_nan=False)


@given(candidates)
def test_tighter_limits_never_let_more_in(table: list[Candidate]) -> None:
    loose, tight = advise(table, Limits(3, 8, 4e7)), advise(table, Limits(1, 4, 2e7))
    assert set(tight.qualifying) <= set(loose.qualifying)


def test_the_strategy_of_a_plain_table() -> None:
    found = {choice.service: choice.variant for choice in strategy.choose(TABLE)}
    # low: the smallest of those within 1 point; mid: the least size x latency; high: fpr is the fastest but
    # loses 3 points, so the next within the lowest third of latencies.
    assert found == {"low-end": "prq", "mid-end": "prq", "high-end": "fiq"}


def test_a_class_whose_budget_nobody_keeps_names_the_least_loss() -> None:
    lossy = [candidate("nq", 0, 9, 30), candidate("fiq", 4, 3, 10), candidate("fpr", 6, 2, 9)]
    found = {choice.service: choice for choice in strategy.choose(lossy)}
    assert found["low-end"].variant is None
    assert "loses more than 1 points" in str(found["low-end"].reason)


@given(candidates)
def test_a_chosen_technique_is_never_beyond_its_drop(table: list[Candidate]) -> None:
    for choice in strategy.choose(table):
        if choice.variant:
            drops = [one.drop_points for one in table if one.variant == choice.variant]
            assert min(drop for drop in drops if drop is not None) <= strategy.MOST_DROP_POINTS
        else:
            assert choice.reason


def write(folder: Path, document: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(document), "utf-8")
    return folder


def test_a_study_is_read_with_drops_in_the_same_runtime(tmp_path: Path) -> None:
    found = read(write(tmp_path / "study-two", report()))
    fiq = next(
        one for one in found if (one.model, one.variant, one.runtime) == ("alpha@cifar10", "fiq", "tflite")
    )
    assert fiq.drop_points == pytest.approx(-0.3)
    assert fiq.bytes == 1_000_000 and fiq.deflated_bytes == 900_000


def test_the_newest_study_is_taken(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match="holds no study yet"):
        newest(tmp_path)
    folder = write(tmp_path / "study-a", report())
    assert newest(tmp_path) == folder


def test_a_run_is_read_too() -> None:
    found = of_summary(run_document())
    assert any(one.accuracy is not None and one.drop_points == 0 for one in found)
    assert any(one.why for one in found)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("{", "no JSON"), ("[]", "is no study's"), ("{}", "is no study's"), ('{"study": 1}', "field schema")],
)
def test_a_broken_report_is_refused_in_one_line(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "report.json").write_text(content)
    with pytest.raises(InferometerError, match=complaint) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["recommend", *arguments])


def test_the_command_says_who_qualifies(tmp_path: Path) -> None:
    folder = write(tmp_path / "study-two", report())
    done = run(str(folder), "--max-accuracy-drop", "1", "--max-size", "2MB", "--max-latency", "20ms")
    assert done.exit_code == 0, done.output
    assert (
        "alpha@cifar10 fiq in tflite on x86: accuracy 90.8%, drop -0.3 points, 1 MB, 10.2 ms" in done.output
    )
    assert "Rule: Of the variants" in done.output


def test_nobody_qualifies_is_status_3_with_the_nearest(tmp_path: Path) -> None:
    folder = write(tmp_path / "study-two", report())
    done = run(str(folder), "--max-latency", "1us", "--json")
    assert done.exit_code == 3
    found = json.loads(done.stdout)
    assert found["qualifying"] == [] and found["nearest"]["variant"] == "fiq"


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--max-size", "5", "give a size like 5MB"),
        ("--max-latency", "20", "give a time like 20ms"),
        ("--max-memory", "1GBB", "give a size like"),
        ("--max-accuracy-drop", "nan", "give points from 0 to 100"),
        ("--runtime", "nothing", "unknown measured runtime"),
    ],
)
def test_a_slip_is_refused_in_one_line(tmp_path: Path, option: str, value: str, complaint: str) -> None:
    folder = write(tmp_path / "study-two", report())
    done = run(str(folder), option, value)
    assert done.exit_code == 2
    assert complaint in done.output and done.output.count("\n") == 1


def test_an_emulated_run_recommends_no_speed() -> None:
    document = run_document()
    assert any(one.latency_ns is not None for one in of_summary(document))
    for row in document["cases"]:
        row["emulated"] = True
    found = of_summary(document)
    assert {(one.latency_ns, one.latency_high_ns) for one in found} == {(None, None)}
    assert any(one.accuracy is not None for one in found)
