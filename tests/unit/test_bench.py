"""What names a run: code, machine, engine, and whether it was all emulated."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from orchestrator import bench
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, Flavour, Runtime, suite_root
from orchestrator.engines.base_images import PLATFORMS
from orchestrator.engines.launch import Engine, Launch, Mount, Outcome, Target
from orchestrator.engines.place import here
from orchestrator.own import OwnModel
from orchestrator.plan import Wish
from tests.support import transcripts
from tests.support.doubles import Quiet

FAKE = Catalog(suite_root()).runtimes()["fake"]
DEVICE = next(iter(Catalog(suite_root()).devices().values()))


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("engine", ["docker", "process"])
def test_a_container_of_another_architecture_is_emulated(platform: str, engine: str) -> None:
    device = replace(DEVICE, platform=platform)
    marks = bench.identity(suite_root(), device, engine, [(FAKE, "cpu")], here())
    assert marks["emulated"] is (engine == "docker" and PLATFORMS[platform][1] != os.uname().machine)


def test_a_runtime_is_named_by_its_content_without_a_dockerfile(tmp_path: Path) -> None:
    for name in ("sdk", "foo"):
        (tmp_path / "runners" / name).mkdir(parents=True)
        (tmp_path / "runners" / name / "program.py").write_text("1")
    foo = replace(FAKE, id="foo")
    before = bench.identity(tmp_path, DEVICE, "process", [(foo, "cpu")], here())["runtimes"]
    for name in ("sdk", "foo"):
        (tmp_path / "runners" / name / "program.py").write_text("2")
        after = bench.identity(tmp_path, DEVICE, "process", [(foo, "cpu")], here())["runtimes"]
        assert after != before
        before = after


def test_an_image_for_another_accelerator_is_content_of_its_own() -> None:
    flavoured = replace(FAKE, flavours={"cuda": Flavour(("x86_64",), "requirements-cuda.txt")})
    marks = bench.identity(suite_root(), DEVICE, "docker", [(flavoured, "cpu"), (flavoured, "cuda")], here())
    assert set(marks["runtimes"]) == {"fake", "fake cuda"}
    assert len(set(marks["runtimes"].values())) == 2


class OneGpu:
    """An engine whose runtime tells of a model only where it runs."""

    name = "docker"

    def __init__(self) -> None:
        self.prepared: list[tuple[str, str]] = []

    def see(self, mount: Mount) -> str:
        return str(mount.source)

    def prepare(self, runtime: Runtime, progress: Any, accelerator: str = "cpu") -> Target:
        self.prepared.append((runtime.id, accelerator))
        return Target(runtime.id, "image")

    def launch(self, launch: Launch, on_started: Any) -> Outcome:
        messages: list[dict[str, Any]] = [transcripts.hello()]
        if (launch.accelerator, json.loads(launch.request)["accelerator"]) == ("cuda", "cuda"):
            inputs = [transcripts.tensor("input", [1, 3, 8, 8])]
            messages += [
                {"type": "model", "inputs": inputs, "outputs": inputs},
                {"type": "done", "iterations": 0},
            ]
        launch.stdout.write_bytes(b"".join(transcripts.lines(messages)))
        return Outcome(0, 1, exit_code=0)


def test_a_model_of_one_s_own_is_read_where_its_runtime_runs(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path, engine = tmp_path / "mine.onnx", OneGpu()
    path.write_bytes(b"model")
    order = Order(Wish("", runtimes=("tensorrt",)), own=(OwnModel(path),))
    (artifact,) = bench._bring_in(
        Catalog(suite_root()), tmp_path, order, DEVICE, cast(Engine, engine), Quiet()
    )
    assert (artifact.model, engine.prepared) == ("mine", [("tensorrt", "cuda")])
