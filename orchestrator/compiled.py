"""Artifacts only this machine can use, made by the runner's ``compile`` and cached.

The key is everything the result depends on: artifact, calibration tensors, runtime image or environment,
options, threads, the processor's instruction set, also where an emulator stands in for it, and for an
accelerator what the runner tells of it and the machine it is part of.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from orchestrator import environment, wire
from orchestrator.artifacts import Artifact, check
from orchestrator.diagnosis import diagnose
from orchestrator.domain import Case, InferometerError, Trial
from orchestrator.engines.launch import Launch, Mount, Target
from orchestrator.execute import Conditions, container_name
from orchestrator.files import sha256_file, write_atomic

_TIMEOUT_S = 1800.0


def processor_flags(cpuinfo: Path) -> str:
    """The processor's feature flags as the kernel lists them (x86 ``flags``, Arm ``Features``)."""
    lines = cpuinfo.read_text("utf-8", "replace").splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def key(
    case: Case, artifact: Artifact, target: Target, format_: str, machine: Sequence[str | None] = ()
) -> str:
    """Content key of a compiled artifact; ``machine``: what else of the place it depends on."""
    # Without an image the runner lies in a checkout, where it may change under the same name.
    programs = [sha256_file(Path(word)) for word in target.target.split("\0") if word.endswith(".py")]
    parts = [
        artifact.sha256,
        target.digest or target.target,
        *programs,
        format_,
        str(case.threads),
        case.accelerator,
    ]
    parts += [f"{name}={value}" for name, value in case.options] + [str(part) for part in machine]
    parts += [sha256_file(artifact.calibration)] if artifact.calibration else []
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def ensure(
    case: Case,
    artifact: Artifact,
    target: Target,
    format_: str,
    conditions: Conditions,
    cache: Path,
    progress: Callable[[str], None],
) -> tuple[Path, str, int]:
    """(path, SHA-256, build time in ns). Raises InferometerError when the runner cannot make it."""
    machine: list[str | None] = [processor_flags(conditions.place.root / "proc/cpuinfo")]
    machine += [f"{name}={value}" for name, value in sorted(conditions.emulator.items())]
    if case.accelerator != "cpu":
        machine += _accelerator(case, target, conditions)
    name = key(case, artifact, target, format_, machine)
    folder, log = cache / "compiled" / name, cache / "logs" / f"compile-{case.runtime}-{name}.log"
    stored = folder / "compiled.json"
    if stored.exists():
        entry = json.loads(stored.read_bytes())
        check(folder / entry["file"], entry["sha256"])
        return folder / entry["file"], entry["sha256"], entry["build_ns"]
    progress(f"compiling {case.model} for {case.runtime_label} (once on this machine)")
    for path in (folder, log):
        path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".compile.") as temporary:
        staging = Path(temporary)
        output = staging / "out"
        output.mkdir()
        for path in (staging, output):
            path.chmod(0o777)  # the runner's container writes as another user
        message = _compile(case, artifact, target, conditions, output, staging, log)
        made = output / Path(message["path"]).name
        sha256 = sha256_file(made)
        if sha256 != message["sha256"] or message["format"] != format_:
            raise InferometerError(f"the compiled {case.id} is not what its runner announced")
        folder.mkdir(exist_ok=True)
        os.replace(made, folder / made.name)
    entry = {"file": made.name, "sha256": sha256, "build_ns": message["build_ns"], "bytes": message["bytes"]}
    write_atomic(stored, json.dumps(entry).encode())
    progress(f"  {case.model}: compiled in {message['build_ns'] / 1e9:.0f} s")
    return folder / made.name, sha256, message["build_ns"]


def _accelerator(case: Case, target: Target, conditions: Conditions) -> list[str | None]:
    """Version of the runtime, which the image may take from the board, what the runner compiles for, where.

    A runner that tells of no accelerator gets no key that fits a second time.
    """
    with tempfile.TemporaryDirectory(prefix="inferometer-describe-") as temporary:
        launch = Launch(
            name=container_name(Trial(case, 0)),
            target=target.target,
            command="describe",
            request=wire.Request("describe", accelerator=case.accelerator).line(),
            stdout=Path(temporary) / "transcript.jsonl",
            stderr=Path(temporary) / "stderr.log",
            timeout_s=_TIMEOUT_S,
            memory_bytes=conditions.memory_bytes,
            accelerator=case.accelerator,
        )
        conditions.engine.launch(launch, lambda handle: None)
        with launch.stdout.open("rb") as stream:
            hello = wire.read(stream).hello or {}
    known = hello.get("version"), hello.get("target") or secrets.token_hex()
    return [*known, environment.machine_id(conditions.place.root)]


def _compile(
    case: Case,
    artifact: Artifact,
    target: Target,
    conditions: Conditions,
    output: Path,
    staging: Path,
    log: Path,
) -> dict[str, Any]:
    needed = [path.name for path in (artifact.path, artifact.calibration) if path]
    source = Mount(artifact.path.parent, "model", names=tuple(needed))
    sink = Mount(output, "output", writable=True)
    request = wire.Request(
        "compile",
        model={
            "path": f"{conditions.engine.see(source)}/{artifact.path.name}",
            "format": artifact.format,
            "sha256": artifact.sha256,
        },
        inputs=f"{conditions.engine.see(source)}/{artifact.calibration.name}"
        if artifact.calibration
        else None,
        threads=case.threads,
        accelerator=case.accelerator,
        options=dict(case.options),
        output_dir=conditions.engine.see(sink),
    )
    launch = Launch(
        name=container_name(Trial(case, 0)),
        target=target.target,
        command="compile",
        request=request.line(),
        stdout=staging / "transcript.jsonl",
        stderr=log,
        timeout_s=_TIMEOUT_S,
        mounts=(source, sink),
        memory_bytes=conditions.memory_bytes,
        accelerator=case.accelerator,
    )
    outcome = conditions.engine.launch(launch, lambda handle: None)
    with launch.stdout.open("rb") as stream:
        transcript = wire.read(stream)
    if transcript.artifact is None or outcome.exit_code != 0:
        _, reason = diagnose(outcome, transcript, _TIMEOUT_S, conditions.memory_bytes)
        # A runner that says why needs no second voice.
        told = "" if transcript.error else launch.stderr.read_text("utf-8", "replace").strip()
        tail = told.splitlines()[-1:] or [""]
        raise InferometerError(
            f"{case.runtime_label} could not compile {case.model}: {f'{reason} {tail[0]}'.strip()}; "
            f"the whole output: {log}"
        )
    return transcript.artifact
