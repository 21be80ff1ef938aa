"""A user's own model in a bundle: its card goes along, and another model of the name is not overwritten."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from orchestrator import artifacts
from orchestrator.adding import shelf
from orchestrator.adding.shelf import Part
from orchestrator.adding.spec import Spec
from orchestrator.bundle.archive import Bundle
from orchestrator.bundle.manifest import CARD
from orchestrator.bundle.pack import Need, export, needs
from orchestrator.bundle.use import unpack, unpack_cards
from orchestrator.catalog import OWN, Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.files import sha256_file
from orchestrator.plan import Wish
from tests.support import bundles

SPEC = Spec("x", (1, 4), "float32", 1, None)


def silent(text: str) -> None:
    pass


def shelved(models: Path, content: bytes = b"a model") -> Catalog:
    """A catalogue with one model of its user's."""
    source = models.parent / "my.onnx"
    source.write_bytes(content)
    with shelf.staging(models, "my") as stage:
        shelf.copy(source, stage / "given.onnx")
        sha256 = sha256_file(stage / "given.onnx")
        part = Part("onnx", source, stage / "given.onnx", sha256, SPEC, np.zeros((1, 1, 4), np.float32))
        shelf.put(models, "my", stage, [part], None, None, False)
    return Catalog(suite_root(), own=models)


def packed(catalog: Catalog, path: Path) -> Path:
    need = Need(catalog.model("my"), OWN, 1)
    carried = export(catalog.root, path.parent / "cache", need, silent)
    folder = need.model.folder / OWN / "b1"
    contents = {
        carried.member(name): (need.model.path if name == CARD else folder / name).read_bytes()
        for name in carried.files
    }
    others = {name: data for name, data in bundles.CONTENTS.items() if not name.startswith("artifacts/")}
    return bundles.make(path, {**others, **contents}, exports=(carried,))


def test_what_a_bench_would_choose_is_carried(tmp_path: Path) -> None:
    catalog = shelved(tmp_path / "models")
    runtimes = [catalog.runtimes()["onnxruntime"]]
    (need,) = needs([catalog.model("my")], runtimes, Wish("x86", variants=("fiq",)))
    assert (need.variant, need.batch) == (OWN, 1)
    assert needs([catalog.model("my")], runtimes, Wish("x86", batches=(8,))) == []
    assert needs([catalog.model("my")], [catalog.runtimes()["tflite"]], Wish("x86")) == []


def test_a_model_arrives_with_its_card(tmp_path: Path) -> None:
    path, there = packed(shelved(tmp_path / "models"), tmp_path / "b.tar"), tmp_path / "there"
    catalog = Catalog(suite_root(), own=there)
    with closing(Bundle(path)) as bundle:
        for _ in range(2):  # and once more, as each bench with the bundle does
            unpack_cards(bundle, catalog, silent)
            unpack(bundle, catalog, tmp_path / "cache", bundle.manifest.exports[0], silent)
    artifact = artifacts.open_artifact(there / "my" / OWN / "b1", "onnx")
    assert artifact and artifact.path.read_bytes() == b"a model"
    assert catalog.model("my").title == "my.onnx (synthetic inputs, latency only)"
    assert not (there / "my" / OWN / "b1" / CARD).exists()


def test_another_model_of_the_name_stays(tmp_path: Path) -> None:
    path = packed(shelved(tmp_path / "models"), tmp_path / "b.tar")
    (tmp_path / "elsewhere").mkdir()
    catalog = shelved(tmp_path / "elsewhere" / "models", b"another")
    with (
        closing(Bundle(path)) as bundle,
        pytest.raises(InferometerError, match="has another model of this name than .*b.tar; `inferometer"),
    ):
        unpack_cards(bundle, catalog, silent)
    assert catalog.own and (catalog.own / "my" / OWN / "b1" / "model.onnx").read_bytes() == b"another"


def test_a_damaged_file_is_carried_nowhere(tmp_path: Path) -> None:
    catalog = shelved(tmp_path / "models")
    (tmp_path / "models/my" / OWN / "b1/model.onnx").write_bytes(b"changed")
    with pytest.raises(InferometerError, match="its manifest says"):
        packed(catalog, tmp_path / "b.tar")


def test_a_name_that_the_suite_has_as_well_is_told(tmp_path: Path) -> None:
    catalog = shelved(tmp_path / "models")
    (tmp_path / "models/my.toml").rename(tmp_path / "models/digits-cnn.toml")
    with pytest.raises(InferometerError, match="the suite has a model digits-cnn of its own; rename"):
        catalog.models()


def test_a_file_is_no_architecture(tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match="my@digits: my is a file, no network that can be trained"):
        shelved(tmp_path / "models").model("my@digits")


def test_the_manifest_has_the_suite_s_fields(tmp_path: Path) -> None:
    shelved(tmp_path / "models")
    mine = json.loads((tmp_path / "models/my" / OWN / "b1/manifest.json").read_bytes())
    shipped = suite_root() / "models/artifacts/digits-cnn/nq/b1/manifest.json"
    theirs = json.loads(shipped.read_bytes())
    assert set(theirs) <= set(mine)
    assert set(theirs["artifacts"][0]) - {"opset", "ir"} <= set(mine["artifacts"][0]) | {"calibration"}
