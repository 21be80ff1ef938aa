"""Our power beside jtop's: what agrees, what is another rail, and what cannot be compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from orchestrator.environment.cross_check import MARGIN, STEPS_W, cross_check

WATTS = some.floats(0, 100)


@pytest.mark.parametrize(
    "ours_w, theirs_w",
    [
        ([4.747], 4.747),
        ([2.276], 2.316),  # one step of 40 mW
        ([2.384, 2.765], 2.5),  # the load moved, and we saw it
        ([5.704, 5.704], 5.2),  # it moved on between two of our readings
        ([0.0], 0.04),
    ],
)
def test_the_same_sensor_at_another_moment_agrees(ours_w, theirs_w):
    assert cross_check(ours_w, theirs_w).agrees is True


@pytest.mark.parametrize(
    "ours_w, theirs_w",
    [
        ([4.747, 4.8], 2.210),  # the sum of the other rails of an Orin
        ([2.384], 2.384 + 0.536),  # a Nano's input and a rail that it holds already
        ([2.765], 2.765 + 0.866),
        ([4.747], 4747.0),
        ([4.747], 0.0),
    ],
)
def test_another_rail_or_unit_does_not(ours_w, theirs_w):
    assert cross_check(ours_w, theirs_w).agrees is False


@pytest.mark.parametrize(
    "ours_w, theirs_w, reason",
    [
        ([], 4.7, "no reading of ours"),
        ([float("nan")], 4.7, "no reading of ours"),
        ([4.7], None, "no total of jtop's"),
        ([4.7], float("inf"), "no total of jtop's"),
    ],
)
def test_without_two_figures_nothing_is_said(ours_w, theirs_w, reason):
    found = cross_check(ours_w, theirs_w)
    assert (found.agrees, found.difference_w, found.reason) == (None, None, reason)


@given(some.lists(WATTS, min_size=1, max_size=20), WATTS)
def test_the_difference_is_how_far_outside_ours_it_lies(ours_w, theirs_w):
    found = cross_check(ours_w, theirs_w)
    outside = max(min(ours_w) - theirs_w, theirs_w - max(ours_w), 0.0)
    assert abs(found.difference_w) == pytest.approx(outside)
    assert found.agrees == (abs(found.difference_w) <= STEPS_W + MARGIN * max(ours_w))
    assert found.reason is None
