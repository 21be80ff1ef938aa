"""``--option`` from the command line to the cases of a plan."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from orchestrator import cases
from orchestrator.catalog import Catalog, suite_root
from orchestrator.cli.bench import plan
from orchestrator.cli.perform import order_of
from orchestrator.domain import InferometerError

CATALOG = Catalog(suite_root())
DELEGATE_OPTIONS = "backends=CpuAcc,CpuRef;enable-fast-math=true"


def ordered(*words: str) -> cases.Order:
    """The order that these words are."""
    return order_of(plan.make_context("plan", list(words)).params, CATALOG.runtimes())


def swept(*options: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """What the options ask for: runtime, option, values."""
    return ordered(*(word for option in options for word in ("--option", option))).wish.options


def test_a_delegate_gets_its_options_with_their_commas(tmp_path: Path) -> None:
    documented = f"tflite.delegate_options={DELEGATE_OPTIONS}"
    assert f"--option '{documented}'" in (suite_root() / "runners/README.md").read_text("utf-8")
    words = ("--runtimes", "tflite", "--models", "digits-cnn", "--option", "tflite.delegate=armnn")
    order = ordered(*words, "--option", documented)
    planned = cases.make_plan(CATALOG, tmp_path, order, CATALOG.device("rpi5"), "docker", {}, 4)
    assert [dict(case.options) for case in planned.cases] == [
        {"delegate": "armnn", "delegate_options": DELEGATE_OPTIONS}
    ]


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (["pytorch.mode=eager,aot"], ("eager", "aot")),
        (["pytorch.mode=eager", "pytorch.mode=aot,eager"], ("eager", "aot")),
        (["fake.modes=1,1.3"], ("1,1.3",)),
        (["fake.modes=1,1.3", "fake.modes=2"], ("1,1.3", "2")),
        (["fake.unknown=1,2"], ("1", "2")),
        (["nobody.mode=1,2"], ("1", "2")),
    ],
)
def test_commas_part_only_what_has_a_list_of_values(options: list[str], values: tuple[str, ...]) -> None:
    assert [found for _, _, found in swept(*options)] == [values]


def test_each_option_is_swept_on_its_own() -> None:
    assert swept("fake.cold=2", "fake.wait=busy,sleep", "fake.cold=3") == (
        ("fake", "cold", ("2", "3")),
        ("fake", "wait", ("busy", "sleep")),
    )


@pytest.mark.parametrize(
    ("words", "budget_s", "width"),
    [
        ((), None, None),
        (("--budget", "20m"), 1200.0, None),
        (("--budget", "90s", "--width", "1%"), 90.0, 0.01),
        (("--budget", " 2h ", "--width", "0.5 %"), 7200.0, 0.005),
        (("--budget", "1d"), 86400.0, None),
    ],
)
def test_a_budget_and_a_width(words: tuple[str, ...], budget_s: float | None, width: float | None) -> None:
    order = ordered(*words)
    assert (order.budget_s, order.width) == (budget_s, width)
    settings = cases.settings_of(order, CATALOG.device("x86"))
    assert (settings.budget_s, settings.width) == (budget_s, width or 0.02)


@pytest.mark.parametrize(
    "words",
    [("--budget", text) for text in ("", "20", "0s", "31d", "1.5h", "20min", "-5m", "٣m")]
    + [("--width", text) for text in ("", "2", "0%", "0.05%", "51%", "nan%", "-1%", "2%%")],
)
def test_what_is_no_budget_or_width_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(click.BadParameter, match="give "):
        ordered(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--sustained", "30m"), "leave one of them out"), (("--emulate",), "run it on the board")],
)
def test_a_budget_is_for_launches_that_mean_something(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(InferometerError, match=message):
        ordered("--budget", "20m", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [(("--launches", "3"), "leave --launches out"), (("--emulate",), "run it on the board")],
)
def test_a_sustained_window_is_one_launch_on_a_real_board(words: tuple[str, ...], message: str) -> None:
    assert ordered("--sustained", "30m", "--launches", "1").sustained_s == 1800.0
    with pytest.raises(InferometerError, match=message):
        ordered("--sustained", "30m", *words)


def test_a_scenario_of_loadgen_is_taken_in_any_case_and_refused_under_an_emulator() -> None:
    assert ordered().loadgen == ""
    assert ordered("--loadgen", "singlestream").loadgen == "SingleStream"
    with pytest.raises(InferometerError, match="--loadgen: an emulator"):
        ordered("--loadgen", "Offline", "--device", "rpi5", "--emulate")
