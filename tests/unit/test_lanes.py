"""How several workers share the tests."""

from __future__ import annotations

from pathlib import Path

from tests.support.lanes import LANES, lane

FOLDER = Path(__file__).resolve().parents[1] / "integration"


def test_every_file_of_a_lane_is_there() -> None:
    names = [name for files in LANES.values() for name in files]
    assert len(set(names)) == len(names)
    assert [name for name in names if not (FOLDER / f"test_{name}.py").is_file()] == []


def test_a_lane_is_shared_by_its_files_and_other_files_have_their_own() -> None:
    together = {lane(f"tests/integration/test_{name}.py::test_x[a::b]") for name in ("bundle", "own_models")}
    assert len(together) == 1
    assert lane("tests/unit/test_lanes.py::test_x") == "tests/unit/test_lanes.py"
