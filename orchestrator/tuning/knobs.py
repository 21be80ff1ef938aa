"""What can be tuned, by name: the values each knob takes and the settings it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.environment import tegra_release
from orchestrator.environment.host import Unknown
from orchestrator.environment.isolation import ASLR, BOOST, NO_TURBO, policies, swaps
from orchestrator.environment.power_modes import power_modes
from orchestrator.plan import known
from orchestrator.tuning.machine import Machine, Refused
from orchestrator.tuning.settings import File, JetsonClocks, PowerMode, Setting, SwapDevice


@dataclass(frozen=True)
class Step:
    """A setting and its new value; None: the change of another may change it, so it is only put back."""

    setting: Setting
    target: str | None = None


@dataclass(frozen=True)
class Knob:
    """``values``: those it takes; empty: names that the machine gives. ``steps`` raises Unknown, Refused,
    InferometerError for a name the machine does not know; it changes nothing."""

    values: tuple[str, ...]
    steps: Callable[[Machine, str], list[Step]]


def _nvpmodel(machine: Machine, value: str) -> list[Step]:
    known("power mode", [value], list(power_modes(machine.host)))
    return [*_clocks_kept(machine), Step(PowerMode(machine, "nvpmodel"), value)]


def _governor(machine: Machine, value: str) -> list[Step]:
    steps = []
    for policy in policies(machine.host):
        known("governor", [value], machine.host.text(f"{policy}/scaling_available_governors").split())
        # Some drivers move the preference along with the governor and do not move it back.
        steps += _kept(machine, f"{policy}/energy_performance_preference")
        steps.append(Step(File(machine, f"{policy}/scaling_governor"), value))
    return steps


def _turbo(machine: Machine, value: str) -> list[Step]:
    for path, texts in ((NO_TURBO, {"on": "0", "off": "1"}), (BOOST, {"on": "1", "off": "0"})):
        try:
            machine.host.text(path)
        except Unknown:
            continue
        # A driver that is told again what is allowed forgets a lower limit set by hand.
        return [*_clocks_kept(machine), Step(File(machine, path), texts[value])]
    raise Refused(f"/{NO_TURBO}, /{BOOST}: this machine has no switch for turbo")


def _clocks(machine: Machine, value: str) -> list[Step]:
    if tegra_release(machine.root):
        return [Step(JetsonClocks(machine, "clocks"), JetsonClocks.LOCKED)]
    return [
        Step(File(machine, f"{policy}/scaling_min_freq"), machine.host.text(f"{policy}/scaling_max_freq"))
        for policy in policies(machine.host)
    ]


def _swap(machine: Machine, value: str) -> list[Step]:
    found = sorted(swaps(machine.host), key=lambda item: item.priority)
    used = sum(item.used_bytes for item in found)
    free = machine.host.kilobytes("proc/meminfo", "MemAvailable")
    if used > free:
        raise Refused(
            f"{used / 2**20:.0f} MiB of swap are in use and {free / 2**20:.0f} MiB of memory are available"
        )
    # The lowest first: put back in reverse, the kernel numbers those without a priority as before.
    return [Step(SwapDevice(machine, item.device), "off") for item in found]


def _aslr(machine: Machine, value: str) -> list[Step]:
    machine.host.text(ASLR)
    return [Step(File(machine, ASLR), "0")]


def _clocks_kept(machine: Machine) -> list[Step]:
    folders = [(path, "scaling_") for path in machine.host.folders("sys/devices/system/cpu/cpufreq/policy*")]
    folders += [(path, "") for path in machine.host.folders("sys/class/devfreq/*")]
    return [
        step
        for limit in ("min_freq", "max_freq")  # put back in reverse: room above first
        for path, prefix in folders
        for step in _kept(machine, f"{path}/{prefix}{limit}")
    ]


def _kept(machine: Machine, path: str) -> list[Step]:
    try:
        machine.host.text(path)
    except Unknown:
        return []
    return [Step(File(machine, path))]


# In the order in which they are set: a power mode sets clocks, a governor and turbo say which are allowed.
KNOBS = {
    "nvpmodel": Knob((), _nvpmodel),
    "governor": Knob((), _governor),
    "turbo": Knob(("off", "on"), _turbo),
    "clocks": Knob(("locked",), _clocks),
    "swap": Knob(("off",), _swap),
    "aslr": Knob(("off",), _aslr),
}
