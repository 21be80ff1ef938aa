"""What ``--tune`` may ask for, and who may."""

from __future__ import annotations

import pytest

from orchestrator import tuning
from tests.support.tuned import refusal


def test_knobs_are_set_in_one_order_however_they_are_written() -> None:
    assert tuning.parse("aslr=off, governor=performance nvpmodel=15W") == (
        ("nvpmodel", "15W"),
        ("governor", "performance"),
        ("aslr", "off"),
    )
    assert tuning.parse("aslr=off,aslr=off") == (("aslr", "off"),)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("governer=performance", ["'governer'", "Did you mean governor?", "nvpmodel"]),
        ("turbo=of", ["value of --tune turbo 'of'", "Did you mean off?"]),
        ("swap=on", ["unknown value of --tune swap 'on'", "Known: off"]),
        ("turbo=of,swap=off", ["Did you mean off?"]),
        (
            "governor=performance;turbo=off",
            ["separate knobs with commas, like governor=performance,turbo=off"],
        ),
        ("swap=off:turbo=off", ["--tune swap=off:turbo=off: separate knobs with commas"]),
        ("governor", ["--tune governor", "like governor=NAME"]),
        ("aslr=", ["--tune aslr", "like aslr=off"]),
        ("turbo=on,turbo=off", ["on and off were asked for"]),
        (" , ", ["name what to set", "nvpmodel, governor, turbo, clocks, swap, aslr"]),
    ],
)
def test_a_slip_is_told_with_the_nearest_name(text: str, words: list[str]) -> None:
    said = refusal(lambda: tuning.parse(text))
    assert all(word in said for word in words), said


@pytest.mark.parametrize("knob", ["swap", "aslr"])
def test_on_is_no_slip_for_off(knob: str) -> None:
    said = refusal(lambda: tuning.parse(f"{knob}=on"))
    assert said == f"unknown value of --tune {knob} 'on'. Known: off."


def test_who_may() -> None:
    wish = tuning.parse("governor=performance,aslr=off")
    tuning.permit(wish, False, False, 0)
    tuning.permit((), True, True, 1000)
    assert "sudo make bench TUNE=governor=performance,aslr=off" in refusal(
        lambda: tuning.permit(wish, False, False, 1000)
    )
    assert "HOST=" in refusal(lambda: tuning.permit(wish, True, False, 0))
    assert "EMULATE=1" in refusal(lambda: tuning.permit(wish, False, True, 0))
