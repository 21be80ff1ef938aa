"""Distillation: a student that follows its teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from digits_task import fresh, pretrained, same, silent, task

from models import techniques
from models.accuracy import accuracy, logits
from models.errors import ExportError
from models.techniques import fpr, kd

SETTINGS: dict[str, Any] = {**techniques.defaults("kd", "smoke"), "epochs": 3}


def agreement(model: torch.nn.Module, teacher: torch.nn.Module, inputs: torch.Tensor) -> float:
    """How far apart the soft answers are."""
    answers = [logits(one, inputs).softmax(1) for one in (model, teacher)]
    return float((answers[0] - answers[1]).abs().mean())


def test_a_student_begins_anew_and_learns_from_its_teacher(tmp_path: Path) -> None:
    asked = task(tmp_path, teacher=pretrained, teacher_id="digits-cnn@digits")
    given = pretrained()
    student, facts = kd.apply(given, asked, SETTINGS, silent)
    assert same(given, pretrained())
    assert not student.training
    assert not same(student, given)
    assert accuracy(student, asked.test_inputs, asked.test_labels) > 0.95
    assert (facts["start"], facts["teacher"]) == ("scratch", "digits-cnn@digits")
    assert facts["teacher_accuracy"] == pytest.approx(accuracy(given, asked.test_inputs, asked.test_labels))
    assert (facts["temperature"], facts["alpha"]) == (4.0, 0.5)


def test_the_teacher_alone_is_followed_where_alpha_is_one(tmp_path: Path) -> None:
    # A teacher that is wrong about every digit: who learns from it alone is wrong as well.
    class Wrong(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = pretrained()

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.inner(image).roll(1, dims=1)

    asked = task(tmp_path, teacher=lambda: Wrong().eval())
    student, facts = kd.apply(fresh(), asked, {**SETTINGS, "alpha": 1.0}, silent)
    assert facts["teacher_accuracy"] < 0.05
    assert accuracy(student, asked.test_inputs, asked.test_labels) < 0.05
    assert agreement(student, Wrong(), asked.test_inputs) < 0.05


def test_the_loss_is_hintons() -> None:
    torch.manual_seed(0)
    inputs, labels = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    teacher, answers = torch.nn.Linear(4, 4), torch.randn(6, 4)
    soft = (teacher(inputs) / 2).softmax(1)
    divergence = (soft * (soft.log() - (answers / 2).log_softmax(1))).sum(1).mean()
    hard = -answers.log_softmax(1)[torch.arange(6), labels].mean()
    measured = kd.distillation(teacher, 2.0, 0.3)(answers, labels, inputs)
    assert measured.item() == pytest.approx((0.3 * 4 * divergence + 0.7 * hard).item(), rel=1e-5)


def test_a_network_that_was_changed_before_is_trained_further(tmp_path: Path) -> None:
    asked = task(tmp_path, images=128, teacher=pretrained)
    smaller, *_ = fpr.shrink(pretrained(), (1, 8, 8), 10, techniques.defaults("fpr", "smoke"))
    student, facts = kd.apply(smaller, asked, {**SETTINGS, "epochs": 1}, silent)
    assert facts["start"] == "given"
    assert student.features[3].out_channels == smaller.features[3].out_channels


@pytest.mark.parametrize(
    ("teacher", "change", "told"),
    [
        (None, {}, "kd: needs a teacher: name another model"),
        (pretrained, {"start": "middle"}, "kd.start: must be scratch or given, not 'middle'"),
        (pretrained, {"temperature": 0}, "kd.temperature: must be above 0, not 0"),
        (pretrained, {"alpha": 2}, "kd.alpha: must be from 0 to 1, not 2"),
    ],
)
def test_what_cannot_be_done_is_refused(
    tmp_path: Path, teacher: Any, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ExportError, match=told):
        kd.apply(fresh(), task(tmp_path, teacher=teacher), {**SETTINGS, **change}, silent)
