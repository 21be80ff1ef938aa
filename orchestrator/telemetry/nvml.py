"""NVIDIA GPUs through NVML, by way of NVIDIA's own Python module ``pynvml`` (package nvidia-ml-py).

Units: https://docs.nvidia.com/deploy/nvml-api (energy in mJ since the driver was loaded, Volta and later;
power in mW; clocks in MHz; degrees Celsius). Where NVML begins well, any single query may still be
unsupported, on some boards all: every field answers for itself.
"""

import contextlib
import sys

from .counter import SECOND_NS, Total
from .machine import Machine, absent, parsed
from .reading import Channel, Reading
from .thermal import HIGH_C, LOW_C

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

NONE = Channel("nvml", "gpu_board", "sampled", "w")
MODULE_FIX = ".venv/bin/python -m pip install nvidia-ml-py"
# A board that answers draws power, and the counter moves every 100 ms or faster.
STILL_NS = 5 * SECOND_NS
HIGH_W, HIGH_HZ = 5000, 10**10

# (end of the channel's name, method, unit, low, high, functions, constant for their argument, size of a unit)
# Functions that do the same: the oldest first, which every driver of today has; NVIDIA announced its end.
FIELDS = (
    ("energy", "counter", "j", 0, None, ("nvmlDeviceGetTotalEnergyConsumption",), None, 1e-3),
    ("power", "sampled", "w", 1e-3, HIGH_W, ("nvmlDeviceGetPowerUsage",), None, 1e-3),
    ("clock_sm", "sampled", "hz", 1, HIGH_HZ, ("nvmlDeviceGetClockInfo",), "NVML_CLOCK_SM", 1000000),
    (
        "temperature",
        "sampled",
        "c",
        LOW_C,
        HIGH_C,
        ("nvmlDeviceGetTemperature", "nvmlDeviceGetTemperatureV"),
        "NVML_TEMPERATURE_GPU",
        1,
    ),
    # Bits: 0x1 idle, 0x2 clocks set by the user, 0x4 power cap, 0x8 slowed by hardware, 0x10 sync boost,
    # 0x20 heat (software), 0x40 heat (hardware), 0x80 power brake, 0x100 display.
    (
        "throttle",
        "sampled",
        "bits",
        0,
        None,
        ("nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetCurrentClocksEventReasons"),
        None,
        1,
    ),
)  # type: tuple[tuple[str, str, str, float, float | None, tuple[str, ...], str | None, float], ...]
REASONS = {
    "NVMLError_NotSupported": "not_supported",
    "NVMLError_FunctionNotFound": "not_supported",
    "NVMLError_NoPermission": "permission",
    "NVMLError_LibraryNotFound": "no_sensor",
    "NVMLError_DriverNotLoaded": "no_sensor",
    "NVMLError_NotFound": "no_sensor",
    "NVMLError_GpuNotFound": "no_sensor",
    "NVMLError_GpuIsLost": "stale",
    "NVMLError_ResetRequired": "stale",
    "NVMLError_Timeout": "timeout",
    "NVMLError_NoData": "enodata",
    "NVMLError_NotReady": "eagain",
}


class Nvml:
    """Readings of each GPU. ``modules`` is a folder that holds ``pynvml``; ``nvml`` is the module itself."""

    fixes = {
        "no_sensor": "install NVIDIA's driver and load it: `nvidia-smi` must list the GPU",
        "permission": "let this user open the GPU's devices: see `ls -l /dev/nvidia*`",
        "io_error": "sudo reboot, where the driver was updated since the last boot",
    }
    slow = True
    scatter = True

    def __init__(self, machine: Machine, modules: str = "", nvml: "Any" = None) -> None:
        self._machine = machine
        self._nvml = nvml
        self._begun = False
        self._fields = []  # type: list[_Field]
        self._reason = "no_sensor"
        try:
            self._nvml = nvml or _module(modules)
        except (ImportError, SyntaxError):  # the second: a module for a later Python
            self.fixes = {"no_sensor": MODULE_FIX} if _is_seen(machine) else {}
            return
        try:
            self._nvml.nvmlInit()
            self._begun = True
            for number in range(self._nvml.nvmlDeviceGetCount()):
                self._fields += self._board(number)
        except self._nvml.NVMLError as problem:
            self._reason = _reason(problem)

    def read(self) -> "list[Reading]":
        """One reading a field and GPU, or one that says why there is none."""
        if not self._fields:
            now_ns = self._machine.now()
            return [absent(NONE, self._reason, now_ns, now_ns)]
        return [field.read(self._machine.now) for field in self._fields]

    def close(self) -> None:
        """Ends NVML."""
        if self._begun:
            self._begun = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    def _board(self, number: int) -> "list[_Field]":
        try:
            handle, problem = self._nvml.nvmlDeviceGetHandleByIndex(number), None
        except self._nvml.NVMLError as refusal:
            handle, problem = None, _reason(refusal)
        fields = []
        for name, method, unit, low, high, functions, constant, size in FIELDS:
            channel = Channel("nvml.%d.%s" % (number, name), "gpu_board", method, unit, low, high)
            arguments = [handle] + ([getattr(self._nvml, constant)] if constant else [])
            fields.append(_Field(self._nvml, channel, functions, arguments, size, problem))
        return fields


class _Field:
    def __init__(
        self,
        nvml: "Any",
        channel: Channel,
        functions: "tuple[str, ...]",
        arguments: "list[Any]",
        size: float,
        reason: "str | None",
    ) -> None:
        self._nvml, self._channel, self._arguments, self._size = nvml, channel, arguments, size
        self._functions = [getattr(nvml, name) for name in functions if hasattr(nvml, name)]
        self._reason = reason if self._functions else "not_supported"
        self._total = Total(None, STILL_NS) if channel.method == "counter" else None

    def read(self, now: "Callable[[], int]") -> Reading:
        t0_ns = now()
        if self._reason:
            return absent(self._channel, self._reason, t0_ns, t0_ns)
        try:
            raw = self._ask()
        except self._nvml.NVMLError as problem:
            return absent(self._channel, _reason(problem), t0_ns, now())
        t1_ns = now()

        def value(_data: bytes) -> float:
            return (self._total.add(raw, t1_ns) if self._total else raw) * self._size

        return parsed(self._channel, value, b"", t0_ns, t1_ns)

    def _ask(self) -> int:
        while True:
            try:
                return int(self._functions[0](*self._arguments))
            except self._nvml.NVMLError as problem:
                if type(problem).__name__ != "NVMLError_FunctionNotFound" or len(self._functions) == 1:
                    raise
                del self._functions[0]  # this driver has it no more, and never will while we run


def _reason(problem: Exception) -> str:
    return REASONS.get(type(problem).__name__, "io_error")


def _is_seen(machine: Machine) -> bool:
    """Whether NVIDIA's driver shows itself to whoever has not its module."""
    driver = machine.names("proc/driver/nvidia") or machine.names("sys/module/nvidia")
    return bool(driver) or "nvidiactl" in machine.names("dev")


def _module(folder: str) -> "Any":
    """``pynvml`` from a folder, or from where Python looks anyway. Raises ImportError."""
    # Last, so that nothing in the folder hides the standard library.
    if folder:
        sys.path.append(folder)
    try:
        return __import__("pynvml")
    finally:
        if folder:
            sys.path.remove(folder)
