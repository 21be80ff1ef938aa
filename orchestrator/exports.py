"""Artifacts that are not there yet: made once by the exporter, with progress, in its own environment."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator import artifacts, weights
from orchestrator.catalog import Model
from orchestrator.domain import InferometerError
from orchestrator.engines import images, venvs
from orchestrator.engines.connection import connect
from orchestrator.engines.docker import remove
from orchestrator.engines.launch import STDERR
from orchestrator.engines.process import die_with
from orchestrator.engines.streams import Frames, attached

Progress = Callable[[str], None]
_TIMEOUT_S = 3600
# Labels: who made a container, so that a later export can tell whether anybody still waits for it.
_PLACE, _OWNER = "org.inferometer.exporter.place", "org.inferometer.exporter.owner"
# Random weights stand in for official ones that cannot be had; one seed, so that artifacts stay the same.
WEIGHTS_SEED = 0


def ensure(
    root: Path,
    cache: Path,
    model: Model,
    variant: str,
    batch: int,
    engine: str,
    progress: Progress,
) -> None:
    """Export a model variant at a batch size unless a current export is there.

    ``engine`` is ``docker`` or ``process``. Raises InferometerError naming the log when it fails.
    """
    if artifacts.is_current(root, cache, model, variant, batch):
        return
    if model.is_given:
        raise InferometerError(
            f"{artifacts.home(root, cache, model, variant, batch)}: no file of {model.id} for batch {batch}; "
            "bring one with `inferometer models add`"
        )
    folder = cache / "artifacts" / model.id / variant / f"b{batch}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    found, missing = weights.fetch(root, cache, model, progress)
    progress(f"exporting {model.id} {variant} (once)")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        staging = Path(temporary)
        staging.chmod(0o777)  # the exporter's container runs as another user
        arguments = ["export", "--variant", variant, "--batch", str(batch), "--seed", str(WEIGHTS_SEED)]
        arguments += ["--key", artifacts.export_key(root, model)]
        if missing:
            arguments += ["--weights-missing", missing]
        name = f"{model.id}-{variant}-b{batch}"
        log = cache / "logs" / f"export-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        run = _in_container if engine == "docker" else _in_venv
        run(Export(root, cache, model, name, found, tuple(arguments), staging, log, progress))
        made = staging / "out"
        if artifacts.read_manifest(made) is None:
            raise InferometerError(f"the export of {model.id} wrote no manifest; see {log}")
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(made, folder)
        _readable(folder)


def _readable(folder: Path) -> None:
    # Containers run as an unprivileged user of another id.
    for path in [folder, *folder.parents[:3], *folder.iterdir()]:
        if os.stat(path).st_uid == os.getuid():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


@dataclass(frozen=True)
class Export:
    """One export on its way: what its container or process needs."""

    root: Path
    cache: Path
    model: Model
    name: str
    weights: Path | None
    arguments: tuple[str, ...]
    staging: Path
    log: Path
    progress: Progress


class _Deadline:
    """Counts from when the image or the environment is there."""

    def __init__(self, export: Export):
        self._export, self._limit_s = export, _TIMEOUT_S
        self._end = time.monotonic() + self._limit_s

    def left(self) -> float:
        """Seconds. Raises InferometerError naming the log when none is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            who, log = self._export.model.id, self._export.log
            raise InferometerError(f"the export of {who} was stopped after {self._limit_s} s; its log: {log}")
        return left

    def arrivals(self, stream: Any, receive: Callable[[int], bytes]) -> Iterator[bytes]:
        """What comes out of a stream, until it ends."""
        while True:
            if select.select([stream], [], [], self.left())[0]:
                data = receive(1 << 16)
                if not data:
                    return
                yield data


def _in_container(export: Export) -> None:
    import requests

    image = images.ensure("models", export.root, export.cache, None, export.progress)
    card = export.model.path
    volumes = {
        str(card): {"bind": f"/data/{card.name}", "mode": "ro"},
        str(export.staging): {"bind": "/out", "mode": "rw"},
    }
    arguments = [*export.arguments, "--card", f"/data/{card.name}", "--out", "/out/out"]
    if export.weights:
        inside = f"/data/weights/{export.weights.name}"
        volumes[str(export.weights)] = {"bind": inside, "mode": "ro"}
        arguments += ["--weights", inside]
    with closing(connect()) as client:
        _remove_left(client)
        deadline = _Deadline(export)
        container = client.containers.create(
            image.tag,
            arguments,
            name=f"inferometer-export-{export.name}-{os.getpid()}",
            network_mode="none",
            read_only=True,
            init=True,
            tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
            user="10001:10001",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=512,  # torch uses threads
            volumes=volumes,
            labels=_labels(f"{os.getpid()} {_started(os.getpid())}"),
        )
        try:
            parser, frames = _Lines(export.progress, export.model.id), Frames()
            # Read both streams as they come: stdout is progress, stderr the log.
            with export.log.open("wb") as stream, attached(container) as connection:
                container.start()
                for data in deadline.arrivals(connection, connection.recv):
                    for number, part in frames.feed(data):
                        if number == STDERR:
                            stream.write(part)
                        else:
                            parser.feed(part)
            try:
                code = container.wait(timeout=deadline.left())["StatusCode"]
            except requests.RequestException:
                deadline.left()
                raise
        finally:
            remove(container)
    _conclude(code, parser, export)


def _labels(owner: str) -> dict[str, str]:
    # Process ids say nothing on another machine that shares the engine, nor in another container.
    return {_PLACE: f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}", _OWNER: owner}


def _remove_left(client: Any) -> None:
    """Remove exporters' containers whose orchestrator was killed; those of exports under way stay."""
    here = f"{_PLACE}={_labels('')[_PLACE]}"
    for container in client.containers.list(all=True, filters={"label": here}, ignore_removed=True):
        if not _lives(container.labels[_OWNER]):
            remove(container)


def _lives(owner: str) -> bool:
    pid, start = owner.split()
    with suppress(PermissionError):
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        return _started(int(pid)) == start
    return True  # another user's


def _started(pid: int) -> str | None:
    """When a process started, in ticks since boot: its id may go to another one. None when it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def _in_venv(export: Export) -> None:
    python = venvs.ensure("models", export.root / "models", export.cache, export.progress)
    command = [str(python), "-m", "models", *export.arguments]
    command += ["--card", str(export.model.path), "--out", str(export.staging / "out")]
    if export.weights:
        command += ["--weights", str(export.weights)]
    parser, deadline = _Lines(export.progress, export.model.id), _Deadline(export)
    with (
        export.log.open("wb") as stream,
        subprocess.Popen(
            command,
            bufsize=0,
            cwd=export.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stream,
            preexec_fn=partial(die_with, os.getpid()),
            start_new_session=True,
        ) as child,
    ):
        assert child.stdout
        try:
            for data in deadline.arrivals(child.stdout, child.stdout.read):
                parser.feed(data)
            try:
                code = child.wait(deadline.left())
            except subprocess.TimeoutExpired:
                deadline.left()
                raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)  # its own session: helpers it forked go as well
    _conclude(code, parser, export)


class _Lines:
    """The exporter's progress lines, cut from a stream of bytes."""

    def __init__(self, progress: Progress, model: str):
        self._progress, self._model = progress, model
        self._rest = b""
        self._began: dict[str, float] = {}
        self.error: str | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes of the exporter's standard output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # a library's own print; the exit status decides

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "error":
            self.error = str(message["message"])
        elif message["type"] == "step" and message["edge"] == "start":
            self._began[message["name"]] = time.monotonic()
        elif message["type"] == "step":
            seconds = time.monotonic() - self._began.get(message["name"], time.monotonic())
            self._progress(f"  {self._model}: {message['name']} done in {seconds:.0f} s")


def _conclude(code: int, parser: _Lines, export: Export) -> None:
    if code != 0 or parser.error:
        cause = parser.error or f"exit status {code}"
        if code == 137:
            cause = "killed, probably for lack of memory"
        raise InferometerError(f"the export of {export.model.id} failed: {cause}; its log: {export.log}")
