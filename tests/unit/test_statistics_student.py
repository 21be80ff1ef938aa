"""The points of Student's t against a printed table."""

import pytest

from orchestrator.statistics.student import student_t


@pytest.mark.parametrize(
    "degrees, point",
    [(1, 12.706), (2, 4.303), (4, 2.776), (10, 2.228), (11, 2.201), (15, 2.131), (30, 2.042), (120, 1.980)],
)
def test_the_points_are_those_of_the_table(degrees, point):
    assert student_t(degrees) == pytest.approx(point, rel=1e-3)


def test_one_value_has_no_interval():
    with pytest.raises(ValueError, match="0 degrees"):
        student_t(0)
