"""Facts of the machine and of the suite's checkout, for provenance.

What is unknown is None, and its reason stands under the same name in ``reasons`` (of ``isolation``: its
own). No fact names a person or a host: the machine id is hashed.
"""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.environment.host import DEVICE_TREE, DMI, ROOT, Host, Unknown, gather, run_command
from orchestrator.environment.isolation import isolation, turbo

_PACKAGE_CHIPS = ("coretemp", "k10temp", "zenpower")
# As Linux names them: arch/x86/include/asm/cpufeatures.h, Documentation/arch/arm64/elf_hwcaps.rst.
_DOT_PRODUCT = frozenset(
    {"avx512_vnni", "avx_vnni", "avx_vnni_int8", "amx_int8", "asimddp", "i8mm", "svei8mm"}
)
_LOW_C, _HIGH_C = -40, 125  # beyond these a sensor is absent or pretends


def facts(
    suite: Path,
    root: Path = ROOT,
    run: Callable[[Sequence[str]], str] = run_command,
    arch: str | None = None,
) -> dict[str, Any]:
    """What provenance keeps of the machine and of the suite's checkout, with ``reasons`` for each None."""
    host = Host(root)
    makers: dict[str, Callable[[], Any]] = {
        "arch": lambda: arch or os.uname().machine,
        "kernel": lambda: host.text("proc/sys/kernel/osrelease"),
        "os": lambda: host.field("etc/os-release", "=", "PRETTY_NAME", "NAME"),
        "board": lambda: _board(host),
        "cpu_model": lambda: _cpu_model(host),
        "cpu_flags_sha256": lambda: _flags_sha256(host),
        "dot_product": lambda: _dot_product(host),
        "cores_logical": lambda: _cpus(host),
        "cores_physical": lambda: _physical_cores(host),
        "microcode": lambda: host.field("proc/cpuinfo", ":", "microcode"),
        "memory_bytes": lambda: host.kilobytes("proc/meminfo", "MemTotal"),
        "memory_cgroup": lambda: _memory_cgroup(host),
        "virtualised": lambda: _virtualised(host, arch or os.uname().machine),
        "boot_id": lambda: host.text("proc/sys/kernel/random/boot_id"),
        "machine_id_sha256": lambda: _machine_id(host),
        "python": platform.python_version,
        "git_commit": lambda: _git(suite, run, "rev-parse", "HEAD").strip(),
        "git_dirty": lambda: bool(_git(suite, run, "status", "--porcelain")),
    }
    found, reasons = gather(makers)
    found["isolation"] = isolation(host)
    temperatures, refusals = _temperatures_c(host)
    if not temperatures:
        refusals = {"temperatures_c": "no thermal zone and no processor sensor"}
    return {**found, "temperatures_c": temperatures or None, "reasons": {**reasons, **refusals}}


def boosts(arch: str, root: Path = ROOT) -> bool:
    """Whether the processor's highest clock is an offer (turbo) and no promise.

    x86 processors have a turbo unless it is known to be off, others only where the kernel says so.
    """
    try:
        return turbo(Host(root))
    except Unknown:
        return arch == "x86_64"


def memory_cgroup(root: Path = ROOT) -> bool:
    """Whether the kernel accounts memory per cgroup, version 1 or 2; Raspberry Pi OS switches it off."""
    try:
        return _memory_cgroup(Host(root))
    except Unknown:
        return False


def _memory_cgroup(host: Host) -> bool:
    mounted = host.folders("sys/fs/cgroup/*")
    if not mounted:
        raise Unknown("/sys/fs/cgroup: not mounted")
    if "sys/fs/cgroup/cgroup.controllers" in mounted:
        return "memory" in host.text("sys/fs/cgroup/cgroup.controllers").split()
    return "sys/fs/cgroup/memory" in mounted


def machine_id(root: Path = ROOT) -> str | None:
    """A stable name of this machine that does not reveal its machine id, or None without one."""
    try:
        return _machine_id(Host(root))
    except Unknown:
        return None


def _machine_id(host: Host) -> str:
    # systemd asks that the id itself never leaves the machine; a hash with our name serves as well.
    return hashlib.sha256(b"inferometer " + host.text("etc/machine-id").encode()).hexdigest()


def _board(host: Host) -> str:
    """The firmware's name of the board: the device tree's model, else DMI's vendor and product."""
    try:
        return host.text(DEVICE_TREE)
    except Unknown:
        return f"{host.text(f'{DMI}/sys_vendor')} {host.text(f'{DMI}/product_name')}"


def _cpu_model(host: Host) -> str:
    fields = host.fields("proc/cpuinfo", ":")
    if "model name" in fields:
        return fields["model name"]
    if "CPU part" in fields:
        return f"implementer {fields.get('CPU implementer', '?')} part {fields['CPU part']}"
    raise Unknown("/proc/cpuinfo: has no model name or CPU part")


def _flags_sha256(host: Host) -> str:
    flags = sorted(host.field("proc/cpuinfo", ":", "flags", "Features").split())
    return hashlib.sha256(" ".join(flags).encode()).hexdigest()


def _dot_product(host: Host) -> list[str]:
    """Those of its instructions that multiply and add several int8 at once; empty: none of those known."""
    flags = host.field("proc/cpuinfo", ":", "flags", "Features").split()
    return sorted(_DOT_PRODUCT.intersection(flags))


def _processors(host: Host) -> list[dict[str, str]]:
    processors: list[dict[str, str]] = []
    for line in host.text("proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "processor":
            processors.append({})
        if processors:
            processors[-1][name.strip()] = value.strip()
    return processors


def _cpus(host: Host) -> int:
    return len(_processors(host))


def _physical_cores(host: Host) -> int:
    cores = {(block["physical id"], block["core id"]) for block in _processors(host) if "core id" in block}
    if not cores:
        raise Unknown("/proc/cpuinfo: has no core id")
    return len(cores)


def _virtualised(host: Host, arch: str) -> bool:
    if arch == "x86_64":
        return "hypervisor" in host.field("proc/cpuinfo", ":", "flags").split()
    if host.folders("sys/hypervisor/type") or host.folders("sys/firmware/devicetree/base/hypervisor"):
        return True
    raise Unknown(f"{arch}: nothing that would tell")


def _temperatures_c(host: Host) -> tuple[dict[str, float | None], dict[str, str]]:
    """Thermal zones and x86 processor packages by name in degrees Celsius, and reasons for each None."""
    sensors = [(f"{zone}/type", f"{zone}/temp") for zone in host.folders("sys/class/thermal/thermal_zone*")]
    sensors += [(f"{chip}/name", f"{chip}/temp1_input") for chip in host.folders("sys/class/hwmon/hwmon*")]
    found: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    for kind, path in sensors:
        try:
            name = host.text(kind)
        except Unknown:
            name = path.split("/")[-2]
        if "hwmon" in path and name not in _PACKAGE_CHIPS:
            continue
        name = name if name not in found else f"{name}.{len(found)}"  # two zones may be of one type
        found[name] = None
        try:
            value = int(host.text(path)) / 1000
        except (Unknown, ValueError) as problem:
            reasons[f"temperatures_c.{name}"] = str(problem)
            continue
        if _LOW_C < value < _HIGH_C:
            found[name] = value
        else:
            reasons[f"temperatures_c.{name}"] = f"{value} cannot be true"
    return found, reasons


def _git(suite: Path, run: Callable[[Sequence[str]], str], *words: str) -> str:
    top = Path(run(["git", "-C", str(suite), "rev-parse", "--show-toplevel"]).strip())
    if top.resolve() != suite.resolve():
        raise Unknown(f"git: the suite is not a checkout, it lies inside {top.name}")
    return run(["git", "-C", str(suite), *words])


def memory_limit_bytes(profile: Mapping[str, Any], root: Path = ROOT, sold_with: bool = False) -> int | None:
    """What a container may use: all but the profile's reserve, at least half; None where it is unknown.

    ``sold_with``: of the memory that the profile says the board has, where this machine has no less.
    Raises InferometerError when the profile has no reserve.
    """
    reserve = profile.get("memory_reserve_bytes")
    if not isinstance(reserve, int):
        title = profile.get("title")
        raise InferometerError(f"profile {title}: field memory_reserve_bytes must be a whole number")
    try:
        total = Host(root).kilobytes("proc/meminfo", "MemTotal")
    except Unknown:
        return None
    if sold_with:
        total = min(total, profile.get("memory_bytes") or total)
    return max(total - reserve, total // 2)
