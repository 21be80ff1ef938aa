"""What can be set on a machine and be read back: one class a kind, its values as text."""

from __future__ import annotations

import contextlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from orchestrator.environment.isolation import clocks, swaps
from orchestrator.environment.power_modes import power_mode, power_modes
from orchestrator.tuning.machine import Machine, Refused

STORE = "jetson_clocks.conf"


class Setting(ABC):
    """One thing that has a value. ``read`` raises Unknown, ``write`` and ``check`` raise Refused."""

    kind: ClassVar[str]
    is_atomic: ClassVar[bool] = True  # its old value or its new one, also where the writer was killed
    outlives_boot: ClassVar[bool] = False

    def __init__(self, machine: Machine, name: str):
        self.machine, self.name = machine, name

    @abstractmethod
    def read(self) -> str:
        """The present value."""

    @abstractmethod
    def write(self, value: str) -> None:
        """Another value; that it was taken is made sure of."""

    @abstractmethod
    def check(self) -> None:
        """Whether ``write`` has what it needs."""

    def prepare(self) -> None:
        """What must be kept before the first change, beside the present value."""
        return

    def _need(self, *commands: str) -> None:
        for command in commands:
            if not self.machine.which(command):
                raise Refused(f"there is no command {command} on this machine")


class File(Setting):
    """A file of sysfs or procfs with one word in it; its name is the path below the root."""

    kind = "file"

    def read(self) -> str:
        """See :class:`Setting`."""
        return self.machine.host.text(self.name)

    def write(self, value: str) -> None:
        """See :class:`Setting`."""
        self.machine.write(self.name, value)
        now = self.read()
        if now != value:
            raise Refused(f"/{self.name}: was told {value!r} and says {now!r}")

    def check(self) -> None:
        """See :class:`Setting`."""
        if not os.access(self.machine.root / self.name, os.W_OK):
            raise Refused(f"/{self.name}: cannot be written here (a container, often)")


class SwapDevice(Setting):
    """A swap: ``off``, ``on 5`` with a priority, or ``on`` where the kernel chose one (a negative one)."""

    kind = "swap"

    def read(self) -> str:
        """See :class:`Setting`."""
        found = [item for item in swaps(self.machine.host) if item.device == self.name]
        chosen = f" {found[0].priority}" if found and found[0].priority >= 0 else ""
        return f"on{chosen}" if found else "off"

    def write(self, value: str) -> None:
        """See :class:`Setting`."""
        priority = value.partition(" ")[2]
        chosen = ["-p", priority] if priority else []
        self.machine.run(["swapoff", self.name] if value == "off" else ["swapon", *chosen, self.name], "")
        if (self.read() == "off") != (value == "off"):
            raise Refused(f"{self.name}: was told {value!r} and says {self.read()!r}")

    def check(self) -> None:
        """See :class:`Setting`."""
        self._need("swapoff", "swapon")
        if self.name.endswith(" (deleted)"):
            raise Refused(f"{self.name}: a deleted file in use as swap could not be put back")


class PowerMode(Setting):
    """A Jetson's power mode by its name. It is kept over a reboot."""

    kind = "nvpmodel"
    is_atomic = False
    outlives_boot = True

    def read(self) -> str:
        """See :class:`Setting`."""
        return power_mode(self.machine.host)

    def write(self, value: str) -> None:
        """See :class:`Setting`. A reboot, which some modes ask for, is answered with no."""
        number = power_modes(self.machine.host).get(value)
        if number is None:
            raise Refused(f"nvpmodel has no mode {value} any more")
        said = self.machine.run(["nvpmodel", "-m", str(number)], "no\n")
        if self.read() != value:
            why = ", as this needs a reboot, which is yours to ask for" if "reboot" in said.lower() else ""
            raise Refused(f"nvpmodel stays {self.read()}{why} (sudo nvpmodel -m {number})")

    def check(self) -> None:
        """See :class:`Setting`."""
        self._need("nvpmodel")


class JetsonClocks(Setting):
    """All clocks of a Jetson: ``locked``, or what the tool's own file of the former state holds."""

    kind = "jetson_clocks"
    is_atomic = False
    LOCKED = "locked"

    def read(self) -> str:
        """The clocks that can be seen; the tool sets more (memory, fan, idle states)."""
        seen = clocks(self.machine.host)
        return " ".join(f"{name}={pair[0]}-{pair[1]}" for name, pair in seen.items() if pair)

    def write(self, value: str) -> None:
        """See :class:`Setting`. Any value but ``locked`` is the state that was stored."""
        store = ["--restore", str(self._store)] if value != self.LOCKED else []
        self.machine.run(["jetson_clocks", *store], "")

    def check(self) -> None:
        """See :class:`Setting`."""
        self._need("jetson_clocks")

    def prepare(self) -> None:
        """Let the tool store the state that it will restore. Raises Refused."""
        self.machine.make_state()
        with contextlib.suppress(FileNotFoundError):  # it would ask whether to overwrite it
            self._store.unlink()
        self.machine.run(["jetson_clocks", "--store", str(self._store)], "")
        if not self._store.exists():
            raise Refused(f"jetson_clocks stored nothing in {self._store}")

    @property
    def _store(self) -> Path:
        return self.machine.state / STORE


KINDS: dict[str, type[Setting]] = {kind.kind: kind for kind in (File, SwapDevice, PowerMode, JetsonClocks)}
