"""Which device a bench is of, which engine runs it, and what of the device is out of reach there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from orchestrator import environment
from orchestrator.catalog import Catalog, Device
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, images, snapshot
from orchestrator.engines.launch import Engine
from orchestrator.engines.place import Place, here
from orchestrator.engines.ssh import Broken, Link
from orchestrator.plan import known


class Listener(Protocol):
    """Who is told what was chosen and why."""

    def say(self, text: str) -> None:
        """One line."""


def choose_device(
    catalog: Catalog,
    name: str,
    force: bool,
    emulate: bool,
    place: Place,
) -> Device:
    """The named device, or the one that the place is. Raises InferometerError for a wrong board."""
    root, arch = place.root, place.arch
    this = "the board" if place.remote else "this machine"
    if emulate and place.remote:
        raise InferometerError("EMULATE=1 runs a board's containers here; leave it or HOST out")
    devices = catalog.devices()
    profiles = {key: item.profile for key, item in devices.items()}
    if not name:
        found = environment.detect(profiles, root, arch)
        if emulate:
            raise InferometerError("EMULATE=1 stands in for a board that is not here; name it with DEVICE=")
        if found is None:
            raise InferometerError(
                f"{this} is none of the known devices ({', '.join(devices)}); "
                "name one with --device and --force"
            )
        return devices[found]
    known("device", [name], list(devices))
    device, match = devices[name], environment.recognise(devices[name].profile, root, arch)
    if emulate:
        _check_emulation(device, match.matches, arch)
    elif not match.matches and not force:
        found = environment.detect(profiles, root, arch) or "none of the known devices"
        raise InferometerError(
            f"{this} is {found}, not {name} ({match.reason}): HOST=ssh://user@board measures on the "
            "board, EMULATE=1 runs its containers here without speed figures, --force measures this machine "
            "under that name"
        )
    elif not match.matches and device.arch != arch:
        raise InferometerError(
            f"--force cannot make an {arch} machine run containers of {name} "
            f"({device.platform}); EMULATE=1 can"
        )
    return device


def recognised(catalog: Catalog, place: Place) -> Device | None:
    """The device that the place is, or None. Raises InferometerError when two fit equally well."""
    devices = catalog.devices()
    profiles = {name: device.profile for name, device in devices.items()}
    found = environment.detect(profiles, place.root, place.arch)
    return devices[found] if found else None


def sources_of_all(catalog: Catalog) -> tuple[str, ...]:
    """The telemetry sources of all devices, each once."""
    found: dict[str, str] = {}
    for device in catalog.devices().values():
        for source in device.sources:
            found.setdefault(source.partition("=")[0].partition("@")[0], source)
    return tuple(found.values())


def _check_emulation(device: Device, is_here: bool, arch: str) -> None:
    if is_here:
        raise InferometerError(f"this machine is {device.id} itself; leave EMULATE out")
    if device.arch == arch:
        raise InferometerError(
            f"EMULATE=1 is for another architecture, and {device.id} has this machine's ({device.arch}); "
            "--force measures this machine under that name"
        )


def on_board(catalog: Catalog, device: Device, root: Path) -> Catalog:
    """The catalog whose images suit the L4T release there, or the device's where it is not there."""
    return catalog.at(environment.tegra_release(root) or device.release)


def is_emulated(device: Device, engine: str, place: Place) -> bool:
    """A container of another architecture runs under the kernel's emulator; a process is always native."""
    return engine == "docker" and device.arch != place.arch


@contextmanager
def reach(host: str | None) -> Iterator[tuple[Place, Link | None]]:
    """Where containers are to run: this machine, or a board while it is connected.

    Raises InferometerError with the fix where it cannot be reached or used.
    """
    if not host:
        yield here(), None
        return
    import docker.errors
    import requests

    link = Link(host)
    with tempfile.TemporaryDirectory(prefix="inferometer-board-") as folder:
        try:
            link.open()
            yield snapshot.take(link, Path(folder)), link
        except (Broken, docker.errors.DockerException, requests.RequestException) as problem:
            raise InferometerError(
                f"{link.who}: {problem}; give the same command again when the board answers"
            ) from None
        finally:
            link.close()


def board_engine(
    root: Path, cache: Path, build: str, device: Device, link: Link, listener: Listener
) -> Engine:
    """The board's own Docker Engine. Raises InferometerError with the fix."""
    from orchestrator.engines.board import BoardEngine

    containers = {name: item.container for name, item in device.accelerators.items()}
    try:
        engine = BoardEngine(link, build, root, cache, device.id, device.platform, containers)
    except InferometerError as problem:
        raise InferometerError(
            f"{link.who}: {problem}; there: apt-get install docker.io, and `sudo usermod -aG docker` the user"
        ) from None
    if build == "here":
        images.ensure_base(root, cache, device.platform, listener.say)
    return engine


def choose_engine(
    root: Path, cache: Path, wanted: str, device: Device, listener: Listener, offline: str | None = None
) -> tuple[Engine, tuple[str, ...]]:
    """This machine's engine and notes on the choice. ``auto``: Docker where one answers and can build.

    ``offline``: a note on where all images came from; then nothing is looked for to build them.
    """
    from orchestrator.engines.process import ProcessEngine

    emulate = device.arch != os.uname().machine
    if emulate and wanted == "process":
        raise InferometerError(f"ENGINE=process is always native: {device.platform} needs ENGINE=docker")
    notes: tuple[str, ...] = ()
    if wanted in ("auto", "docker"):
        try:
            from orchestrator.engines.docker import DockerEngine

            containers = {name: item.container for name, item in device.accelerators.items()}
            emulator = device.emulator if emulate else {}
            engine = DockerEngine(root, cache, device.id, device.platform, containers, emulator)
            if emulate:
                buildx.require_emulation(device.platform, device.emulator)
            if offline:
                return engine, (offline,)
            images.ensure_base(root, cache, device.platform, listener.say)
            return engine, ()
        except InferometerError as problem:
            if wanted == "docker" or emulate:
                raise
            notes = (f"engine: process, because {problem}",)
            listener.say(notes[0])
    return ProcessEngine(root, cache), notes


def likely_engine(wanted: str) -> str:
    """The engine a bench would take, for a plan that makes nothing ready."""
    from orchestrator.engines.docker import connect

    if wanted != "auto":
        return wanted
    try:
        connect()
        return "docker"
    except InferometerError:
        return "process"


def lacking(device: Device, engine: str, place: Place, link: Link | None = None) -> Mapping[str, str]:
    """The device's accelerators that a runner cannot reach now, each with the reason and the fix."""
    from orchestrator.engines.docker import runtimes

    wanted = {name: item for name, item in device.accelerators.items() if item.container}
    if not wanted:
        return {}
    if engine != "docker":
        return dict.fromkeys(wanted, "ENGINE=process runs on the processor alone; use ENGINE=docker")
    if is_emulated(device, engine, place):
        return dict.fromkeys(wanted, "an emulated board has no accelerator; measure on the board with HOST=")
    offered = runtimes(f"unix://{link.socket}" if link else None)
    return {
        name: f"the Docker Engine has no runtime {item.container['runtime']}; install "
        "nvidia-container-toolkit, run `nvidia-ctk runtime configure --runtime=docker`, restart Docker"
        for name, item in wanted.items()
        if item.container.get("runtime", offered[0]) not in offered
    }
