"""What a bench on a board reached over ssh needs there."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import choices
from orchestrator.catalog import Catalog, Device
from orchestrator.doctor.check import Check, refusal
from orchestrator.doctor.device import emulation, examine_device
from orchestrator.doctor.isolation import leftover_there
from orchestrator.doctor.machine import quiet
from orchestrator.domain import InferometerError
from orchestrator.engines import images
from orchestrator.engines.connection import connect
from orchestrator.engines.launch import Watch
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Broken, Link

_DISK_BYTES = 6 * 2**30  # images and artifacts of the default runtimes and models
_LEAST_BYTES = 2**30
_INTERVAL_S, _WATCH_S = 0.5, 1.5
_WATCHED = "sleep 30 >/dev/null 2>&1 </dev/null & echo $!"  # telemetry ends with it, whatever becomes of us
_ENGINE = "there: apt-get install docker.io, and `sudo usermod -aG docker` the user"


def examine_board(catalog: Catalog, cache: Path, name: str, host: str) -> list[Check]:
    """Every check there in the order in which a bench needs them; it ends where nothing can follow."""
    try:
        with choices.reach(host) as (place, link):
            assert link
            return _examine(catalog, cache, name, place, link)
    except InferometerError as problem:
        return [refusal("ssh", problem)]


def _examine(catalog: Catalog, cache: Path, name: str, place: Place, link: Link) -> list[Check]:
    told = json.loads((place.root / "place.json").read_bytes())
    checks = [Check("ssh", "ok", link.who), Check("python there", "ok", told["python"]), _alone(link)]
    checks += examine_device(catalog, name, False, place, link)
    try:
        info = connect(address=f"unix://{link.socket}").info()
    except InferometerError as problem:
        return [*checks, Check("docker engine there", "missing", str(problem), _ENGINE)]
    load = float((place.root / "proc/loadavg").read_text().split()[0])
    checks += [_engine(info, place), _disk(link, info)]
    if checks[2].state == "ok":  # else a bench there may well have tuned it, and lives
        checks += leftover_there(place.root)
    checks += [replace(it, name=f"{it.name} there") for it in quiet(place.root, len(place.cores), load)]
    with suppress(InferometerError):  # which device it is not was said above
        device = choices.choose_device(catalog, name, False, False, place)
        checks += _images(catalog, device, place, link)
        if checks[2].state == "ok":  # else it would disturb the other bench
            checks.append(_telemetry(catalog, cache, device, link))
    return checks


def _images(catalog: Catalog, device: Device, place: Place, link: Link) -> list[Check]:
    """What bears the names of our images there is for that board, and the others can be built here."""
    checks, client = [], connect(address=f"unix://{link.socket}")
    known, lacking = choices.on_board(catalog, device, place.root).runtimes(), 0
    for name in device.runtimes:
        try:
            arguments = known[name].build_arguments(known[name].accelerators[0])
            tag = images.tag(name, catalog.root, device.platform, arguments)
            lacking += images.held(client, tag, device.platform) is None
        except InferometerError as problem:
            checks.append(refusal(f"image of {name} there", problem))
    if lacking and device.arch != os.uname().machine:
        checks.append(emulation(device, "images of {} can be built here"))
    return checks


def _alone(link: Link) -> Check:
    try:
        link.hold("a bench")
    except InferometerError as problem:
        return Check("other benches", "warning", str(problem), "wait for it or stop it")
    return Check("other benches", "ok", "none")


def _engine(info: dict[str, Any], place: Place) -> Check:
    version, arch = info.get("ServerVersion", "?"), info.get("Architecture", "")
    if arch != place.arch:
        detail = f"{version} runs containers of {arch}, the board is {place.arch}"
        fix = f"install the engine's package for {place.arch}"
        return Check("docker engine there", "missing", detail, fix)
    return Check("docker engine there", "ok", f"{version}, {arch}")


def _disk(link: Link, info: dict[str, Any]) -> Check:
    place = str(info.get("DockerRootDir", "/var/lib/docker"))
    try:
        # The folder itself may be closed to the user; the one above is on the same disk as a rule.
        script = f"df -Pk {place} 2>/dev/null || df -Pk $(dirname {place})"
        free = int(link.run(script).splitlines()[-1].split()[3]) * 1024
    except (Broken, InferometerError, ValueError, IndexError) as problem:
        return Check("disk there", "warning", f"cannot be asked ({problem})", f"try `df {place}` there")
    detail = f"{free / 2**30:.1f} GiB free for {place}"
    if free >= _DISK_BYTES:
        return Check("disk there", "ok", detail)
    state = "missing" if free < _LEAST_BYTES else "warning"
    need = f"{detail}, images and artifacts of all defaults need about {_DISK_BYTES / 2**30:.0f}"
    return Check("disk there", state, need, "there: docker system prune, or name fewer RUNTIMES and MODELS")


def _telemetry(catalog: Catalog, cache: Path, device: Device, link: Link) -> Check:
    """Start it there for a moment, beside a program that does nothing, and look at what it says."""
    name = "telemetry there"
    try:
        engine = choices.board_engine(catalog.root, cache, "there", device, link, _Silent())
    except InferometerError as problem:
        return refusal(name, problem, "warning")
    with tempfile.TemporaryDirectory(prefix="inferometer-doctor-") as folder:
        path = Path(folder) / "telemetry.jsonl"
        path.touch()
        pid = int(link.run(_WATCHED))
        stop: Callable[[], None] = engine.observe(pid, Watch(_INTERVAL_S, device.sources), path)
        try:
            time.sleep(_WATCH_S)
        finally:
            stop()
            link.run(f"kill {pid}; true")
        lines = [json.loads(line) for line in path.read_text().splitlines()]
    read: dict[str, str | None] = {}
    for line in lines:
        if line["type"] == "reading":
            source = line["source"]
            read[source] = None if read.get(source, "") is None else line["reason"]
    if not read:
        return Check(name, "warning", "it gave no reading", "there: try `python3 --version`, it needs 3.6")
    good = [source for source, reason in read.items() if reason is None]
    absent = [f"{source} ({reason})" for source, reason in read.items() if reason is not None]
    return Check(name, "ok", ", ".join(good) + (f"; not here: {', '.join(absent)}" if absent else ""))


class _Silent:
    def say(self, text: str) -> None:
        """Nothing: the checks are what is said."""
