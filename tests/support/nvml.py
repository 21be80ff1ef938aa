"""A double of NVIDIA's module ``pynvml``, whose names the integration tests hold to the real one's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

CODES = {
    "Uninitialized": 1, "NotSupported": 3, "NoPermission": 4, "NotFound": 6, "DriverNotLoaded": 9,
    "Timeout": 10, "LibraryNotFound": 12, "FunctionNotFound": 13, "GpuIsLost": 15, "ResetRequired": 16,
    "LibRmVersionMismatch": 18, "NoData": 21, "NotReady": 27, "GpuNotFound": 28, "Unknown": 999,
}  # fmt: skip


class NVMLError(Exception):
    """The parent of all; ``value`` is the number of nvml.h."""

    value: int


ERRORS = {name: type(f"NVMLError_{name}", (NVMLError,), {"value": code}) for name, code in CODES.items()}

Answer = int | str  # a number, or the end of an error's name
BOARD: Mapping[str, Answer] = {
    "energy_mj": 5_000_000,
    "power_mw": 71_530,
    "sm_mhz": 1980,
    "temperature_c": 41,
    "throttle": 0x4,
}
UNSUPPORTED: Mapping[str, Answer] = dict.fromkeys(BOARD, "NotSupported")


def _give(answer: Answer) -> int:
    if isinstance(answer, str):
        raise ERRORS[answer]()
    return answer


class Pynvml(SimpleNamespace):
    """``boards`` may change between reads; ``init``, ``count`` and ``handles`` may be errors' names.

    ``lacking``: functions that the driver lacks; ``begun``: how often it was begun and not ended.
    """

    NVML_CLOCK_SM = 1
    NVML_TEMPERATURE_GPU = 0

    def __init__(
        self,
        boards: Sequence[Mapping[str, Answer]] = (BOARD,),
        init: str = "",
        count: str = "",
        handles: Mapping[int, str] | None = None,
        lacking: Sequence[str] = (),
    ) -> None:
        super().__init__(NVMLError=NVMLError, **{f"NVMLError_{name}": kind for name, kind in ERRORS.items()})
        self.boards = boards
        self.init, self.count, self.handles = init, count, handles or {}
        self.lacking, self.begun, self.asked = lacking, 0, list[str]()

    def nvmlInit(self) -> None:
        if self.init:
            _give(self.init)
        self.begun += 1

    def nvmlShutdown(self) -> None:
        if not self.begun:
            _give("Uninitialized")
        self.begun -= 1

    def nvmlDeviceGetCount(self) -> int:
        return _give(self.count or len(self.boards))

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index in self.handles:
            _give(self.handles[index])
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:
        return self._field("nvmlDeviceGetTotalEnergyConsumption", handle, "energy_mj")

    def nvmlDeviceGetPowerUsage(self, handle: int) -> int:
        return self._field("nvmlDeviceGetPowerUsage", handle, "power_mw")

    def nvmlDeviceGetClockInfo(self, handle: int, type: int) -> int:
        assert type == self.NVML_CLOCK_SM
        return self._field("nvmlDeviceGetClockInfo", handle, "sm_mhz")

    def nvmlDeviceGetTemperature(self, handle: int, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return self._field("nvmlDeviceGetTemperature", handle, "temperature_c")

    def nvmlDeviceGetTemperatureV(self, handle: int, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return self._field("nvmlDeviceGetTemperatureV", handle, "temperature_c")

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: int) -> int:
        return self._field("nvmlDeviceGetCurrentClocksThrottleReasons", handle, "throttle")

    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: int) -> int:
        return self._field("nvmlDeviceGetCurrentClocksEventReasons", handle, "throttle")

    def _field(self, function: str, handle: int, name: str) -> int:
        self.asked.append(function)
        if function in self.lacking:
            _give("FunctionNotFound")
        return _give(self.boards[handle][name])


def without(module: Pynvml, *names: str) -> Any:
    """The double as an older or a later module, which has not these names."""
    kept = [name for name in dir(module) if name.startswith(("nvml", "NVML")) and name not in names]
    return SimpleNamespace(**{name: getattr(module, name) for name in kept})
