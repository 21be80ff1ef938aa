"""What names a run: code, machine, engine, and whether it was all emulated."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator import bench
from orchestrator.catalog import Catalog, Flavour, suite_root
from orchestrator.engines.base_images import PLATFORMS

FAKE = Catalog(suite_root()).runtimes()["fake"]
DEVICE = next(iter(Catalog(suite_root()).devices().values()))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("engine", ["docker", "process"])
def test_a_container_of_another_architecture_is_emulated(platform: str, engine: str) -> None:
    device = replace(DEVICE, platform=platform)
    marks = bench.identity(suite_root(), device, engine, [(FAKE, "cpu")])
    assert marks["emulated"] is (engine == "docker" and PLATFORMS[platform][1] != os.uname().machine)


def test_a_runtime_is_named_by_its_content_without_a_dockerfile(tmp_path: Path) -> None:
    for name in ("sdk", "foo"):
        (tmp_path / "runners" / name).mkdir(parents=True)
        (tmp_path / "runners" / name / "program.py").write_text("1")
    foo = replace(FAKE, id="foo")
    before = bench.identity(tmp_path, DEVICE, "process", [(foo, "cpu")])["runtimes"]
    for name in ("sdk", "foo"):
        (tmp_path / "runners" / name / "program.py").write_text("2")
        after = bench.identity(tmp_path, DEVICE, "process", [(foo, "cpu")])["runtimes"]
        assert after != before
        before = after


def test_an_image_for_another_accelerator_is_content_of_its_own() -> None:
    flavoured = replace(FAKE, flavours={"cuda": Flavour(("x86_64",), "requirements-cuda.txt")})
    marks = bench.identity(suite_root(), DEVICE, "docker", [(flavoured, "cpu"), (flavoured, "cuda")])
    assert set(marks["runtimes"]) == {"fake", "fake cuda"}
    assert len(set(marks["runtimes"].values())) == 2
