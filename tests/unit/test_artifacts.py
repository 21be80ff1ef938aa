"""Model artifacts: nothing is loaded whose content is not what the manifest says."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError

SHIPPED = suite_root() / "models/artifacts/digits-cnn/nq/b1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the artifacts that ship, to damage."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "digits-cnn/nq/b1"))


def change(folder: Path, **fields: Any) -> None:
    """Set fields of a manifest; ``...`` removes one."""
    path = folder / "manifest.json"
    content = {**json.loads(path.read_bytes()), **fields}
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not ...}))


@pytest.mark.parametrize("format_", ["onnx", "tflite", "pt2"])
def test_every_shipped_artifact_is_what_its_manifest_says(format_: str) -> None:
    artifact = artifacts.open_artifact(SHIPPED, format_)
    assert artifact is not None
    assert (artifact.model, artifact.variant, artifact.batch) == ("digits-cnn", "nq", 1)
    assert artifact.bytes == artifact.path.stat().st_size
    assert artifact.weights == "trained"
    assert artifact.reference is not None
    assert artifact.labels is not None
    reference = json.loads(artifact.reference.read_bytes())["outputs"]
    assert len(reference) == len(json.loads(artifact.labels.read_bytes()))


def test_what_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.parents[1].rglob("*") if path.is_file()) < 1_000_000


def test_a_format_that_is_not_there_is_none(folder: Path) -> None:
    assert artifacts.open_artifact(folder, "engine") is None
    assert artifacts.open_artifact(folder.parent / "b8", "onnx") is None


@pytest.mark.parametrize("name", ["model.onnx", "inputs-nchw.npy", "reference.json", "labels.json"])
def test_a_changed_byte_is_refused_with_the_fix(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(InferometerError) as caught:
        artifacts.open_artifact(folder, "onnx")
    message = str(caught.value)
    assert message.startswith(f"{folder / name}: SHA-256 is ")
    assert "its manifest says" in message
    assert "restore the file, or delete its folder" in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["model.onnx", "inputs-nchw.npy", "reference.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InferometerError, match=f"{name}: cannot be read: No such file"):
        artifacts.open_artifact(folder, "onnx")


def test_an_artifact_of_another_format_does_not_matter(folder: Path) -> None:
    (folder / "model.tflite").unlink()
    assert artifacts.open_artifact(folder, "onnx") is not None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "unreadable"),
        (b'{"schema": 1', "unreadable"),
        (b"\xff\xfe", "unreadable"),
        (b"[]", "field schema is not 2"),
        (b'{"schema": 3}', "field schema is not 2"),
    ],
)
def test_a_broken_manifest_is_refused_with_the_fix(folder: Path, content: bytes, complaint: str) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(InferometerError, match=complaint) as caught:
        artifacts.open_artifact(folder, "onnx")
    assert str(folder / "manifest.json") in str(caught.value)
    assert "is exported again" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"artifacts": ...},
        {"artifacts": {"onnx": "model.onnx"}},
        {"artifacts": [{"format": "onnx"}]},
        {"artifacts": ["onnx"]},
        {"files": {}},
        {"files": ...},
        {"weights": ...},
        {"weights": {"kind": "random"}},
        {"batch": ...},
        {"macs": ...},
        {"training": ...},
    ],
)
def test_a_manifest_without_its_fields_is_refused(folder: Path, fields: dict[str, Any]) -> None:
    change(folder, **fields)
    with pytest.raises(InferometerError) as caught:
        artifacts.open_artifact(folder, "onnx")
    message = str(caught.value)
    assert message.startswith(f"{folder / 'manifest.json'}: ")
    assert "is exported again" in message


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ({"kind": "random", "seed": 7}, "random(7)"),
        ({"kind": "pretrained", "seed": 0}, "pretrained"),
        ({"kind": "trained"}, "trained"),
    ],
)
def test_weights_are_named_as_results_name_them(weights: dict[str, Any], text: str) -> None:
    assert artifacts.weights_text(weights) == text


def test_the_cache_follows_the_environment() -> None:
    home = Path.home()
    assert artifacts.cache_root({}) == home / ".cache/inferometer"
    assert artifacts.cache_root({"XDG_CACHE_HOME": "/x"}) == Path("/x/inferometer")
    assert artifacts.cache_root({"XDG_CACHE_HOME": "/x", "INFEROMETER_CACHE": "/y"}) == Path("/y")


NQ = '[nq]\ntitle = "fp32"\nkind = "baseline"\nformats = ["onnx"]\n'


def checkout(folder: Path) -> Path:
    """A checkout with one card and an exporter."""
    (folder / "models/exporters").mkdir(parents=True)
    card = '[weights]\n[variants.nq]\nformats = ["onnx"]\n'
    (folder / "models/net.toml").write_text(f'title = "Net"\n{card}')
    (folder / "models/other.toml").write_text(f'title = "Other"\n{card}')
    (folder / "models/exporters/onnx.py").write_text("opset = 13\n")
    (folder / "models/requirements.txt").write_text("torch==1\n")
    (folder / "models/techniques").mkdir()
    (folder / "models/techniques/variants.toml").write_text(NQ)
    (folder / "models/data").mkdir()
    return folder


def test_an_export_is_current_until_card_exporter_or_pins_change(tmp_path: Path) -> None:
    root, cache = checkout(tmp_path / "checkout"), tmp_path / "cache"
    model = Catalog(root).models()["net"]
    assert not artifacts.is_current(root, cache, model, "nq", 1)
    made = artifacts.folder_of(root, cache, "net", "nq", 1)
    assert made == cache / "artifacts/net/nq/b1"
    made.mkdir(parents=True)
    (made / "manifest.json").write_text(
        json.dumps({"schema": 2, "key": artifacts.export_key(root, cache, model), "artifacts": []})
    )
    assert artifacts.is_current(root, cache, model, "nq", 1)
    assert not artifacts.is_current(root, cache, model, "nq", 8)
    (root / "models/other.toml").write_text("# another card does not matter\n")
    assert artifacts.is_current(root, cache, model, "nq", 1)
    for name in ("net.toml", "exporters/onnx.py", "requirements.txt", "techniques/variants.toml"):
        path = root / "models" / name
        before = path.read_bytes()
        path.write_bytes(before + b"# changed\n")
        assert not artifacts.is_current(root, cache, model, "nq", 1), name
        path.write_bytes(before)
    assert artifacts.is_current(root, cache, model, "nq", 1)


def test_weights_put_in_place_later_make_a_stand_in_old(tmp_path: Path) -> None:
    root, cache = checkout(tmp_path / "checkout"), tmp_path / "cache"
    model = replace(Catalog(root).models()["net"], weights={"url": "https://example.org/net-1.pth"})
    made = artifacts.folder_of(root, cache, "net", "nq", 1)
    made.mkdir(parents=True)
    key = artifacts.export_key(root, cache, model)
    for kind in ("pretrained", "random"):
        manifest = {"schema": 2, "key": key, "weights": {"kind": kind}}
        (made / "manifest.json").write_text(json.dumps(manifest))
        assert artifacts.is_current(root, cache, model, "nq", 1)
    file = artifacts.weights_file(cache, model)
    assert file == cache / "weights/net-1.pth"
    file.parent.mkdir()
    file.touch()
    assert not artifacts.is_current(root, cache, model, "nq", 1)


def test_a_manifest_without_a_key_is_not_current(tmp_path: Path) -> None:
    root, cache = checkout(tmp_path / "checkout"), tmp_path / "cache"
    made = cache / "artifacts/net/nq/b1"
    made.mkdir(parents=True)
    (made / "manifest.json").write_text('{"schema": 2}')
    assert not artifacts.is_current(root, cache, Catalog(root).models()["net"], "nq", 1)


def test_what_ships_is_found_before_the_cache(tmp_path: Path) -> None:
    found = artifacts.folder_of(suite_root(), tmp_path, "digits-cnn", "nq", 1)
    assert found == SHIPPED
    model = Catalog(suite_root()).models()["digits-cnn"]
    assert artifacts.is_current(suite_root(), tmp_path, model, "nq", 1)


def test_an_older_version_s_export_is_made_again(tmp_path: Path) -> None:
    root, cache = checkout(tmp_path / "checkout"), tmp_path / "cache"
    made = cache / "artifacts/net/nq/b1"
    made.mkdir(parents=True)
    (made / "manifest.json").write_text('{"schema": 1}')
    assert artifacts.read_manifest(made) is None
    assert not artifacts.is_current(root, cache, Catalog(root).models()["net"], "nq", 1)


def test_a_trained_export_is_current_until_a_card_it_is_made_from_changes(tmp_path: Path) -> None:
    root, cache = checkout(tmp_path / "checkout"), tmp_path / "cache"
    table = "[input]\nshape = [1, 2, 2]\n"
    (root / "models/net.toml").write_text(
        f'title = "Net"\nteacher = "other"\n{table}[weights]\nkind = "none"\n'
    )
    (root / "models/data/set.toml").write_text(
        'title = "S"\nloader = "npz"\nclasses = 2\nlicence = "none"\nhomepage = ""\n' + table
    )
    before = artifacts.export_key(root, cache, Catalog(root).model("net@set"))
    assert before == artifacts.export_key(root, cache, Catalog(root).model("net@set"))
    for name in ("data/set.toml", "other.toml"):
        path = root / "models" / name
        path.write_text(path.read_text() + "# changed\n")
        after = artifacts.export_key(root, cache, Catalog(root).model("net@set"))
        assert not artifacts.same_key(before, after)
        before = after


def test_data_that_is_not_here_now_leaves_an_export_current() -> None:
    assert artifacts.same_key("code stamp", "code")
    assert artifacts.same_key("code stamp", "code stamp")
    assert not artifacts.same_key("code stamp", "code other")
    assert not artifacts.same_key("code", "code stamp")
    assert not artifacts.same_key(None, "code")


def test_other_seeds_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = {artifacts.folder_of(suite_root(), tmp_path, "digits-cnn", "nq", 1, seed) for seed in range(3)}
    assert SHIPPED in folders
    assert len(folders) == 3


def test_what_a_budget_cut_is_told() -> None:
    short = {"epochs": 30, "epochs_done": 12}
    whole = {"epochs": 30, "epochs_done": 30}
    pruned, clustered = {"code": "prn", "facts": short}, {"code": "wcl", "facts": {}}
    plain = {"variant": "nq", "training": None, "techniques": [clustered]}
    assert artifacts.training_cut(plain, {"facts": {}}) is None
    assert artifacts.training_cut({**plain, "training": whole}, {"facts": whole}) is None
    said = artifacts.training_cut({**plain, "training": short, "techniques": [pruned]}, {"facts": {}})
    assert said == "a budget ended training early: nq had 12 of 30 epochs, prn had 12 of 30 epochs"
    said = artifacts.training_cut({**plain, "variant": "qat"}, {"facts": short})
    assert said == "a budget ended training early: qat had 12 of 30 epochs"
