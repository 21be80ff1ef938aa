"""What ships is what the exporter makes: the digits again, byte for byte, in its own container.

Takes 20 seconds; building the exporter's image, of two gigabytes, takes some minutes once.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts, exports
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, suite_root
from orchestrator.engines import images
from orchestrator.files import sha256_file

ROOT = suite_root()
MODEL = "digits-cnn"
SHIPPED = ROOT / "models/artifacts" / MODEL / "nq/b1"
NAMES = sorted(path.name for path in SHIPPED.iterdir())


def manifest(folder: Path) -> dict[str, Any]:
    """The manifest, read past what is being tested."""
    content: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return content


def test_what_ships_is_small_and_is_what_its_manifest_says() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.parents[1].rglob("*") if path.is_file()) < 10**6
    told = manifest(SHIPPED)
    listed = told["files"] | {entry["file"]: entry["sha256"] for entry in told["artifacts"]}
    assert sorted([*listed, "manifest.json"]) == NAMES
    assert {name: sha256_file(SHIPPED / name) for name in listed} == listed
    assert {entry["format"] for entry in told["artifacts"]} == {"onnx", "tflite", "pt2"}
    assert all((SHIPPED / entry["file"]).stat().st_size == entry["bytes"] for entry in told["artifacts"])


@pytest.fixture(scope="module")
def exporter() -> str:
    """The exporter's image."""
    return images.ensure("models", ROOT, cache_root(), None, print).tag


@pytest.fixture(scope="module")
def exported(exporter: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The digits, exported by the product's own path into another cache."""
    cache, said = tmp_path_factory.mktemp("cache"), []
    with pytest.MonkeyPatch.context() as patch:
        # What ships counts as current without a look.
        patch.setattr(artifacts, "is_current", lambda *given: False)
        model = Catalog(ROOT).models()[MODEL]
        exports.ensure(ROOT, cache, model, "nq", 1, "docker", said.append)
    assert f"exporting {MODEL} nq (once)" in said
    assert [line for line in said if f"{MODEL} nq: onnx done in" in line]
    assert [path.name for path in (cache / "artifacts" / MODEL / "nq").iterdir()] == ["b1"]
    return cache / "artifacts" / MODEL / "nq/b1"


def in_exporter(client: Any, image: str, folder: Path) -> tuple[int, list[dict[str, Any]]]:
    """``python -m models verify`` on a folder: exit status and the lines."""
    container = client.containers.create(
        image,
        ["verify", "/data/folder"],
        network_mode="none",
        volumes={str(folder): {"bind": "/data/folder", "mode": "ro"}},
    )
    try:
        container.start()
        code = container.wait(timeout=180)["StatusCode"]
        lines = container.logs(stdout=True, stderr=False).decode().splitlines()
        return code, [json.loads(line) for line in lines]
    finally:
        container.remove(force=True)


@pytest.mark.docker
@pytest.mark.exporter
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_export_is_the_same_again(exported: Path, name: str) -> None:
    assert sorted(path.name for path in exported.iterdir()) == NAMES
    if name != "manifest.json":
        assert (exported / name).read_bytes() == (SHIPPED / name).read_bytes()
        return
    again, shipped = manifest(exported), manifest(SHIPPED)
    assert again["key"] == artifacts.export_key(ROOT, cache_root(), Catalog(ROOT).models()[MODEL])
    # The key hashes the exporter's own code: what ships cannot hold it, this test stands in for it.
    assert shipped["key"] is None
    # How far a runtime is from PyTorch is measured where it is exported: processors differ in the last bits.
    for entry in again["artifacts"] + shipped["artifacts"]:
        assert entry.pop("difference") < 1e-5
    assert again | {"key": None} == shipped


@pytest.mark.docker
@pytest.mark.exporter
@pytest.mark.slow
def test_every_file_computes_what_the_reference_says(engine_client: Any, exporter: str) -> None:
    code, lines = in_exporter(engine_client, exporter, SHIPPED)
    assert code == 0
    assert lines[-1]["type"] == "done"
    results = {result["format"]: result for result in lines[-1]["artifacts"]}
    assert set(results) == {"onnx", "tflite", "pt2"}
    for result in results.values():
        assert result["top1_equal"] == result["total"] > 300
        assert result["correct"] > 0.9 * result["total"]


@pytest.mark.docker
@pytest.mark.exporter
@pytest.mark.slow
def test_a_wrong_hash_is_refused_in_one_line(engine_client: Any, exporter: str, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(SHIPPED, folder)
    for path in (tmp_path, folder):
        path.chmod(0o755)
    content = bytearray((folder / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.onnx").write_bytes(content)
    code, lines = in_exporter(engine_client, exporter, folder)
    assert code == 1
    (line,) = lines
    assert line["type"] == "error"
    assert line["message"].startswith("/data/folder/model.onnx: SHA-256 is ")
    assert ", the manifest says " in line["message"]
