"""The Docker Engine of a board, over ssh: a trial outlives a broken link and is fetched after its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import Any

from orchestrator.catalog import Runtime
from orchestrator.domain import InferometerError
from orchestrator.engines import images, nodes, observer, volumes
from orchestrator.engines.connection import LABEL, connect
from orchestrator.engines.docker import Container, DockerEngine, outcome_of
from orchestrator.engines.launch import STDERR, STDOUT, Handle, Launch, Mount, Outcome, Sink, Target, Watch
from orchestrator.engines.remote_observer import RemoteObserver
from orchestrator.engines.ssh import Link
from orchestrator.engines.streams import attached, feed
from orchestrator.measurement import Line, parse_lines

_OUTPUT = "inferometer-output-"
_POLL_S = 30.0
_SILENCE_S = 3600
# More than a transcript and a log may have: what floods a board's disk ends as a torn transcript.
_LOG = {"max-size": "300m", "max-file": "1"}
_PART = 1 << 16
_CLOCK = "import time; print(int(time.monotonic() * 1e9))"
# Only a bench that holds the board's lock says this: these are nobody's.
_CLEAN = (
    "for d in /dev/shm/inferometer.?????? /tmp/inferometer.??????; do p=$(cat $d/pid 2>/dev/null) && "
    "grep -q pyz /proc/$p/cmdline 2>/dev/null && kill $p; rm -rf $d; done; true"
)
_FULL = "no space left on device"


class BoardEngine(DockerEngine):
    """Launches on a board. ``build``: whether images are made ``here`` (and carried) or ``there``."""

    def __init__(
        self,
        link: Link,
        build: str,
        root: Path,
        cache: Path,
        device: str,
        platform: str,
        accelerators: Mapping[str, Mapping[str, Any]],
    ):
        client = connect(address=f"unix://{link.socket}")
        # A container is made again when the link broke, and so is this question.
        owners = once(lambda patterns: nodes.owners_there(link, patterns))
        super().__init__(root, cache, device, platform, accelerators, client=client, owners=owners)
        self._link, self._build = link, build
        self._full: dict[Mount, str] = {}  # volumes known to be there
        self._observer = RemoteObserver(link)
        self._log = ("json-file", _LOG)

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """The runtime's image, on the board."""
        import docker.errors

        arguments = runtime.build_arguments(accelerator)
        tag = images.tag(runtime.id, self._root, self._platform, arguments)
        address = f"unix://{self._link.socket}"
        try:
            self._link.persist(lambda: self._client.images.get(tag))
        except docker.errors.ImageNotFound:
            if self._build == "there":
                images.ensure(
                    runtime.id, self._root, self._cache, self._platform, progress, arguments, address
                )
            else:
                try:
                    images.ensure(runtime.id, self._root, self._cache, self._platform, progress, arguments)
                except InferometerError as problem:
                    raise InferometerError(f"{problem}; or BUILD=there builds it on the board") from None
                progress(f"carrying {tag} to {self._link.who} (once)")
                self._link.persist(lambda: self._carry(tag))
        held = self._link.persist(lambda: images.held(self._client, tag, self._platform))
        assert held
        return Target(runtime.id, tag, held.digest, held.bytes)

    def _carry(self, tag: str) -> None:
        import docker.errors

        # Unpacking a framework onto a card takes minutes in which the engine says nothing.
        there = connect(_SILENCE_S, f"unix://{self._link.socket}")
        try:
            there.images.load(connect(_SILENCE_S).images.get(tag).save(named=True))
        except (docker.errors.ImageLoadError, docker.errors.APIError) as problem:
            raise InferometerError(f"{self._link.who} does not take {tag} ({_cause(problem)})") from None
        finally:
            there.close()

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """Telemetry there, on its own; fetched when it is stopped. Without it ``path`` stays empty."""
        return self._observer.observe(observer.arguments(pid, watch), path)

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """One reading of each source there."""
        return parse_lines(self._observer.once(observer.once(sources)))

    def clean(self) -> list[str]:
        """Remove what a killed orchestrator left there."""
        import docker.errors

        left = self._link.persist(super().clean)
        for volume in self._link.persist(lambda: self._client.volumes.list(filters={"name": _OUTPUT})):
            with suppress(docker.errors.APIError):  # in use: of another device's bench
                self._link.persist(lambda at=volume: at.remove(force=True))  # type: ignore[misc]
        self._link.persist(lambda: self._link.run(_CLEAN))
        return left

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """See :class:`orchestrator.engines.launch.Engine`; times are of the board's clock."""
        import docker.errors
        import requests

        sink = Sink(launch.stdout, launch.stderr)
        began_ns = time.monotonic_ns()  # of our clock, for a launch of which the board's is not known
        try:
            try:
                outcome = self._run(launch, on_started, sink)
            except (docker.errors.DockerException, requests.RequestException, InferometerError) as problem:
                words = f"{self._link.who}: {_cause(problem)}"
                outcome = Outcome(began_ns, time.monotonic_ns(), problem=words)
            self._link.persist(lambda: self._forget(launch))
            return outcome
        except BaseException:  # an interrupt, or a link that stays away: the next start removes what stays
            with suppress(docker.errors.DockerException, requests.RequestException):
                self._forget(launch)
            raise
        finally:
            sink.close()

    def _run(self, launch: Launch, on_started: Callable[[Handle], None], sink: Sink) -> Outcome:
        self._bring(launch)
        started_ns = self._clock()
        container = self._link.persist(lambda: self._begin(launch))
        on_started(self._link.persist(lambda: Container(container)))
        code, timed_out = self._wait(container, launch.timeout_s)
        self._link.persist(lambda: self._logs(container, sink))
        for mount in launch.mounts:
            if mount.writable:
                self._link.persist(
                    lambda at=mount: volumes.fetch(container, self.see(at), at.source)  # type: ignore[misc]
                )
        ended_ns = self._clock()
        self._link.persist(container.reload)
        return outcome_of(container.attrs, code, timed_out, sink.overflow, started_ns, ended_ns)

    def _bring(self, launch: Launch) -> None:
        """Volumes for what the runner reads; what was brought once is not even looked at again."""
        self._observer.bring()  # now: once the container runs, its telemetry is to start at once
        for mount in launch.mounts:
            if not mount.writable and mount not in self._full:
                name = volumes.name_of(mount)
                self._link.persist(
                    lambda at=mount, to=name: volumes.ensure(  # type: ignore[misc]
                        self._carrier(to, launch), at
                    )
                )
                self._full[mount] = name

    def _carrier(self, volume: str, launch: Launch) -> volumes.Carrier:
        labels = {LABEL: self._device}
        return volumes.Carrier(self._client, volume, launch.target, self._platform, labels)

    def _source(self, launch: Launch, mount: Mount) -> str:
        return f"{_OUTPUT}{launch.name}" if mount.writable else self._full[mount]

    def _begin(self, launch: Launch) -> Any:
        """Create, start and hand over the request, from anew each time it is tried."""
        import docker.errors

        with suppress(docker.errors.NotFound):
            self._client.containers.get(launch.name).remove(force=True)
        for mount in launch.mounts:
            if mount.writable:
                output = self._source(launch, mount)
                volumes.make_writable(self._carrier(output, launch))
        container = self._create(launch)
        with attached(container, stdin_only=True) as stream:
            container.start()
            request: memoryview | None = memoryview(launch.request)
            while request is not None:
                request = feed(stream, request)
        return container

    def _wait(self, container: Any, timeout_s: float) -> tuple[int | None, bool]:
        """(exit status, whether the deadline came first); the container is dead afterwards."""
        import docker.errors
        import requests

        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                return int(container.wait(timeout=min(left, _POLL_S))["StatusCode"]), False
            except docker.errors.APIError:
                raise  # an answer
            except requests.RequestException as problem:
                if "Read timed out" not in str(problem):
                    self._link.persist(self._client.ping)
        self._link.persist(container.reload)
        state = container.attrs["State"]
        if state["Status"] == "exited":  # in time, while the link was gone
            return int(state["ExitCode"]), False
        with suppress(docker.errors.APIError):  # it may have ended meanwhile
            self._link.persist(container.kill)
        return None, True

    def _logs(self, container: Any, sink: Sink) -> None:
        streams = {STDOUT: {"stderr": False}, STDERR: {"stdout": False}}
        texts = {number: container.logs(**left_out) for number, left_out in streams.items()}
        for number, text in texts.items():
            for start in range(0, len(text), _PART):
                sink.write(number, text[start : start + _PART])

    def _forget(self, launch: Launch) -> None:
        """By name: an interrupt may come before we know the container."""
        import docker.errors

        with suppress(docker.errors.APIError):
            self._client.containers.get(launch.name).remove(force=True)
        for mount in launch.mounts:
            if mount.writable:
                with suppress(docker.errors.APIError):
                    self._client.volumes.get(self._source(launch, mount)).remove(force=True)

    def _clock(self) -> int:
        return int(self._link.persist(lambda: self._link.python(_CLOCK)))


def _cause(problem: Exception) -> str:
    """The engine tells the whole way to the cause; of a full disk the end is all, with the fix."""
    return f"{_FULL}; free space there: docker system prune" if _FULL in str(problem) else str(problem)
