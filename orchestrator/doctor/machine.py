"""What a bench on this machine needs, whatever device it is."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from orchestrator import environment
from orchestrator.catalog import Catalog
from orchestrator.doctor.check import Check
from orchestrator.doctor.isolation import isolation
from orchestrator.domain import InferometerError
from orchestrator.engines import docker, images

# Exporter environment, images and artifacts of the default models together.
_DISK_BYTES = 12 * 2**30


def examine(catalog: Catalog, cache: Path) -> list[Check]:
    """What makes containers ready here, wherever they will run."""
    return [_python(), _engine(), *_building(), *_compilers(catalog), _disk(cache), _catalog(catalog)]


def quiet(root: Path, cores: int, load: float) -> list[Check]:
    """Whether figures of a machine can be believed; ``load`` as /proc/loadavg has it."""
    return [_cores(cores), _memory_cgroup(root), isolation(root), _other_load(load)]


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Check("python", "ok", version)


def _engine() -> Check:
    try:
        with contextlib.closing(docker.connect()) as client:
            version = client.version()["Version"]
    except InferometerError as problem:
        return Check(
            "docker engine",
            "warning",
            str(problem),
            "apt-get install docker.io and start it, or measure with ENGINE=process",
        )
    return Check("docker engine", "ok", version)


def _building() -> list[Check]:
    client = images.find_buildx()
    if client is None:
        build = Check(
            "docker buildx", "warning", "no docker command with buildx", "apt-get install docker-buildx"
        )
    else:
        build = Check("docker buildx", "ok", client)
    tool = shutil.which("mmdebstrap")
    base = Check(
        "base images",
        "ok" if tool else "warning",
        "can be made here without a registry" if tool else "can be pulled only, mmdebstrap is missing",
        "" if tool else "apt-get install mmdebstrap (needed only where no image registry is reachable)",
    )
    return [build, base]


def _compilers(catalog: Catalog) -> list[Check]:
    tools = {
        tool.command: (tool, runtime) for runtime in catalog.runtimes().values() for tool in runtime.tools
    }
    return [
        Check(
            command,
            "ok" if shutil.which(command) else "warning",
            f"used by {runtime.id} ({', '.join(tool.values)}) under ENGINE=process",
            "" if shutil.which(command) else tool.fix,
        )
        for command, (tool, runtime) in tools.items()
    ]


def _disk(cache: Path) -> Check:
    place = next(path for path in (cache, *cache.parents) if path.exists())
    if not (place.is_dir() and os.access(place, os.W_OK)):
        detail = f"{place} is no folder that can be written, the cache cannot be at {cache}"
        return Check("disk", "missing", detail, "mend it, or set INFEROMETER_CACHE to another place")
    free = shutil.disk_usage(place).free
    if free >= _DISK_BYTES:
        return Check("disk", "ok", f"{free / 2**30:.0f} GiB free for {cache}")
    return Check(
        "disk",
        "warning",
        f"{free / 2**30:.1f} GiB free for {cache}, all default models need about {_DISK_BYTES / 2**30:.0f}",
        "free some, or set INFEROMETER_CACHE to a larger disk",
    )


def _cores(count: int) -> Check:
    if count > 1:
        return Check("cores", "ok", f"{count}, so runner and observer are kept apart")
    return Check(
        "cores", "warning", "1: the observer shares it with the runner", "use a machine with two or more"
    )


def _memory_cgroup(root: Path) -> Check:
    if environment.memory_cgroup(root):
        return Check("memory cgroup", "ok", "container memory can be read")
    return Check(
        "memory cgroup",
        "warning",
        "the kernel runs without it, container memory stays unknown",
        "append cgroup_enable=memory to the kernel's command line and reboot",
    )


def _catalog(catalog: Catalog) -> Check:
    counted: list[str] = []
    readers: dict[str, Callable[[], object]] = {
        "devices": catalog.devices,
        "runtimes": catalog.runtimes,
        "models": catalog.models,
    }
    for name, read in readers.items():
        try:
            found = read()
            assert isinstance(found, dict)
            counted.append(f"{len(found)} {name}")
        except InferometerError as problem:
            return Check("catalog", "missing", str(problem), "mend that file")
    return Check("catalog", "ok", ", ".join(counted))


def _other_load(load: float) -> Check:
    if load < 0.5:
        return Check("other load", "ok", f"load average {load:.2f}")
    return Check("other load", "warning", f"load average {load:.2f}: other work disturbs figures", "stop it")
