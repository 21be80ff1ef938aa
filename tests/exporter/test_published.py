"""Networks whose weights were published for the very data that an id names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import card as cards
from models import export, weights
from models.datasets import card as data_cards
from models.errors import ExportError
from models.pipeline import prepared as preparing
from models.pipeline.request import Request

MODELS = Path(weights.PACKAGE)


def request(folder: Path, **more: Any) -> Request:
    """The digits' network as if its weights had been published for ``held``, a folder of one's own."""
    state = MODELS / "artifacts/digits-cnn/weights.pth"
    text = (MODELS / "digits-cnn.toml").read_text()
    text = text[: text.index("[weights]")] + (
        '[weights]\nkind = "pretrained"\ndata = "held"\nurl = "https://example.org/digits.pth"\n'
        f'sha256 = "{weights.sha256(state)}"\n[variants.nq]\nformats = ["onnx"]\n'
        '[variants.fiq]\nformats = ["onnx"]\n'
    )
    path = folder / "published.toml"
    path.write_text(text.replace('teacher = "wide-resnet"\n', ""))
    data_card = replace(data_cards.read(MODELS / "data/digits.toml"), id="held")
    card = cards.derive(cards.read(path), data_card)
    given = {"weights": state, **more}
    return Request(card, ("nq", "fiq"), 1, 0, folder / "out", folder / "work", data_card, **given)


def test_they_are_taken_as_they_are_and_no_whole_split_is_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def whole(*_: Any) -> np.ndarray:
        raise AssertionError("a whole split of such data fills a disk")

    monkeypatch.setattr(preparing, "prepared", whole)
    said: list[str] = []
    wanted = request(tmp_path)
    assert export.export(wanted, lambda type_, **_: said.append(type_)) == {}
    assert "train" not in said
    for code in ("nq", "fiq"):
        told = json.loads((wanted.out / code / "b1/manifest.json").read_text())
        assert told["weights"]["kind"] == "pretrained" and told["training"] is None
        assert told["accuracy"]["total"] == 360 and told["accuracy"]["correct"] >= 356
        assert told["artifacts"][0]["accuracy"]["correct"] >= 354


def test_without_the_file_nothing_is_trained_in_its_place(tmp_path: Path) -> None:
    wanted = request(tmp_path, weights=None, weights_missing="cannot be downloaded; put it at /here")
    with pytest.raises(ExportError, match=r"^digits|published@held: cannot be downloaded; put it at /here"):
        failed = export.export(wanted, lambda *_, **__: None)
        raise ExportError(failed["nq"])


def test_other_data_or_another_head_is_trained(tmp_path: Path) -> None:
    card = cards.read(request(tmp_path).card.path)
    digits = data_cards.read(MODELS / "data/digits.toml")
    assert cards.derive(card, digits).weights["kind"] == "trained"
    more = replace(digits, id="held", classes=11)
    assert cards.derive(card, more).weights["kind"] == "trained"
