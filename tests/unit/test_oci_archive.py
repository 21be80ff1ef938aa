"""One archive, one index, each platform in it, every blob under its own hash."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines import base_images, oci_archive

REFERENCE = "debian:bookworm-slim"


@pytest.fixture
def roots(tmp_path: Path) -> dict[str, Path]:
    found = {}
    for platform in ("linux/arm64", "linux/amd64"):
        path = tmp_path / f"{platform.replace('/', '-')}.tar"
        with tarfile.open(path, "w") as archive:
            entry = tarfile.TarInfo("etc/platform")
            entry.size = len(platform)
            archive.addfile(entry, io.BytesIO(platform.encode()))
        found[platform] = path
    return found


def packed(roots: dict[str, Path], native: str = "linux/amd64") -> dict[str, bytes]:
    """The archive's files by name."""
    path = next(iter(roots.values())).with_name("image.tar")
    oci_archive.pack(roots, REFERENCE, native, path)
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert len(names) == len(set(names))
        return {name: archive.extractfile(name).read() for name in names}  # type: ignore[union-attr]


def blob(files: dict[str, bytes], descriptor: dict[str, Any]) -> bytes:
    """What a descriptor points to, as long as it says."""
    content = files["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
    assert len(content) == descriptor["size"]
    return content


def test_every_blob_lies_under_its_hash(roots: dict[str, Path]) -> None:
    blobs = {name: data for name, data in packed(roots).items() if name.startswith("blobs/")}
    assert len(blobs) == 2 * 3 + 1  # layer, config and manifest of each; one index
    for name, data in blobs.items():
        assert name == f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"


def test_one_index_holds_each_platform(roots: dict[str, Path]) -> None:
    files = packed(roots)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    (top,) = json.loads(files["index.json"])["manifests"]
    assert top["annotations"]["io.containerd.image.name"] == f"docker.io/library/{REFERENCE}"
    index = json.loads(blob(files, top))
    assert index["mediaType"] == top["mediaType"] == "application/vnd.oci.image.index.v1+json"
    seen = set()
    for entry in index["manifests"]:
        platform = "/".join((entry["platform"]["os"], entry["platform"]["architecture"]))
        manifest = json.loads(blob(files, entry))
        config = json.loads(blob(files, manifest["config"]))
        (layer,) = manifest["layers"]
        assert f"{config['os']}/{config['architecture']}" == platform
        assert config["rootfs"]["diff_ids"] == [layer["digest"]]  # a layer that is not compressed
        assert blob(files, layer) == roots[platform].read_bytes()
        seen.add(platform)
    assert seen == set(roots)


@pytest.mark.parametrize("native", ["linux/amd64", "linux/arm64"])
def test_engines_with_the_older_store_get_their_own_platform(roots: dict[str, Path], native: str) -> None:
    files = packed(roots, native)
    (legacy,) = json.loads(files["manifest.json"])
    assert legacy["RepoTags"] == [REFERENCE]
    assert files[legacy["Layers"][0]] == roots[native].read_bytes()
    assert json.loads(files[legacy["Config"]])["architecture"] == native.removeprefix("linux/")


def test_the_same_roots_give_the_same_archive(roots: dict[str, Path], tmp_path: Path) -> None:
    paths = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for path, order in zip(paths, (1, -1), strict=True):
        oci_archive.pack(dict(list(roots.items())[::order]), REFERENCE, "linux/amd64", path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_what_cannot_be_made_here_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = next(name for name in base_images.PLATFORMS if name != base_images.native())
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert "there is no Debian base for linux/vax" in str(base_images.why_not("linux/vax"))
    assert base_images.why_not(base_images.native(), tmp_path) is None
    assert "is not registered with flag F" in str(base_images.why_not(foreign, tmp_path))
    entry = tmp_path / base_images.PLATFORMS[foreign][2]
    entry.write_text("enabled\ninterpreter /usr/bin/qemu\nflags: OC\n")
    assert "is not registered with flag F" in str(base_images.why_not(foreign, tmp_path))
    entry.write_text("enabled\ninterpreter /usr/bin/qemu\nflags: OCF\n")
    assert base_images.why_not(foreign, tmp_path) is None
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert "apt-get install mmdebstrap" in str(base_images.why_not(base_images.native(), tmp_path))
