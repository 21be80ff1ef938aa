"""One run of the exporter in its own container or environment: progress, a deadline, nothing left behind."""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.catalog import Catalog
from orchestrator.domain import InferometerError
from orchestrator.engines import graphics, images, venvs
from orchestrator.engines.connection import connect
from orchestrator.engines.docker import remove, runtimes
from orchestrator.engines.launch import STDERR
from orchestrator.engines.process import die_with
from orchestrator.engines.streams import Frames, attached
from orchestrator.export_lines import Lines

Progress = Callable[[str], None]
_TIMEOUT_S = 3600
# Labels: who made a container, so that a later export can tell whether anybody still waits for it.
_PLACE, _OWNER = "org.inferometer.exporter.place", "org.inferometer.exporter.owner"


def run(export: Export, engine: str) -> dict[str, str]:
    """Run the exporter; returns the reason of each variant that could not be made.

    ``engine`` is ``docker`` or ``process``. Raises InferometerError naming the log when nothing was made.
    """
    import docker.errors

    try:
        return (_in_container if engine == "docker" else _in_venv)(export)
    except docker.errors.DockerException as problem:
        raise InferometerError(f"the export of {export.model}: Docker: {problem}") from None


@dataclass(frozen=True)
class Export:
    """One export on its way. ``files`` are what an option names; they are only read.

    ``work`` and ``out`` are folders of this user's that the exporter writes to.
    """

    root: Path
    cache: Path
    model: str
    name: str
    files: Mapping[str, Path]
    arguments: tuple[str, ...]
    work: Path
    out: Path
    log: Path
    trains: bool
    progress: Progress


class _Deadline:
    """Counts from when the image or the environment is there.

    Training may take days: there it counts from the last line of progress, one an epoch at least.
    """

    def __init__(self, export: Export):
        self._export, self._limit_s = export, _TIMEOUT_S
        self._end = time.monotonic() + self._limit_s

    def heard(self) -> None:
        """A line of progress has come."""
        if self._export.trains:
            self._end = time.monotonic() + self._limit_s

    def left(self) -> float:
        """Seconds. Raises InferometerError naming the log when none is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            who, log = self._export.model, self._export.log
            silent = " without progress" if self._export.trains else ""
            raise InferometerError(
                f"the export of {who} was stopped after {self._limit_s} s{silent}; its log: {log}"
            )
        return left

    def arrivals(self, stream: Any, receive: Callable[[int], bytes]) -> Iterator[bytes]:
        """What comes out of a stream, until it ends."""
        while True:
            if select.select([stream], [], [], self.left())[0]:
                data = receive(1 << 16)
                if not data:
                    return
                yield data


def _in_container(export: Export) -> dict[str, str]:
    import requests

    devices = Catalog(export.root).devices().values() if export.trains else ()
    build, lent = graphics.lend(devices, runtimes() if export.trains else (), os.uname().machine)
    image = images.ensure("models", export.root, export.cache, None, export.progress, build)
    volumes = {
        str(export.work): {"bind": "/work", "mode": "rw"},
        str(export.out): {"bind": "/out", "mode": "rw"},
    }
    arguments = [*export.arguments, "--work", "/work", "--out", "/out"]
    for option, path in export.files.items():
        inside = f"/data/{option}/{path.name}"
        volumes[str(path)] = {"bind": inside, "mode": "ro"}
        arguments += [f"--{option}", inside]
    with closing(connect()) as client:
        _remove_left(client)
        deadline = _Deadline(export)
        container = client.containers.create(
            image.tag,
            arguments,
            # What Docker takes as a name, and short: an id and all its variants may be long.
            name=f"inferometer-export-{re.sub('[^a-zA-Z0-9.-]', '-', export.name)[:80]}-{os.getpid()}",
            network_mode="none",
            read_only=True,
            init=True,
            tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
            # What it writes is its caller's, who moves it; root's is the image's own user's.
            user=f"{os.getuid()}:{os.getgid()}" if os.getuid() else "10001:10001",
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=512,  # torch uses threads
            volumes=volumes,
            labels=_labels(f"{os.getpid()} {_started(os.getpid())}"),
            **lent,
        )
        try:
            parser, frames = Lines(export.progress, export.model, deadline.heard), Frames()
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
    return _conclude(code, parser, export)


def _labels(owner: str) -> dict[str, str]:
    # Process ids say nothing on another machine that shares the engine, nor in another container.
    return {_PLACE: f"{socket.gethostname()} {os.readlink('/proc/self/ns/pid')}", _OWNER: owner}


def _remove_left(client: Any) -> None:
    """Remove exporters' containers whose orchestrator was killed; those of exports under way stay."""
    here = f"{_PLACE}={_labels('')[_PLACE]}"
    for container in client.containers.list(all=True, filters={"label": here}, ignore_removed=True):
        if not _lives(container.labels[_OWNER]):
            remove(container)


def end_mine() -> None:
    """Remove the containers of this process's exports: whoever waits for one in a thread hears no more.

    Children of the process engine end with this process by themselves.
    """
    try:
        client = connect()
    except InferometerError:
        return  # then there are none
    mine = _labels(f"{os.getpid()} {_started(os.getpid())}")
    with closing(client):
        labels = [f"{name}={value}" for name, value in mine.items()]
        for container in client.containers.list(all=True, filters={"label": labels}, ignore_removed=True):
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


def _in_venv(export: Export) -> dict[str, str]:
    python = venvs.ensure("models", export.root / "models", export.cache, export.progress)
    command = [str(python), "-m", "models", *export.arguments]
    command += ["--work", str(export.work), "--out", str(export.out)]
    for option, path in export.files.items():
        command += [f"--{option}", str(path)]
    deadline = _Deadline(export)
    parser = Lines(export.progress, export.model, deadline.heard)
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
    return _conclude(code, parser, export)


def _conclude(code: int, parser: Lines, export: Export) -> dict[str, str]:
    if code != 0 or parser.error:
        cause = parser.error or f"exit status {code}"
        if code == 137:
            cause = "killed, probably for lack of memory"
        raise InferometerError(f"the export of {export.model} failed: {cause}; its log: {export.log}")
    return parser.failed
