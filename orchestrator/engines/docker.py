"""The Docker engine: each trial a fresh container, shut off from everything it does not need."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator.catalog import Runtime
from orchestrator.engines import images, nodes, observer
from orchestrator.engines.connection import LABEL
from orchestrator.engines.connection import connect as connect
from orchestrator.engines.launch import Handle, Launch, Mount, Outcome, Sink, Target, Watch
from orchestrator.engines.streams import GRACE_S, End, attached, pump
from orchestrator.measurement import Line

_USER = "10001:10001"
# Compilers of some runtimes load what they build from /tmp, hence exec.
_TMPFS = {"/tmp": "rw,exec,nosuid,nodev,size=2g,mode=1777"}


class Container:
    """A handle on a running container."""

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
        client: Any = None,
        owners: nodes.Owners = nodes.owners,
    ):
        """``accelerators``: what a container needs to reach each (devices, runtime, environment, nodes).

        ``environment`` reaches every container: what an emulator wants to know. ``client``: of another
        engine than this machine's; ``owners``: of device nodes there.
        """
        self._root, self._cache = root, cache
        self._device, self._platform = device, platform
        self._accelerators, self._environment = accelerators, environment
        self._client, self._owners = client or connect(), owners
        self._log: tuple[str, dict[str, str]] = ("none", {})

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """The runtime's image, built once for the content of its folder."""
        arguments = runtime.build_arguments(accelerator)
        image = images.ensure(runtime.id, self._root, self._cache, self._platform, progress, arguments)
        return Target(runtime.id, image.tag, image.digest, image.bytes)

    def see(self, mount: Mount) -> str:
        """Where a mount lies in the container."""
        return f"/data/{mount.role}"

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """See :class:`orchestrator.engines.launch.Engine`."""
        return observer.observe(pid, watch, path)

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """See :class:`orchestrator.engines.launch.Engine`."""
        return observer.sense(sources)

    def clean(self) -> list[str]:
        """Remove containers of this device that a killed orchestrator left."""
        left = [
            container
            for device in (self._device, images.NO_DEVICE)
            for container in self._client.containers.list(all=True, filters={"label": f"{LABEL}={device}"})
        ]
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
                end = End(container, launch.timeout_s)
                on_started(Container(container))
                timed_out = pump(stream, end.socket, launch, sink)
            return self._outcome(container, started_ns, timed_out, sink)
        except (docker.errors.DockerException, requests.RequestException) as problem:
            return Outcome(started_ns, time.monotonic_ns(), problem=f"Docker: {problem}")
        finally:
            if container is not None:
                remove(container)
            if end is not None:
                end.close()
            sink.close()

    def _source(self, launch: Launch, mount: Mount) -> str:
        """What is mounted: a folder of this machine."""
        return str(mount.source)

    def _create(self, launch: Launch) -> Any:
        from docker.types import LogConfig

        volumes = {
            self._source(launch, mount): {"bind": self.see(mount), "mode": "rw" if mount.writable else "ro"}
            for mount in launch.mounts
        }
        arguments = dict(self._accelerators.get(launch.accelerator, {}))
        environment = {**self._environment, **arguments.pop("environment", {}), **launch.environment}
        groups = self._owners(tuple(arguments.pop("nodes", ()))) - {0}  # root's are closed to a runner
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
            group_add=sorted(groups),
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=512,
            mem_limit=launch.memory_bytes,
            memswap_limit=launch.memory_bytes,  # equal: no swap, which would slow instead of fail
            cpuset_cpus=",".join(str(core) for core in launch.cores) or None,
            environment=environment,
            volumes=volumes,
            log_config=LogConfig(type=self._log[0], config=self._log[1]),
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
                code = int(container.wait(timeout=GRACE_S)["StatusCode"])
            except requests.exceptions.RequestException:
                timed_out = True  # closed its streams and stayed
        ended_ns = time.monotonic_ns()
        container.reload()
        return outcome_of(container.attrs, code, timed_out, sink.overflow, started_ns, ended_ns)


def outcome_of(
    attributes: Mapping[str, Any],
    code: int | None,
    timed_out: bool,
    overflow: str | None,
    started_ns: int,
    ended_ns: int,
) -> Outcome:
    """How a container ended, from its exit status and what the engine says of it."""
    # A death by signal n shows as exit status 128 + n.
    number = code - 128 if code is not None and 128 < code < 160 else None
    return Outcome(
        started_ns,
        ended_ns,
        exit_code=code if number is None else None,
        signal=number,
        oom_killed=bool(attributes["State"].get("OOMKilled")),
        timed_out=timed_out,
        overflow=overflow,
    )


def runtimes(address: str | None = None) -> list[str]:
    """The container runtimes that an engine offers, its default first."""
    info = connect(address=address).info()
    default = str(info.get("DefaultRuntime", "runc"))
    return [default, *(name for name in info.get("Runtimes") or {} if name != default)]


def remove(container: Any) -> None:
    """By force; what another has removed, or an engine that has gone, is no failure of a trial."""
    import docker.errors
    import requests

    with suppress(docker.errors.DockerException, requests.RequestException):
        container.remove(force=True)
