"""The gain of a technique over several seeds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from digits_task import CARD, silent

from models import card as cards
from models.datasets import card as data_cards
from models.errors import ExportError
from models.gain import gain, interval, write
from models.pipeline.request import Request


def request(folder: Path, *variants: str) -> Request:
    """Of the smallest network, with trainings of one epoch."""
    data = data_cards.read(CARD.parent / "data/digits.toml")
    card = cards.derive(cards.read(CARD), data, "tiny")
    quick: dict[str, dict[str, Any]] = {code: {"epochs": 1} for code in ("nq", "prn")}
    return Request(card, variants, 1, 0, folder / "out", folder / "work", data_card=data, settings=quick)


def test_a_gain_is_the_mean_of_pairs_with_its_interval(tmp_path: Path) -> None:
    write(request(tmp_path, "prn"), 2, silent)
    told = json.loads((tmp_path / "out/gain.json").read_text())
    before, after = told["accuracies"]["nq"], told["accuracies"]["prn"]
    assert len(before) == len(after) == 2 and before[0] != before[1]
    assert told["gain_points"] == pytest.approx(100 * (sum(after) - sum(before)) / 2)
    assert told["interval_points"][0] <= told["gain_points"] <= told["interval_points"][1]
    assert told["helps"] == (told["interval_points"][0] > 0)


@pytest.mark.parametrize(
    ("variants", "seeds", "told"),
    [
        (["kd"], 1, "--seeds: a gain needs at least two, not 1"),
        (["fiq"], 5, "--variants: a gain is that of one variant that is trained, such as kd"),
        (["kd", "prn"], 5, "--variants: a gain is that of one variant that is trained, such as kd"),
    ],
)
def test_what_is_no_gain_is_refused(tmp_path: Path, variants: list[str], seeds: int, told: str) -> None:
    with pytest.raises(ExportError, match=told):
        gain(request(tmp_path, *variants), seeds, silent)


def test_the_interval_is_students() -> None:
    # Differences 1 to 5: mean 3, standard error sqrt(2.5 / 5), t(0.975, 4) = 2.776.
    assert interval([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx((1.037, 4.963), abs=0.001)
