"""The Docker engine: each trial a fresh container, shut off from everything it does not need."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestrator.catalog import Runtime
from orchestrator.engines import images
from orchestrator.engines.connection import connect as connect
from orchestrator.engines.launch import Handle, Launch, Mount, Outcome, Sink, Target

LABEL = "org.inferometer.device"
_USER = "10001:10001"
# Compilers of some runtimes load what they build from /tmp, hence exec.
_TMPFS = {"/tmp": "rw,exec,nosuid,nodev,size=2g,mode=1777"}
_GRACE_S = 10.0
# After the end what was still on its way arrives at once.
_QUIET_S = 1.0


class _Container:
    def __init__(self, container: Any):
        self._container = container
        container.reload()
        self.pid = int(container.attrs["State"]["Pid"])

    def signal(self, number: int) -> None:
        self._container.kill(number)


class DockerEngine:
    """Runs runners in containers through the ``docker`` SDK."""

    name = "docker"

    def __init__(
        self,
        root: Path,
        cache: Path,
        device: str,
        platform: str,
        accelerators: Mapping[str, Mapping[str, Any]],
        environment: Mapping[str, str] = {},
    ):
        """``accelerators``: what a container needs to reach each (devices, runtime, environment).

        ``environment`` reaches every container: what an emulator wants to know.
        """
        self._root, self._cache = root, cache
        self._device, self._platform = device, platform
        self._accelerators, self._environment = accelerators, environment
        self._client = connect()

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """The runtime's image, built once for the content of its folder."""
        arguments = runtime.build_arguments(accelerator)
        image = images.ensure(runtime.id, self._root, self._cache, self._platform, progress, arguments)
        return Target(runtime.id, image.tag, image.digest, image.bytes)

    def see(self, mount: Mount) -> str:
        """Where a mount lies in the container."""
        return f"/data/{mount.role}"

    def clean(self) -> list[str]:
        """Remove containers of this device that a killed orchestrator left."""
        left = self._client.containers.list(all=True, filters={"label": f"{LABEL}={self._device}"})
        for container in left:
            remove(container)
        return [str(container.name) for container in left]

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """See :class:`orchestrator.engines.launch.Engine`."""
        import docker.errors
        import requests

        sink = Sink(launch.stdout, launch.stderr)
        container = end = None
        started_ns = time.monotonic_ns()
        try:
            container = self._create(launch)
            with attached(container) as stream:
                started_ns = time.monotonic_ns()
                container.start()
                end = _End(container, launch.timeout_s)
                on_started(_Container(container))
                timed_out = _pump(stream, end.socket, launch, sink)
            return self._outcome(container, started_ns, timed_out, sink)
        except (docker.errors.DockerException, requests.RequestException) as problem:
            return Outcome(started_ns, time.monotonic_ns(), problem=f"Docker: {problem}")
        finally:
            if container is not None:
                remove(container)
            if end is not None:
                end.close()
            sink.close()

    def _create(self, launch: Launch) -> Any:
        from docker.types import LogConfig

        volumes = {
            str(mount.source): {"bind": self.see(mount), "mode": "rw" if mount.writable else "ro"}
            for mount in launch.mounts
        }
        arguments = dict(self._accelerators.get(launch.accelerator, {}))
        environment = {**self._environment, **arguments.pop("environment", {}), **launch.environment}
        return self._client.containers.create(
            launch.target,
            [launch.command],
            name=launch.name,
            labels={LABEL: self._device},
            platform=self._platform,
            init=launch.init,
            stdin_open=True,
            network_mode="none",
            read_only=True,
            tmpfs=_TMPFS,
            user=_USER,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=512,
            mem_limit=launch.memory_bytes,
            memswap_limit=launch.memory_bytes,  # equal: no swap, which would slow instead of fail
            cpuset_cpus=",".join(str(core) for core in launch.cores) or None,
            environment=environment,
            volumes=volumes,
            log_config=LogConfig(type="none"),
            **arguments,
        )

    def _outcome(self, container: Any, started_ns: int, timed_out: bool, sink: Sink) -> Outcome:
        import docker.errors
        import requests

        code: int | None = None
        if timed_out or sink.overflow:
            with suppress(docker.errors.APIError):  # it may have ended meanwhile
                container.kill()
        else:
            try:
                code = int(container.wait(timeout=_GRACE_S)["StatusCode"])
            except requests.exceptions.RequestException:
                timed_out = True  # closed its streams and stayed
        ended_ns = time.monotonic_ns()
        container.reload()
        # A death by signal n shows as exit status 128 + n.
        number = code - 128 if code is not None and 128 < code < 160 else None
        return Outcome(
            started_ns,
            ended_ns,
            exit_code=code if number is None else None,
            signal=number,
            oom_killed=bool(container.attrs["State"].get("OOMKilled")),
            timed_out=timed_out,
            overflow=sink.overflow,
        )


def runtimes() -> list[str]:
    """The container runtimes the engine offers, its default first."""
    info = connect().info()
    default = str(info.get("DefaultRuntime", "runc"))
    return [default, *(name for name in info.get("Runtimes") or {} if name != default)]


def remove(container: Any) -> None:
    """By force; what another has removed, or an engine that has gone, is no failure of a trial."""
    import docker.errors
    import requests

    with suppress(docker.errors.DockerException, requests.RequestException):
        container.remove(force=True)


@contextmanager
def attached(container: Any) -> Iterator[socket.socket]:
    """All three streams of a container that is not started yet; closed with the block."""
    raw = container.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
    connection: socket.socket = getattr(raw, "_sock", raw)
    try:
        yield connection
    finally:
        raw.close()  # a file above the socket, which would hold it open
        connection.close()


class _End:
    """A socket that ends when the container does.

    The Engine may keep an attached stream open after the end of a runner that left input unread.
    """

    def __init__(self, container: Any, timeout_s: float):
        self.socket, ours = socket.socketpair()
        self._thread = threading.Thread(target=self._wait, args=(container, timeout_s, ours), daemon=True)
        self._thread.start()

    @staticmethod
    def _wait(container: Any, timeout_s: float, ours: socket.socket) -> None:
        import docker.errors
        import requests

        with ours, suppress(docker.errors.DockerException, requests.RequestException):
            container.wait(timeout=timeout_s + 2 * _GRACE_S)

    def close(self) -> None:
        """After the container is gone."""
        self._thread.join()
        self.socket.close()


def _pump(connection: socket.socket, end: socket.socket, launch: Launch, sink: Sink) -> bool:
    """Feed the request, drain the multiplexed stream; True when the deadline came first.

    ``end`` becomes readable when the container has ended.
    """
    deadline = time.monotonic() + launch.timeout_s
    connection.setblocking(False)
    request: memoryview | None = memoryview(launch.request)
    sources, frames = [connection, end], Frames()
    while True:
        left = deadline - time.monotonic() if end in sources else _QUIET_S
        if left <= 0:
            return True
        readable, writable, _ = select.select(sources, [] if request is None else [connection], [], left)
        if not (readable or writable):
            return end in sources
        if request is not None and writable:
            request = _feed(connection, request)
        if connection in readable:
            data = _receive(connection)
            if not data:
                return False
            for stream, part in frames.feed(data):
                sink.write(stream, part)
            if sink.overflow:
                return False
        if end in readable:
            sources, request = [connection], None


def _feed(connection: socket.socket, request: memoryview) -> memoryview | None:
    """Send what fits; the rest. After the last byte the runner's standard input ends, and nothing is left."""
    try:
        rest = request[connection.send(request) :]
        if rest:
            return rest
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # it died before reading; its exit code tells
    return None


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1 << 16)
    except ConnectionResetError:
        return b""


class Frames:
    """Docker's attach format: 8 bytes of header (stream, 3 zeros, big-endian length), then payload.

    Source: Docker Engine API, "Attach to a container", Stream format.
    """

    def __init__(self) -> None:
        self._header = b""
        self._stream = 0
        self._left = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Payload parts as soon as they are there, with their stream number."""
        while data:
            if self._left == 0:
                take = 8 - len(self._header)
                self._header, data = self._header + data[:take], data[take:]
                if len(self._header) < 8:
                    return
                self._stream = self._header[0]
                self._left = int.from_bytes(self._header[4:], "big")
                self._header = b""
                continue
            part, data = data[: self._left], data[self._left :]
            self._left -= len(part)
            yield self._stream, part
