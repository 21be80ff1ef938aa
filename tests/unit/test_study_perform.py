"""Carrying out a study where exports fail: rows with reasons, a report all the same, nothing done twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator import exports
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.plan import QUICK
from orchestrator.study import perform, words
from orchestrator.study.perform import SIGN_OF_LIFE, Place, budget
from orchestrator.study.steps import Request, Step
from tests.support.schemas import check
from tests.support.studies import TEXT, path


class Listener:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)

    def trial_starts(self, *given: Any) -> None: ...

    def trial_ended(self, *given: Any) -> None: ...


def place(folder: Path, maker: Any) -> Place:
    catalog = Catalog(suite_root())
    device = catalog.devices()["x86"]
    return Place(catalog, folder / "cache", folder / "results", device, "process", maker)


def broken(step: Step, budget_s: float | None) -> Mapping[str, str]:
    raise InferometerError("no room for the exporter")


def test_a_study_whose_exports_all_fail_is_a_report_of_reasons(tmp_path: Path) -> None:
    said, steps = Listener(), path(tmp_path)
    where, document = perform.perform(place(tmp_path, broken), steps, Request(), said)
    check("study", document)
    assert {row["failure"] for row in document["rows"]} == {"no room for the exporter"}
    assert len(words.failures(document)) == len(steps.keys())
    assert "no room for the exporter" in (where / "report.md").read_text("utf-8")
    used = json.loads((where / "study.json").read_text("utf-8"))["used"]
    assert {item["reason"] for item in used["exports"]} == {"no room for the exporter"}
    assert document["gains"][0]["verdict"].startswith("no verdict: 0 pairs")


def test_an_interrupted_study_goes_on_in_its_folder(tmp_path: Path) -> None:
    def interrupted(step: Step, budget_s: float | None) -> Mapping[str, str]:
        raise KeyboardInterrupt

    steps = path(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        perform.perform(place(tmp_path, interrupted), steps, Request(), Listener())
    (begun,) = (tmp_path / "results").iterdir()
    where, _ = perform.perform(place(tmp_path, broken), steps, Request(), Listener())
    assert where == begun


def test_what_is_there_from_before_does_not_fail_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ensure_all(*given: Any) -> Mapping[str, str]:
        raise InferometerError("no room for the exporter")

    monkeypatch.setattr(exports, "ensure_all", ensure_all)
    export = perform.maker(Catalog(suite_root()), tmp_path, "process", lambda text: None)
    # The digits ship with the suite.
    assert export(Step("digits-cnn", ("nq", "kd")), None) == {"kd": "no room for the exporter"}


def test_of_a_budget_the_bench_keeps_at_most_half(tmp_path: Path) -> None:
    device = place(tmp_path, broken).device
    whole, smoke = path(tmp_path), path(tmp_path, "smoke")
    assert budget(whole, device, None)[1] is None
    settings, left_s = budget(whole, device, 600.0)
    assert settings == QUICK and left_s is not None and 300 <= left_s < 600
    settings, left_s = budget(whole, device, 86400.0)
    assert not settings.quick and left_s is not None and left_s > 43200
    assert budget(smoke, device, 600.0)[0] == SIGN_OF_LIFE


def test_a_smoke_run_spares_a_runtime_what_takes_it_long(tmp_path: Path) -> None:
    text = TEXT.replace("[smoke]\n", "[smoke]\nonly = {onnxruntime = ['nq', 'kd']}\n", 1)
    whole, smoke = path(tmp_path, None, text), path(tmp_path, "smoke", text)
    assert perform.spared(whole) == ()
    assert [pair for pair, _ in perform.spared(smoke)] == [("onnxruntime", "fiq"), ("onnxruntime", "wcl")]
