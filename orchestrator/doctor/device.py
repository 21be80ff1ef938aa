"""What a bench of one device needs of the place where its containers run."""

from __future__ import annotations

from orchestrator import choices, environment
from orchestrator.catalog import Accelerator, Catalog, Device
from orchestrator.doctor.check import Check, refusal
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, nodes
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Link

_GIB = 2**30


def examine_device(
    catalog: Catalog, name: str, emulate: bool, place: Place, link: Link | None = None
) -> list[Check]:
    """Whether the place is that device, and has what the device's profile promises."""
    try:
        device = choices.choose_device(catalog, name, False, emulate, place)
    except InferometerError as problem:
        return [_no_device(problem)]
    foreign = device.arch != place.arch
    what = "is to be emulated here" if foreign else "is this machine" if link is None else "is the board"
    checks = [Check("device", "ok", f"{device.id} {what}")]
    if foreign:
        checks.append(emulation(device, "{} runs here; such speeds are no measurement"))
    else:
        checks.append(_memory(device, place))
    return [*checks, *_accelerators(device, place, link), *_bases(catalog, device, place)]


def _no_device(problem: InferometerError) -> Check:
    detail, colon, ways = str(problem).partition("): ")
    return Check("device", "missing", detail + ")", ways) if colon else refusal("device", problem)


def emulation(device: Device, words: str) -> Check:
    """Whether this machine's engine can run the device's containers; ``words``: what that is good for."""
    try:
        buildx.require_emulation(device.platform, device.emulator)
    except InferometerError as problem:
        return refusal("emulation", problem)
    return Check("emulation", "ok", words.format(device.platform))


def _memory(device: Device, place: Place) -> Check:
    try:
        limit = environment.memory_limit_bytes(device.profile, place.root)
    except InferometerError as problem:
        return refusal("memory", problem, "warning")
    if limit is None:
        return Check("memory", "warning", "the machine does not tell how much it has", "mount /proc there")
    return Check("memory", "ok", f"{limit / _GIB:.1f} GiB for a container, the rest stays with the system")


def _accelerators(device: Device, place: Place, link: Link | None) -> list[Check]:
    try:
        lacking = choices.lacking(device, "docker", place, link)
    except InferometerError as problem:
        return [refusal("accelerators", problem, "warning")]
    checks = []
    for name, item in device.accelerators.items():
        if name not in lacking:
            checks.append(_reached(name, item, link))
        elif not item.optional or device.arch != place.arch:
            checks.append(refusal(f"accelerator {name}", InferometerError(lacking[name]), "warning"))
        else:
            checks.append(Check(f"accelerator {name}", "ok", f"none, and none is needed: {lacking[name]}"))
    return checks


def _reached(name: str, item: Accelerator, link: Link | None) -> Check:
    """Of what the engine offers, whether its driver is there too."""
    patterns = item.container.get("nodes", ())
    if patterns and not (nodes.owners_there(link, patterns) if link else nodes.owners(patterns)):
        words = f"none of {', '.join(patterns)} is there"
        return Check(f"accelerator {name}", "warning", words, "load the driver: install NVIDIA's L4T kernel")
    return Check(f"accelerator {name}", "ok", "within a container's reach")


def _bases(catalog: Catalog, device: Device, place: Place) -> list[Check]:
    """Whether there is an image for the board's L4T release."""
    release = environment.tegra_release(place.root) or device.release
    if release is None:
        return []
    runtimes = catalog.at(release).runtimes()
    try:
        for name in device.runtimes:
            runtimes[name].build_arguments(runtimes[name].accelerators[0])
    except InferometerError as problem:
        return [refusal("L4T release", problem, "warning")]
    return [Check("L4T release", "ok", release)]
