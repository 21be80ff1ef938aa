"""The share of honest runs that are said not to differ: how tries are judged, kept and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import same
from tests.support.comparisons import launches

EQUAL = (list(launches(1e6)), list(launches(1.001e6)))
APART = (list(launches(1e6)), list(launches(1.2e6)))


def test_the_share_has_its_limit_and_its_exact_interval() -> None:
    found = same.conclude([EQUAL] * 19 + [APART])
    assert (found.ours, found.ok) == (95.0, True)
    assert "of 20 tries: 19 no difference, 1 slower; exact 95 % interval 75.1% to 99.9%" in found.note
    assert same.conclude([EQUAL] * 9 + [APART]).ok is False


def test_only_tries_of_the_same_circumstances_are_gone_on_with(tmp_path: Path) -> None:
    path, head = tmp_path / "same.jsonl", {"boot_id": "x"}
    assert same.kept(path, head) == []
    path.write_text("\n".join(json.dumps(line) for line in (head, EQUAL, APART)) + "\n")
    assert same.kept(path, head) == [EQUAL, APART]
    assert same.kept(path, {"boot_id": "y"}) == []
    path.write_text(path.read_text() + "[[1.0")
    assert same.kept(path, head) == [EQUAL, APART]
