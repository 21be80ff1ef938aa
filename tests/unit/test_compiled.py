"""What a machine makes for itself: kept under all that it depends on, and its failures explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator import compiled
from orchestrator.artifacts import Artifact
from orchestrator.domain import Case, InferometerError
from orchestrator.engines.launch import Launch, Mount, Outcome, Target
from orchestrator.engines.place import Place
from orchestrator.execute import Conditions
from orchestrator.files import sha256_file
from orchestrator.plan import QUICK

CASE = Case("board", "alpha", "net", accelerator="gpu")
DONE = {"type": "done", "iterations": 0}
HELLO = {"type": "hello", "protocols": ["1.1.0"], "sdk": "1.0.0", "runtime": "alpha", "version": "1"}


class Engine:
    """Answers as the runner of a GPU; ``error``: what its compiler says instead of making something."""

    name = "docker"

    def __init__(self, target: str | None = "GPU", error: str | None = None):
        self.target, self.error, self.compiled = target, error, 0

    def see(self, mount: Mount) -> str:
        return str(mount.source)

    def launch(self, launch: Launch, on_started: Any) -> Outcome:
        launch.stderr.write_text("one\nthe compiler's own words\n")
        messages: list[dict[str, Any]] = [{**HELLO, "accelerators": ["gpu"], "clock": {}}]
        if launch.command == "describe":
            messages[0] |= {"target": self.target} if self.target else {}
        elif self.error:
            messages.append({"type": "error", "code": "model", "message": self.error, "details": {}})
        else:
            self.compiled += 1
            path = Path(json.loads(launch.request)["output_dir"]) / "net.engine"
            path.write_bytes(b"engine")
            made = {"path": str(path), "format": "engine", "sha256": sha256_file(path), "bytes": 6}
            messages += [{"type": "artifact", "build_ns": 1, **made}, DONE]
        launch.stdout.write_text("".join(json.dumps(message) + "\n" for message in messages))
        return Outcome(0, 1, exit_code=1 if self.error and launch.command == "compile" else 0)


def ensure(folder: Path, engine: Any, machine: str = "a") -> Path:
    model = folder / "model.onnx"
    model.write_bytes(b"model")
    artifact = Artifact("net", "nq", 1, "onnx", model, sha256_file(model), 5, model, "x", None, None, None)
    root = folder / machine
    for name, text in {"proc/cpuinfo": "flags: x", "etc/machine-id": machine}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    conditions = Conditions(engine, QUICK, Place(root, "aarch64", (0,), remote=True), None)
    target = Target("alpha", "image", "sha256:1")
    return compiled.ensure(CASE, artifact, target, "engine", conditions, folder / "cache", print)[0]


def test_a_failure_keeps_its_log(tmp_path: Path) -> None:
    with pytest.raises(InferometerError) as caught:
        ensure(tmp_path, Engine(error="no kernel fits"))
    (log,) = (tmp_path / "cache/logs").iterdir()
    told = f"could not compile net: model: no kernel fits; the whole output: {log}"
    assert str(caught.value).endswith(told)
    assert "the compiler's own words" in log.read_text()


def test_what_was_made_is_made_once_for_a_machine_and_its_accelerator(tmp_path: Path) -> None:
    engine = Engine()
    assert ensure(tmp_path, engine) == ensure(tmp_path, engine)
    assert engine.compiled == 1
    assert ensure(tmp_path, engine, machine="b") != ensure(tmp_path, engine)
    engine.target = "another GPU"
    ensure(tmp_path, engine)
    assert engine.compiled == 3


def test_an_accelerator_that_is_not_told_has_no_cache(tmp_path: Path) -> None:
    engine = Engine(target=None)
    assert ensure(tmp_path, engine) != ensure(tmp_path, engine)
    assert engine.compiled == 2
