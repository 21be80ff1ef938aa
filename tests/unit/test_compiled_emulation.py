"""What a compiled artifact is good for: never for a processor other than the one it was made for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from orchestrator import compiled
from orchestrator.engines.launch import Engine, Handle, Launch, Mount, Outcome, Target
from orchestrator.files import sha256_file
from tests.support import doubles, transcripts


@dataclass
class Compiler:
    """An engine whose runner compiles: it counts how often it had to."""

    name: str = "docker"
    made: list[str] = field(default_factory=list)

    def see(self, mount: Mount) -> str:
        return str(mount.source)

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        self.made.append(launch.name)
        output = next(mount.source for mount in launch.mounts if mount.writable) / "model.so"
        output.write_text(f"package {len(self.made)}")
        sha256 = sha256_file(output)
        made = {"path": str(output), "format": "so", "sha256": sha256, "bytes": 9, "build_ns": 1}
        lines = [transcripts.hello(), {"type": "artifact", **made}, {"type": "done", "iterations": 0}]
        launch.stdout.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return Outcome(0, 1, 0)


def package(cache: Path, engine: Compiler, emulator: dict[str, str]) -> Path:
    """What is loaded for one case under this emulator."""
    conditions = replace(doubles.conditions_of(cast(Engine, engine)), emulator=emulator)
    case, target = doubles.case(mode="aot"), Target("fake", "image", "sha256:1")
    artifact = doubles.load().artifact
    return compiled.ensure(case, artifact, target, "so", conditions, cache, lambda text: None)[0]


def test_a_package_is_made_once_for_each_emulated_processor(tmp_path: Path) -> None:
    engine = Compiler()
    first = package(tmp_path, engine, {"QEMU_CPU": "one"})
    assert package(tmp_path, engine, {"QEMU_CPU": "one"}) == first
    assert len(engine.made) == 1
    other = package(tmp_path, engine, {"QEMU_CPU": "two"})
    native = package(tmp_path, engine, {})
    assert len({first, other, native}) == len(engine.made) == 3
