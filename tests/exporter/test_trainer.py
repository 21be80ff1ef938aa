"""Training: the same bytes twice, after kill -9 too; a budget that ends it early and says so."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from digits_task import fresh, same, task
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import Dataset

from models import augment, batches
from models.accuracy import accuracy
from models.budget import Budget, affordable
from models.errors import ExportError
from models.schedule import one_cycle, polynomial

QUICK: dict[str, Any] = {"name": "quick", "epochs": 3, "rate": 0.01}


class Clock:
    """A clock that moves on by a second at every look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Lazy(Dataset):
    """Tensors, one by one."""

    def __init__(self, inputs: torch.Tensor) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.inputs[index]


def test_digits_are_learned_and_progress_is_told(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    asked = task(tmp_path, lambda type_, **fields: lines.append({"type": type_, **fields}))
    model = fresh()
    history = asked.trainer.fit(model, asked, name="nq", epochs=6, rate=0.01)
    assert accuracy(model, asked.test_inputs, asked.test_labels) > 0.97
    assert not model.training
    assert (history.epochs, history.epochs_done, history.threads) == (6, 6, 1)
    assert history.losses[-1] < history.losses[0]
    assert [line["epoch"] for line in lines if line["epoch"] == int(line["epoch"])] == [1, 2, 3, 4, 5, 6]
    assert lines[0]["type"] == "train" and lines[0]["left_s"] > 0 == lines[-1]["left_s"]


def test_two_trainings_give_the_same_bytes_and_another_seed_gives_others(tmp_path: Path) -> None:
    models = [fresh(), fresh(), fresh()]
    for number, (model, seed) in enumerate(zip(models, (0, 0, 1), strict=True)):
        asked = task(tmp_path / str(number), images=256, seed=seed, augment="crop")
        asked.trainer.fit(model, asked, **QUICK)
    assert same(models[0], models[1])
    assert not same(models[0], models[2])


def killed(work: Path) -> None:
    """Train, and die in the third epoch of four steps."""
    steps: list[float] = []

    def after_step(progress: float) -> None:
        steps.append(progress)
        if len(steps) == 10:
            os.kill(os.getpid(), signal.SIGKILL)

    asked = task(work, images=256)
    asked.trainer.fit(fresh(), asked, **QUICK, after_step=after_step)


def test_a_training_killed_in_mid_epoch_goes_on_and_ends_at_the_same_bytes(tmp_path: Path) -> None:
    steps: list[float] = []
    models = [fresh(), fresh()]
    asked = task(tmp_path / "whole", images=256)
    asked.trainer.fit(models[0], asked, **QUICK, after_step=steps.append)
    assert len(steps) == 12
    # A fork imports nothing anew; CUDA does not live through one.
    context = multiprocessing.get_context("spawn" if torch.cuda.is_available() else "fork")
    process = context.Process(target=killed, args=[tmp_path / "killed"])
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    asked = task(tmp_path / "killed", images=256)
    asked.trainer.fit(models[1], asked, **QUICK, after_step=steps.append)
    assert len(steps) == 12 + 4  # the third epoch alone was left
    assert same(*models)


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    models = [fresh(), fresh()]
    for model in models:
        asked = task(tmp_path, images=256)
        history = asked.trainer.fit(model, asked, **QUICK)
        assert history.epochs_done == 3
    assert same(*models)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "change", [{"rate": 0.02}, {"epochs": 4}, {"optimizer": "sgd"}, {"identity": {"alpha": 0.5}}]
)
def test_another_recipe_uses_no_checkpoint_of_this_one(tmp_path: Path, change: dict[str, Any]) -> None:
    for changes in ({}, change):
        asked = task(tmp_path, images=64)
        asked.trainer.fit(fresh(), asked, **{**QUICK, **changes})
    assert len(list(tmp_path.iterdir())) == 2


def test_other_data_uses_no_checkpoint_of_these(tmp_path: Path) -> None:
    for images in (64, 65):
        asked = task(tmp_path, images=images)
        asked.trainer.fit(fresh(), asked, **QUICK)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_broken_checkpoint_is_named(tmp_path: Path) -> None:
    for _ in range(2):
        asked = task(tmp_path, images=64)
        if found := list(tmp_path.iterdir()):
            found[0].write_bytes(found[0].read_bytes()[:100])
            with pytest.raises(ExportError, match=r"quick-\w+\.pt: cannot read the checkpoint, delete it"):
                asked.trainer.fit(fresh(), asked, **QUICK)
        else:
            asked.trainer.fit(fresh(), asked, **QUICK)


def test_a_budget_shortens_the_training_and_the_rate_still_falls(tmp_path: Path) -> None:
    # An epoch of four steps looks at the clock six times; ten more looks would end the training.
    budget = Budget(16, clock=Clock())
    asked = task(tmp_path, images=256, budget=budget)
    lines: list[dict[str, Any]] = []
    asked.trainer.report = lambda type_, **fields: lines.append(fields)
    history = asked.trainer.fit(fresh(), asked, **{**QUICK, "epochs": 50})
    assert (history.epochs, history.epochs_done) == (50, 2)
    assert [line["epochs"] for line in lines] == [2, 2]


def test_a_budget_too_short_for_an_epoch_says_which_part_was_done(tmp_path: Path) -> None:
    asked = task(tmp_path, images=256, budget=Budget(5, clock=Clock()))
    assert 0 < asked.trainer.fit(fresh(), asked, **QUICK).epochs_done < 1
    # Another command with time enough does not stop there.
    asked = task(tmp_path, images=256)
    assert asked.trainer.fit(fresh(), asked, **QUICK).epochs_done == 3


def test_fits_share_a_budget() -> None:
    budget = Budget(90, fits=3, clock=lambda: 0.0)
    assert budget.deadline() == 30
    budget.clock = lambda: 10.0  # the first was done earlier
    assert budget.deadline() == 10 + 40
    budget.clock = lambda: 100.0  # and the second far too late
    assert budget.deadline() == 100
    assert Budget().deadline() == math.inf


def test_what_is_affordable() -> None:
    assert affordable(2, 10, 3.0, 10.0) == 5
    assert affordable(2, 4, 3.0, 10.0) == 4
    assert affordable(2, 10, 3.0, -1.0) == 2
    assert affordable(2, 10, 3.0, math.inf) == 10


def test_a_loss_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    asked = task(tmp_path, images=64)
    with pytest.raises(
        ExportError, match="training quick: the loss is nan in epoch 1: try a rate below 0.01"
    ):
        asked.trainer.fit(fresh(), asked, **QUICK, loss=lambda logits, *_: logits.sum() * math.nan)


def test_an_unknown_optimizer_is_refused(tmp_path: Path) -> None:
    asked = task(tmp_path, images=64)
    with pytest.raises(ExportError, match="optimizer: must be one of adamw, sgd, not 'lion'"):
        asked.trainer.fit(fresh(), asked, **QUICK, optimizer="lion")


def test_an_unknown_augmentation_is_refused(tmp_path: Path) -> None:
    asked = task(tmp_path, images=64, augment="mixup")
    with pytest.raises(ExportError, match="augment: must be one of none, crop, flip, crop-flip, not 'mixup'"):
        asked.trainer.fit(fresh(), asked, **QUICK)


def test_a_lazy_data_set_trains_to_the_same_bytes_as_tensors(tmp_path: Path) -> None:
    models = [fresh(), fresh()]
    for model, lazy in zip(models, (False, True), strict=True):
        asked = task(tmp_path / str(lazy), images=256)
        if lazy:
            asked = task(tmp_path / str(lazy), images=256, train_inputs=Lazy(asked.train_inputs))
        asked.trainer.fit(model, asked, **QUICK)
    assert same(*models)


def test_training_leaves_the_random_state_and_the_threads_alone(tmp_path: Path) -> None:
    asked = task(tmp_path, images=64)
    model = fresh()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    asked.trainer.fit(model, asked, **QUICK)
    assert torch.equal(torch.rand(1), expected)


@given(count=st.integers(1, 300), batch=st.integers(1, 100), seed=st.integers(0, 99))
def test_batches_are_full_and_take_no_input_twice(count: int, batch: int, seed: int) -> None:
    order = batches.plan(count, batch, torch.Generator().manual_seed(seed))
    assert {len(chunk) for chunk in order} == {min(count, batch)}
    taken = torch.cat(order).tolist()
    assert len(set(taken)) == len(taken) > count - batch


def test_crops_are_windows_of_the_reflected_image_and_flips_mirror_it() -> None:
    image = torch.arange(64.0).view(1, 1, 8, 8)
    padded = torch.nn.functional.pad(image, (1, 1, 1, 1), mode="reflect")
    windows = {
        tuple(padded[0, 0, row : row + 8, column : column + 8].flatten().tolist())
        for row in range(3)
        for column in range(3)
    }
    generator = torch.Generator().manual_seed(0)
    seen = {
        tuple(one.flatten().tolist()) for one in augment.apply("crop", image.repeat(99, 1, 1, 1), generator)
    }
    assert seen == windows
    seen = {
        tuple(one.flatten().tolist()) for one in augment.apply("flip", image.repeat(9, 1, 1, 1), generator)
    }
    assert seen == {tuple(image.flatten().tolist()), tuple(image.flip(-1).flatten().tolist())}
    assert augment.apply("none", image, generator) is image


def test_the_rate_is_that_of_torchs_one_cycle() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    torchs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=1001, cycle_momentum=False)
    for step in range(1001):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(one_cycle(step / 1000), abs=0.006)
        optimizer.step()
        if step < 1000:
            torchs.step()


def test_sparsity_rises_by_a_cubic() -> None:
    assert [round(polynomial(0.0, 0.8, part), 4) for part in (0, 0.5, 1, 1.5)] == [0, 0.7, 0.8, 0.8]


def test_a_hook_is_told_of_every_step(tmp_path: Path) -> None:
    seen: list[float] = []
    asked = task(tmp_path, images=128)
    asked.trainer.fit(fresh(), asked, **QUICK, after_step=seen.append)
    assert seen == pytest.approx([step / 6 for step in range(1, 7)])


def test_seconds_are_those_of_training(tmp_path: Path) -> None:
    began = time.monotonic()
    asked = task(tmp_path, images=128)
    assert 0 < asked.trainer.fit(fresh(), asked, **QUICK).seconds < time.monotonic() - began
