"""Makes each launch once, when a check first asks for it, and keeps its evidence for all of them."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from orchestrator.conformance.evidence import Evidence, read_lines
from orchestrator.conformance.scenarios import Places, Scenario, Scenarios
from orchestrator.conformance.subject import Subject
from orchestrator.conformance.witness import Witness
from orchestrator.engines.launch import Launch, Mount
from orchestrator.files import sha256_file

NO_MODELS = ("garbage", "an empty file", "half a model")
# Of a transcript beyond the protocol's limits only the beginning is read.
_GLANCE_BYTES = 1 << 20


class NotProvoked(Exception):
    """A check that could not be made; the text says why."""


class Launches:
    """The launches of one subject. ``scratch`` keeps request, transcript and log of each."""

    def __init__(self, subject: Subject, scratch: Path, say: Callable[[str], None]):
        self.subject = subject
        self.scratch = scratch
        self._say = say
        self._taken: dict[str, Evidence] = {}
        self._dead: str | None = None
        material, see = subject.material, subject.engine.see
        self._output = Mount(_open_folder(scratch / "output"), "output", writable=True)
        broken = Mount(_open_folder(scratch / "broken"), "broken")
        model, inputs = Mount(material.path.parent, "model"), Mount(material.inputs.parent, "inputs")
        self._mounts: tuple[Mount, ...] = (model, inputs, broken, self._output)
        if model.source == inputs.source:  # Docker mounts a folder at one place only
            inputs, self._mounts = model, (model, broken, self._output)
        files = _break(broken.source, material.path)
        places = Places(
            f"{see(model)}/{material.path.name}",
            f"{see(inputs)}/{material.inputs.name}",
            {name: (f"{see(broken)}/{path.name}", sha256_file(path)) for name, path in files.items()},
            see(self._output),
        )
        self.scenarios = Scenarios(subject, places, self.take)

    def take(self, name: str) -> Evidence:
        """The evidence of a scenario. Raises NotProvoked once the subject has proved unable to start."""
        if name not in self._taken:
            if self._dead:
                raise NotProvoked(self._dead)
            scenario = self.scenarios.make(name)
            self._say(name)
            evidence = self._launch(name, scenario)
            if evidence.outcome.problem:
                self._dead = evidence.ending
            self._taken[name] = evidence
        return self._taken[name]

    def finished(self, name: str) -> Evidence:
        """The evidence of a scenario that reached its end. Raises NotProvoked where it did not."""
        evidence = self.take(name)
        if not evidence.finished:
            raise NotProvoked(f"`{name}` did not finish: {evidence.ending}")
        return evidence

    def taken(self) -> list[Evidence]:
        """All evidence so far, in the order of the launches."""
        return list(self._taken.values())

    def on_host(self, path: str) -> Path | None:
        """Where a path below ``output_dir`` lies for us, None for a path elsewhere."""
        seen = self.subject.engine.see(self._output)
        relative = os.path.relpath(path, seen)
        return None if relative.startswith("..") else self._output.source / relative

    def _launch(self, name: str, scenario: Scenario) -> Evidence:
        folder = self.scratch / name.replace(" ", "-")
        folder.mkdir()
        (folder / "request.json").write_bytes(scenario.request)
        stdout, stderr = folder / "transcript.jsonl", folder / "stderr.log"
        witness = Witness(stdout, stderr, scenario.terminate)
        launch = Launch(
            f"inferometer-conformance-{os.getpid()}-{len(self._taken)}",
            self.subject.target,
            scenario.command,
            scenario.request,
            stdout,
            stderr,
            scenario.timeout_s,
            self._mounts,
            environment=scenario.environment,
            init=scenario.init,
        )
        try:
            outcome = self.subject.engine.launch(launch, witness.watch)
        finally:
            witness.stop()
        with stdout.open("rb") as stream:
            data = stream.read(_GLANCE_BYTES if outcome.overflow else -1)
        return Evidence(
            name,
            scenario.command,
            scenario.asked,
            outcome,
            read_lines(data),
            stderr.stat().st_size,
            tuple(witness.grown_ns),
            witness.signalled_ns,
            scenario.timeout_s,
        )


def _open_folder(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o777)  # a container reads and writes as another user
    return path


def _break(folder: Path, model: Path) -> dict[str, Path]:
    """Files that are no models, each with the model's suffix because some runtimes look at it."""
    content = model.read_bytes()
    broken = (random.Random(0).randbytes(65536), b"", content[: len(content) // 2])
    files = {name: folder / f"{name.replace(' ', '-')}{model.suffix}" for name in NO_MODELS}
    for path, data in zip(files.values(), broken, strict=True):
        path.write_bytes(data)
        path.chmod(0o644)
    return files
