"""Energy of processor packages from the kernel's ``power`` performance counters.

Files: ``sys/bus/event_source/devices/power/{type,cpumask,events/energy-pkg{,.scale,.unit}}`` (kernel:
Documentation/ABI/testing/sysfs-bus-event_source-devices-events). The kernel counts in 64 bits from when
we open the event, so nothing wraps. The folder can exist without events.
"""

import os
import sys

from .counter import SECOND_NS, Total
from .cpufreq import span
from .machine import Machine, absent, parsed, reason_of
from .reading import Channel, Reading, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = "sys/bus/event_source/devices/power"
EVENT = FOLDER + "/events/energy-pkg"
PACKAGE_ID = "sys/devices/system/cpu/cpu%d/topology/physical_package_id"
STILL_NS = SECOND_NS
NONE = Channel("perf_energy.pkg", "cpu_package", "counter", "j")

# include/uapi/linux/perf_event.h: the first 64 bytes of struct perf_event_attr are its oldest version.
ATTRIBUTE_BYTES, EVENT_BYTES, FLAG_FD_CLOEXEC = 64, 8, 8
SYSTEM_CALLS = {"x86_64": 298, "aarch64": 241}


def open_event(kind: int, config: int, cpu: int) -> int:
    """perf_event_open(2): a file descriptor whose reads give the event's count on a CPU, as a native u64.

    Raises OSError as the kernel gave it; ENOSYS where the call's number is unknown.
    """
    import ctypes
    import errno

    number = SYSTEM_CALLS.get(os.uname().machine) if sys.maxsize > 1 << 32 else None
    if number is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), "perf_event_open")
    order = sys.byteorder
    fields = kind.to_bytes(4, order) + ATTRIBUTE_BYTES.to_bytes(4, order) + config.to_bytes(8, order)
    attribute = ctypes.create_string_buffer(fields, ATTRIBUTE_BYTES)  # the rest is 0: count at once
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    every_process, no_group = ctypes.c_long(-1), ctypes.c_long(-1)
    handle = call(
        ctypes.c_long(number),
        attribute,
        every_process,
        ctypes.c_long(cpu),
        no_group,
        ctypes.c_ulong(FLAG_FD_CLOEXEC),
    )
    if handle < 0:
        problem = ctypes.get_errno()
        raise OSError(problem, os.strerror(problem), "perf_event_open")
    return int(handle)


class PerfEnergy:
    """Joules of each package since we opened its event. ``opener`` takes type, config and CPU."""

    fixes = {"permission": "sudo sysctl kernel.perf_event_paranoid=0 (until the next boot), or run as root"}
    slow = False

    def __init__(self, machine: Machine, opener: "Callable[[int, int, int], int]" = open_event) -> None:
        self._machine, self._opener = machine, opener
        self._packages = []  # type: list[_Package]
        self._reason = None  # type: str | None
        try:
            kind = int(machine.read(FOLDER + "/type"))
            config, scale_j = _event(machine)
            cpus = sorted(span(machine.text(FOLDER + "/cpumask")))
            ids = [int(machine.read(PACKAGE_ID % cpu)) for cpu in cpus] if len(cpus) > 1 else []
        except OSError as problem:
            self._reason = reason_of(problem)
        except ValueError:
            self._reason = "parse"
        except Unavailable as problem:
            self._reason = problem.reason
        else:
            if not cpus:
                self._reason = "parse"
            elif len(set(ids)) < len(ids):  # counted by die: none of the figures is the package's
                self._reason = "not_supported"
            else:
                names = ["perf_energy.pkg-%d" % number for number in ids] or ["perf_energy.pkg"]
                self._packages = [
                    _Package(name, scale_j, self._open(kind, config, cpu)) for name, cpu in zip(names, cpus)
                ]

    def read(self) -> "list[Reading]":
        """One reading a package, or one that says why there is none."""
        if self._reason:
            now_ns = self._machine.now()
            return [absent(NONE, self._reason, now_ns, now_ns)]
        return [package.read(self._machine.now) for package in self._packages]

    def close(self) -> None:
        """Ends the events."""
        for package in self._packages:
            package.close()

    def _open(self, kind: int, config: int, cpu: int) -> "int | OSError":
        try:
            return self._opener(kind, config, cpu)
        except OSError as problem:
            return problem


class _Package:
    def __init__(self, name: str, scale_j: float, event: "int | OSError") -> None:
        self._channel = Channel(name, "cpu_package", "counter", "j", low=0)
        self._scale_j, self._event = scale_j, event
        self._total = Total(None, STILL_NS)

    def read(self, now: "Callable[[], int]") -> Reading:
        t0_ns = now()
        try:
            if isinstance(self._event, OSError):
                raise self._event
            data = os.read(self._event, EVENT_BYTES)
        except OSError as problem:
            return absent(self._channel, reason_of(problem), t0_ns, now())
        t1_ns = now()

        def joules(data: bytes) -> float:
            if not data:  # the kernel gave the event up
                raise Unavailable("enodata")
            if len(data) != EVENT_BYTES:
                raise ValueError(data)
            return self._total.add(int.from_bytes(data, sys.byteorder), t1_ns) * self._scale_j

        return parsed(self._channel, joules, data, t0_ns, t1_ns)

    def close(self) -> None:
        if isinstance(self._event, int):
            os.close(self._event)
            self._event = OSError("closed")


def _event(machine: Machine) -> "tuple[int, float]":
    """The event's config and the joules of one count. Raises OSError, ValueError and Unavailable."""
    name, _, config = machine.text(EVENT).partition("=")
    scale_j, unit = float(machine.text(EVENT + ".scale")), machine.text(EVENT + ".unit")
    if name != "event" or unit != "Joules":
        raise Unavailable("not_supported")
    if not 0 < scale_j < 1:
        raise ValueError(scale_j)
    return int(config, 16), scale_j
