"""A bundle is used where it belongs and for what it holds; everything else is one line with the fix."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.bundle.manifest import Suite
from orchestrator.bundle.use import supply
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import base_images
from orchestrator.plan import Wish
from tests.support import bundles

PLATFORMS = {"linux/amd64": "linux/arm64", "linux/arm64": "linux/amd64"}
# Of the devices of this platform the one with most accelerators.
OURS = max(
    (item for item in Catalog(suite_root()).devices().values() if item.platform == base_images.native()),
    key=lambda item: len(item.accelerators),
).id


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def refusal(tmp_path: Path, order: Order | None = None, **fields: Any) -> str:
    path = bundles.make(tmp_path / "b.tar", **{"device": OURS, **fields})
    with pytest.raises(InferometerError) as caught:
        supply(Catalog(suite_root()), tmp_path / "cache", order or forced(), path, lambda text: None)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "cache").exists()
    return str(caught.value)


def forced(**wish: Any) -> Order:
    return Order(Wish("", **wish), force=True)


def test_another_version_and_another_commit(tmp_path: Path) -> None:
    mine = bundles.manifest().suite
    message = refusal(tmp_path, suite=replace(mine, version="9.9.9"))
    assert "is of suite 9.9.9, this is " in message
    assert "tar xf suite.tar" in message
    changed = Suite(mine.version, "d" * 40, False, {"orchestrator/bench.py": "0" * 64})
    assert "is of commit dddddddddddd, whose orchestrator/bench.py is not the one" in refusal(
        tmp_path, suite=changed
    )


def test_another_platform_and_another_device(tmp_path: Path) -> None:
    other = PLATFORMS[base_images.native()]
    assert f"is for {other}, this machine is {base_images.native()}; make one" in refusal(
        tmp_path, platform=other
    )
    message = refusal(tmp_path, replace(forced(), wish=Wish("toaster")))
    assert f"is for {OURS}, not toaster; run with DEVICE={OURS}" in message
    foreign = [
        item.id for item in Catalog(suite_root()).devices().values() if item.platform != base_images.native()
    ]
    message = refusal(tmp_path, Order(Wish("")), device=foreign[0])
    assert f"is for {foreign[0]}, and this machine is none" in message
    assert "unknown device" not in message


def test_a_device_that_this_suite_does_not_know(tmp_path: Path) -> None:
    path = bundles.make(tmp_path / "b.tar", device="toaster")
    with pytest.raises(InferometerError, match="unknown device 'toaster'"):
        supply(Catalog(suite_root()), tmp_path / "cache", forced(), path, lambda text: None)


def test_what_the_bundle_does_not_hold(tmp_path: Path) -> None:
    assert "a bundle carries images" in refusal(tmp_path, replace(forced(), engine="process"))
    message = refusal(tmp_path, forced(runtimes=("tflite",)))
    assert "has no image of tflite for cpu; leave it out, or make a bundle that has it" in message
    assert "has no artifact of mobilenet-v2 nq at batch 1" in refusal(
        tmp_path, forced(models=("mobilenet-v2",))
    )
    assert "has no artifact of resnet50 nq at batch 8" in refusal(tmp_path, forced(batches=(8,)))
    pictures = bundles.manifest().images
    assert "has no image of fake for the files in runners/" in refusal(
        tmp_path, images={"fake": replace(pictures["fake"], tag="inferometer/fake:0")}
    )


def test_a_board_elsewhere(tmp_path: Path) -> None:
    message = refusal(tmp_path, replace(forced(), host="ssh://pi@board"))
    assert "copy it to the board and run `make bench BUNDLE=` there, or leave BUNDLE out" in message


def test_an_accelerator_without_its_image(tmp_path: Path) -> None:
    device = Catalog(suite_root()).devices()[OURS]
    runtime = next(item for item in Catalog(suite_root()).runtimes().values() if item.flavours)
    place = next(iter(runtime.flavours))
    if place not in device.accelerators or device.arch not in runtime.flavours[place].arch:
        pytest.skip(f"{OURS} has no {place}")
    message = refusal(tmp_path, forced(runtimes=(runtime.id,), accelerators=(place,)))
    assert f"has no image of {runtime.id} for {place}" in message
