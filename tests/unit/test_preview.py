"""``inferometer plan``: what power sources do to the minutes that it tells."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import pytest

from orchestrator import choices
from orchestrator.catalog import Catalog, suite_root
from orchestrator.cli.bench import plan
from orchestrator.cli.perform import order_of, preview
from orchestrator.domain import InferometerError
from orchestrator.engines import observer
from orchestrator.engines.place import here

PLUG = "http://192.0.2.1"
WORDS = ("--device", "x86", "--force", "--engine", "process", "--runtimes", "fake", "--models", "digits-cnn")


def previewed(*words: str) -> tuple[float, list[str]]:
    """Minutes told, and all lines."""
    planned, lines = preview(plan.make_context("plan", [*WORDS, *words]).params)
    match = re.search(r"about (\d+) min", lines[-1])
    assert match and len(planned.trials) == 5
    return float(match[1]), lines


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine has RAPL and a plug."""

    def sense(sources: Sequence[str]) -> list[dict[str, Any]]:
        names = {source.partition("=")[0].partition("@")[0] for source in sources} & {"rapl", "shelly"}
        line = {"type": "reading", "unit": "w", "value": 5.0, "reason": None, "t0_ns": 0, "t1_ns": 10**6}
        return [{**line, "source": f"{name}.x"} for name in names]

    monkeypatch.setattr(observer, "sense", sense)


def test_the_minutes_hold_what_the_sources_here_need(answering: None) -> None:
    short, with_rapl = previewed()[0], previewed("--energy")[0]
    with_plug = previewed("--energy", "--meter", PLUG)[0]
    assert short <= 2
    # Five launches with the window and two idle times of half of it, the observer's, and the probe.
    assert with_rapl == pytest.approx((5 * (10.5 + 10.5 + 4.5) + 28 + 4.5 + 5) / 60, abs=0.51)
    assert with_plug == pytest.approx((5 * (315 + 315 + 4.5) + 28 + 4.5 + 5) / 60, abs=0.51)
    assert previewed("--meter", PLUG)[0] == short


def test_nobody_is_asked_on_a_board(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "reach", lambda host: nullcontext((here(), object())))
    monkeypatch.setattr(choices, "lacking", lambda *of: {})
    monkeypatch.setattr(observer, "sense", lambda sources: 1 / 0)
    minutes, lines = previewed("--energy", "--host", "ssh://pi@board", "--meter", PLUG)
    assert minutes == pytest.approx((5 * (315 + 315 + 4.5) + 28 + 4.5 + 5) / 60, abs=0.51)
    assert lines[-2] == "windows are as long as they are if every power source of x86 answers"


def test_a_plug_says_nothing_of_an_emulated_board() -> None:
    given = plan.make_context("plan", ["--device", "rpi5", "--emulate", "--meter", PLUG]).params
    with pytest.raises(InferometerError, match="^--meter: what an emulator takes says nothing"):
        order_of(given, Catalog(suite_root()).runtimes())


def test_what_a_budget_means_is_told() -> None:
    def told(*words: str, line: int = -1) -> str:
        return preview(plan.make_context("plan", [*WORDS, *words]).params)[1][line]

    assert "trials on x86 with engine process: about" in told()
    assert ": at most about 121 min once images" in told("--budget", "2h", line=-2)
    assert re.fullmatch(
        r"the budget leaves about 11\d\d s for launches where they narrow most, "
        r"until every interval is \+-1\.0% or narrower",
        told("--budget", "20m", "--width", "1%"),
    )
    assert told("--budget", "20s") == "the budget of 20 s is spent after about 1 of these 5 trials"
    assert told("--budget", "1s") == "the budget of 1 s is spent after about 1 of these 5 trials"
