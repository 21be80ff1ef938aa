"""The page's data: what each row says, what is left out and that this is said."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.report.page import model, provenance
from tests.support import pages, results


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    document, tries = pages.run(launches=3, count=60)
    return model.build(document, tries, pages.header())


def row(made: dict[str, Any], case_id: str) -> dict[str, Any]:
    return next(row for row in made["rows"] if row["id"] == case_id)


NQ = "x86/onnxruntime/digits-cnn/nq/b1/t1"
FAILED = "x86/pytorch/mobilenet-v2/fiq/b1/t1/mode=aot"


def test_verdicts_are_counted_with_what_failed_and_what_was_skipped(made: dict[str, Any]) -> None:
    counts = made["verdicts"]
    assert counts["failed"] == 2 and counts["skipped"] == 4
    assert sum(counts[word] for word in model.VERDICTS) == len(made["rows"]) == 32


def test_a_row_has_its_launches_in_order_and_one_timeline(made: dict[str, Any]) -> None:
    found = row(made, NQ)
    assert [one["n"] for one in found["tries"]] == [0, 1, 2]
    assert all(len(one["q"]) == 60 for one in found["tries"])
    assert found["timeline"]["launch"] == 0 and found["timeline"]["sources"]


def test_a_failed_case_has_its_reason_and_no_figure(made: dict[str, Any]) -> None:
    found = row(made, FAILED)
    assert found["verdict"] == "failed" and found["failure"].startswith("oom: killed for lack of memory")
    assert "p50_ns" not in found and "timeline" not in found
    assert {one["reason"] for one in found["tries"]} == {"killed for lack of memory in phase load"}


def test_an_unknown_figure_has_the_reason_of_the_tables() -> None:
    document = results.document()
    found = row(model.build(document), "x86/tflite/resnet50/nq/b1/t1")
    texts = model.build(document)["texts"]
    assert texts[found["why"]["accuracy"]] == "no accuracy: weights are random(0)"
    assert "accuracy" not in found and "container_peak_bytes" in found["why"]


def test_what_newer_rooms_say_of_a_case_is_passed_on(made: dict[str, Any]) -> None:
    first = made["rows"][0]["id"]
    assert any(one.get("notes") for one in made["rows"]) and any(one.get("mlperf") for one in made["rows"])
    assert row(made, first)["roofline"]["bound"] in ("memory", "compute")
    assert made["runs"][0]["ceilings"] and made["curves"]


def test_a_document_without_what_newer_rooms_say_still_makes_a_page() -> None:
    made = model.build(results.document())
    assert made["curves"] == [] and made["citation"] is None and made["runs"][0]["ceilings"] == []


def test_scopes_of_energy_stay_apart(made: dict[str, Any]) -> None:
    energy = row(made, NQ)["energy"]
    assert [(one["source"], one["scope"]) for one in energy] == [
        ("board.power", "board_input"),
        ("pmic.soc", "cpu_package"),
    ]


def test_origin_names_digests_hashes_and_versions(made: dict[str, Any]) -> None:
    told = row(made, NQ)["provenance"]
    assert told["image"] == ["sha256:" + "0" * 64] and told["artifact SHA-256"] == ["a" * 64]
    assert told["version of runtime"] == ["1.31.1"] and told["executed on"] == [
        "CPUExecutionProvider (122 nodes)"
    ]


def test_what_differs_between_launches_is_told_as_several_values() -> None:
    records = [results.record(results.case(), n, [1000] * 9, cores=(n,)) for n in range(2)]
    assert provenance.of_case(records)["cores"] == ["0", "1"]


def test_the_command_asks_for_the_same_plan() -> None:
    assert provenance.command(pages.header()) == (
        "inferometer bench --device x86 --models resnet50 --threads 1,2 --option pytorch.mode=eager,aot "
        "--energy --launches 5 --seed 0"
    )


def test_the_command_has_scenario_extent_and_conditions() -> None:
    """What was asked for beside the defaults; without it the command would ask for another plan."""

    def told(wish: dict[str, Any], settings: dict[str, Any], **identity: Any) -> str:
        header = pages.header()
        plan = header["plan"]
        plan = {**plan, "wish": {**plan["wish"], **wish}, "settings": {**plan["settings"], **settings}}
        return provenance.command({**header, "plan": plan, "identity": {**header["identity"], **identity}})

    queries = told({"scenario": "multi-stream", "batches": [4]}, {"budget_s": 1200.0, "width": 0.01})
    assert "--scenario multi-stream --streams 4" in queries and "--batch" not in queries
    assert "--launches 5 --budget 1200s --width 1%" in queries
    assert "--batch 1,8 --option" in (off := told({"scenario": "offline", "batches": [1, 8]}, {}))
    assert "--scenario offline" in off and "--scenario" not in told({"scenario": "single-stream"}, {})
    long = told({}, {"sustained_ns": 1800 * 10**9, "launches": 1})
    assert "--sustained 1800s" in long and "--launches" not in long
    driven = told({}, {"loadgen": "Offline"}, forced="another", tuned={"turbo": "off", "swap": "off"})
    assert driven.endswith("--force --tune turbo=off,swap=off") and "--loadgen Offline" in driven
    assert told({"own": [["my", "ab"]]}, {}, emulated=True).count("--model FILE") == 1


def test_a_run_says_its_budget_its_scenario_and_what_it_repeats() -> None:
    head = {
        **pages.comparison()["runs"][0],
        "scenario": "offline",
        "budget": {"asked_s": 60, "spent_s": 58, "width": 0.02, "extended": {"a": 2}, "ended": "spent"},
        "reproduces": {"run": "first", "created_utc": "2026-11-20", "differs": []},
    }
    told = provenance.of_run(head, None)
    assert ["scenario", "offline"] in told["facts"]
    assert any(line.startswith("budget: 58 of 60 s") for line in told["lines"])
    assert any(line.startswith("reproduces first") for line in told["lines"])


def test_a_comparison_says_that_raw_data_is_elsewhere() -> None:
    made = model.build(pages.comparison())
    assert made["left_out"] == [model.NO_RAW] and len(made["runs"]) == 3
    assert {one["run"] for one in made["rows"]} == {0, 1, 2}
    assert not any("tries" in one for one in made["rows"])


def test_timelines_left_out_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "TIMELINES", 3)
    document, tries = pages.run(models=1, launches=1, count=60)
    made = model.build(document, tries, pages.header())
    assert sum("timeline" in one for one in made["rows"]) == 3
    assert "the first 3 of 8 cases" in made["left_out"][0]


def test_a_trial_newer_than_the_document_is_no_error() -> None:
    document, tries = pages.run(models=1, launches=1, count=60)
    document["cases"] = document["cases"][:2]
    assert len(model.build(document, tries, pages.header())["rows"]) == 2
