"""Scenarios from the command line to the plan, and their figures in reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest

from orchestrator import cases, scaling
from orchestrator.catalog import Catalog, suite_root
from orchestrator.cli.bench import plan
from orchestrator.cli.perform import order_of
from orchestrator.domain import InferometerError, Quantile
from orchestrator.explain import explained as explain
from orchestrator.plan import FULL
from orchestrator.report import explained, markdown, notes
from orchestrator.report.table import content
from tests.support.explained import NO_INSTRUCTIONS, ceiling, document, row

CATALOG = Catalog(suite_root())


def ordered(*words: str) -> cases.Order:
    """The order that these words are."""
    return order_of(plan.make_context("plan", list(words)).params, CATALOG.runtimes())


@pytest.mark.parametrize(
    ("words", "name", "batches"),
    [
        ([], "single-stream", ()),
        (["--batch", "1"], "single-stream", (1,)),
        (["--scenario", "single-stream"], "single-stream", ()),
        (["--batch", "1,8"], None, (1, 8)),
        (["--scenario", "offline"], "offline", (1, 2, 4, 8, 16, 32)),
        (["--scenario", "offline", "--batch", "1,16"], "offline", (1, 16)),
        (["--scenario", "multi-stream"], "multi-stream", (8,)),
        (["--scenario", "multi-stream", "--streams", "3"], "multi-stream", (3,)),
    ],
)
def test_a_scenario_is_batches_with_a_name(
    words: list[str], name: str | None, batches: tuple[int, ...]
) -> None:
    wish = ordered(*words).wish
    assert (wish.scenario, wish.batches) == (name, batches)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--streams", "4"], "--streams is for --scenario multi-stream"),
        (["--scenario", "offline", "--streams", "4"], "--streams is for"),
        (["--scenario", "multi-stream", "--batch", "8"], "a multi-stream query has --streams inputs"),
        (["--scenario", "single-stream", "--batch", "1,8"], "single-stream has batch 1"),
    ],
)
def test_wishes_that_contradict_each_other_are_refused(words: list[str], told: str) -> None:
    with pytest.raises(InferometerError, match=told):
        ordered(*words)


def test_the_command_line_knows_every_scenario() -> None:
    (option,) = [option for option in plan.params if option.name == "scenario"]
    assert isinstance(option.type, click.Choice) and tuple(option.type.choices) == scaling.SCENARIOS


def test_queries_are_as_many_as_their_p99_needs(tmp_path: Path) -> None:
    assert scaling.least_queries(5) == 133 and scaling.least_queries(1) == 662
    device = CATALOG.device("x86")
    for launches in (5, 10):
        order = ordered("--scenario", "multi-stream", "--launches", str(launches))
        settings = cases.settings_of(order, device)
        assert settings.min_iterations * launches >= 662 > (settings.min_iterations - 1) * launches
    whole = cases.settings_of(ordered("--scenario", "offline"), device)
    assert whole.min_iterations == FULL.min_iterations
    quick = cases.settings_of(ordered("--scenario", "multi-stream", "--quick"), device)
    assert quick.min_iterations * quick.launches >= 662


@pytest.mark.parametrize(("words", "mixed"), [(["--scenario", "offline"], True), ([], False)])
def test_an_offline_curve_s_points_share_every_round(tmp_path: Path, words: list[str], mixed: bool) -> None:
    """Batch 1 ships with the suite, batch 2 has to be exported: elsewhere it waits until the rest is done."""
    asked = ["--models", "digits-cnn", "--runtimes", "onnxruntime", "--batch", "1,2"]
    order = ordered(*asked, "--accelerators", "cpu", "--launches", "3", *words)
    planned = cases.make_plan(CATALOG, tmp_path, order, CATALOG.device("x86"), "docker", {}, 4)
    rounds = [{trial.case.batch for trial in planned.trials[n : n + 2]} for n in (0, 2, 4)]
    assert (rounds == [{1, 2}] * 3) is mixed


def test_reports_show_what_was_explained() -> None:
    rows = [row("fiq", 36e6), row("nq", 30e6), row(p50_ns=50e6, threads=2), row("fiq", 1e6, model="vgg16")]
    made = explain(document(*rows, processor=NO_INSTRUCTIONS, ceilings=[ceiling()]))
    text = markdown.render(made)
    assert "### Explained" in text and "int8 (fiq) is slower than nq here" in text
    assert "### Limits" in text and "20.00 GFLOP/s, 29% of at most 70.00 (limited by compute" in text
    assert "### Scaling" in text and "over threads: 1 33.33/s, 2 20.00/s (median x 0.60)" in text
    assert "### Queries" not in text
    bare = markdown.render(document(row("nq")))
    assert not any(title in bare for title in ("Explained", "Limits", "Scaling", "Queries"))


def test_findings_are_not_told_twice() -> None:
    made = explain(document(row(findings=("noisy_neighbour",))))
    assert made["cases"][0]["notes"] and "### Explained" not in markdown.render(made)


def test_many_rows_with_one_note_are_counted() -> None:
    rows = [
        row(variant, p50, model=f"m{n}") for n in range(10) for variant, p50 in (("fiq", 4e7), ("nq", 3e7))
    ]
    lines = explained.note_lines(content(explain(document(*rows, processor=NO_INSTRUCTIONS))))
    assert len(lines) == notes.LISTED + 1
    assert lines[-1] == "2 more rows with int8_not_faster (see inferometer explain)"


def test_a_multi_stream_run_leads_with_its_p99() -> None:
    query = replace(row(batch=8), p99=Quantile(41.5e6))
    few = replace(row(batch=8, model="vgg16"), p99=Quantile(None, "n too small: 60 of 662"))
    text = markdown.render(document(query, few, scenario="multi-stream"))
    assert "multi-stream" in text.splitlines()[0]
    assert "p99 of a query of 8 inputs 41.50 ms, 500 queries" in text
    assert "p99 of a query of 8 inputs unknown, n too small: 60 of 662" in text
    assert "of a query of" not in markdown.render(document(query, scenario="offline"))


def test_cases_are_found_by_a_part_of_their_id() -> None:
    made = explain(document(row("fiq", 36e6), row("nq", 30e6), processor=NO_INSTRUCTIONS))
    (found,) = explained.of_cases(made, "/fiq/")
    assert found["case"] == "x86/onnxruntime/mobilenet-v2/fiq/b1/t1"
    lines = explained.case_lines(found)
    assert lines[1].startswith("  limit unknown: peak and bandwidth")
    assert "int8_not_faster: int8 (fiq) is slower" in lines[2] and "[ratio 1.2, " in lines[2]
    with pytest.raises(InferometerError, match="no case of this run has it in its id; there are x86/onnx"):
        explained.of_cases(made, "resnet")
    (failed,) = explained.of_cases(explain(document(row(p50_ns=None))), "")
    assert explained.case_lines(failed)[1] == "  no limit is known"


@pytest.mark.parametrize("roof", [[1], {"bend": 1}])
def test_a_limit_that_is_none_is_named(roof: object) -> None:
    made = document(row())
    made["cases"][0]["roofline"] = roof
    with pytest.raises(InferometerError, match="not a summary of this version"):
        explained.of_cases(made, "")
