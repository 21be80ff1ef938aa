"""Small bundles, true to form, and what a bundle's bytes belong to."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import orchestrator
from orchestrator import artifacts
from orchestrator.bundle import archive, suite
from orchestrator.bundle.manifest import Export, Image, Manifest, Member, Suite
from orchestrator.catalog import Catalog, suite_root
from orchestrator.engines import base_images, images
from orchestrator.files import sha256_file

LONG = "wheels/" + "a" * 120 + "-1-py3-none-any.whl"
CONTENTS = {
    "suite.tar": b"the suite",
    "wheels/pip-1-py3-none-any.whl": b"p" * 512,
    LONG: b"",
    "artifacts/resnet50/nq/b1/model.onnx": bytes(range(256)) * 5,
    "images/fake.tar": b"layers",
}


def manifest(contents: Mapping[str, bytes] = CONTENTS, **fields: Any) -> Manifest:
    """One that suits this checkout and machine, but for the fields given."""
    root = suite_root()
    wheels = tuple(name.split("/")[1] for name in contents if name.startswith("wheels/"))
    files = suite.describe(root).files if (root / ".git").exists() else {}
    held: dict[str, Any] = {
        "suite": Suite(orchestrator.__version__, "c" * 40, False, files),
        "device": "x86",
        "platform": base_images.native(),
        "accelerators": ("cpu",),
        "images": {
            "fake": Image("fake", images.tag("fake", root), "inferometer/fake:1", "d", "images/fake.tar")
        },
        "exports": (Export("resnet50", "nq", 1, ("model.onnx",)), Export("digits-cnn", "nq", 1, ())),
        "wheels": {"3.11": wheels},
        "lock_sha256": sha256_file(root / "requirements.lock"),
        "members": tuple(Member(name, 0, "") for name in contents),
    }
    return Manifest(**{**held, **fields})


def source(name: str, content: bytes) -> archive.Source:
    def write(stream: BinaryIO) -> None:
        stream.write(content)

    return name, write


def make(path: Path, contents: Mapping[str, bytes] = CONTENTS, **fields: Any) -> Path:
    """A bundle of these contents."""
    archive.write(path, manifest(contents, **fields), [source(*item) for item in contents.items()])
    return path


def forge(path: Path, document: Mapping[str, Any] | bytes) -> Path:
    """A file whose manifest is this and whose sums all fit: what only somebody who means it makes."""
    text = document if isinstance(document, bytes) else json.dumps(document).encode()
    line = f"{hashlib.sha256(text).hexdigest()}  {archive.MANIFEST}\n".encode()
    with path.open("wb") as stream:
        for name, content in ((archive.MANIFEST, text), (archive.MANIFEST_SUM, line)):
            stream.write(archive.header(name, len(content)) + content + bytes(-len(content) % 512))
    return path


def document(path: Path) -> dict[str, Any]:
    """The manifest in a bundle as plain JSON."""
    with tarfile.open(path, "r:") as opened:
        found = opened.extractfile(archive.MANIFEST)
        assert found
        content: dict[str, Any] = json.loads(found.read())
    return content


def member_at(path: Path, position: int) -> str:
    """Which member a byte belongs to: its header, content and padding; the end to the last one."""
    with tarfile.open(path, "r:") as opened:
        return [item.name for item in opened.getmembers() if item.offset <= position][-1]


def exported(cache: Path) -> Path:
    """An artifact folder as the exporter leaves it, of a model that does not ship with the suite."""
    folder = cache / "artifacts/resnet50/nq/b1"
    folder.mkdir(parents=True)
    root = suite_root()
    key = artifacts.export_key(root, cache, Catalog(root).models()["resnet50"])
    content = {"schema": artifacts.SCHEMA, "key": key, "artifacts": [], "weights": {"kind": "trained"}}
    (folder / "manifest.json").write_text(json.dumps(content))
    (folder / "model.onnx").write_bytes(os.urandom(300_000))
    return folder
