"""A bundle is used where it belongs and for what it holds; everything else is one line with the fix."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts
from orchestrator.bundle.archive import Bundle
from orchestrator.bundle.manifest import Export, Suite
from orchestrator.bundle.use import supply, unpack
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import base_images
from orchestrator.plan import Wish
from tests.support import bundles

CATALOG = Catalog(suite_root())
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


def unpacked(tmp_path: Path, told: dict[str, Any]) -> str:
    """The refusal of an artifact folder with this manifest."""
    name = "artifacts/resnet50/nq/b1/manifest.json"
    contents = {**bundles.CONTENTS, name: json.dumps({"schema": artifacts.SCHEMA, **told}).encode()}
    carried = Export("resnet50", "nq", 1, ("model.onnx", "manifest.json"))
    path = bundles.make(tmp_path / "b.tar", contents, exports=(carried,))
    with closing(Bundle(path)) as bundle, pytest.raises(InferometerError) as caught:
        unpack(bundle, CATALOG, tmp_path / "cache", carried, lambda text: None)
    assert str(caught.value).startswith(f"{path}: its resnet50 nq ")
    return str(caught.value)


@pytest.mark.parametrize("told", [{"key": "x"}, {"key": "x", "weights": ["random"]}, {}])
def test_an_artifact_of_other_models_files_is_no_matter_of_weights(
    tmp_path: Path, told: dict[str, Any]
) -> None:
    message = unpacked(tmp_path, told)
    assert f"was exported by other files than those in {CATALOG.root / 'models'}; take away" in message
    assert "weights" not in message


def test_an_artifact_with_worse_weights_than_those_here(tmp_path: Path) -> None:
    model = CATALOG.models()["resnet50"]
    weights = artifacts.weights_file(tmp_path / "cache", model)
    assert weights
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"trained")
    key = artifacts.export_key(CATALOG.root, tmp_path / "cache", model)
    told = {"key": key, "weights": {"kind": "random", "seed": 0}}
    assert f"{weights} holds weights the bundle was made without" in unpacked(tmp_path, told)


def test_an_artifact_of_a_model_that_this_suite_does_not_know(tmp_path: Path) -> None:
    contents = {**bundles.CONTENTS, "artifacts/toaster/nq/b1/model.onnx": b""}
    toaster = Export("toaster", "nq", 1, ("model.onnx",))
    exports = (*bundles.manifest().exports, toaster)
    path = bundles.make(tmp_path / "b.tar", contents, device=OURS, exports=exports)
    with pytest.raises(InferometerError, match="unknown model 'toaster'"):
        supply(CATALOG, tmp_path / "cache", forced(models=("digits-cnn",)), path, lambda text: None)
