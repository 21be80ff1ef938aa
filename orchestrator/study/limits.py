"""What a user allows: sizes and times with their unit, and by how much a measured figure fails."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain import InferometerError

BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
TIMES_NS = {"us": 10**3, "ms": 10**6, "s": 10**9}
_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)([A-Za-z]+)", re.ASCII)


def size_bytes(text: str) -> float:
    """``5MB`` (10^6), ``5MiB`` (2^20). Raises InferometerError with the units there are."""
    return _read(text, BYTES, "a size like 5MB, 5MiB or 800kB")


def time_ns(text: str) -> float:
    """``20ms``, ``1.5s``, ``800us`` in ns. Raises InferometerError with the units there are."""
    return _read(text, TIMES_NS, "a time like 20ms, 1.5s or 800us")


def _read(text: str, units: dict[str, int], wanted: str) -> float:
    match = _QUANTITY.fullmatch(text.strip())
    if match is None or match[2] not in units or float(match[1]) <= 0:
        raise InferometerError(f"{text[:40]!r}: give {wanted} (units: {', '.join(units)})")
    return float(match[1]) * units[match[2]]


@dataclass(frozen=True)
class Limits:
    """The most a variant may take; None: any."""

    drop_points: float | None = None
    bytes: float | None = None
    latency_ns: float | None = None
    memory_bytes: float | None = None


@dataclass(frozen=True)
class Candidate:
    """One measured file in one runtime on one device; None was not measured, ``why`` says the reason."""

    model: str
    variant: str
    runtime: str
    device: str
    accuracy: float | None  # 0 to 1
    drop_points: float | None  # against nq of the same model in the same runtime
    bytes: int | None
    deflated_bytes: int | None
    latency_ns: float | None
    latency_high_ns: float | None  # end of the 95 % interval
    memory_bytes: int | None
    why: str | None = None  # why nothing of it can be believed: failed, invalid

    @property
    def name(self) -> str:
        """``resnet50 fiq in tflite``."""
        return f"{self.model} {self.variant} in {self.runtime}"


@dataclass(frozen=True)
class Miss:
    """A failed limit; ``excess`` is relative to the limit (of a drop: to a point at least)."""

    text: str
    excess: float


def misses(candidate: Candidate, limits: Limits) -> list[Miss]:
    """The limits a candidate fails, in the order accuracy, size, latency, memory; empty where it qualifies.

    A figure that is limited but was not measured fails: nobody knows that it is within.
    """
    if candidate.why:
        return [Miss(candidate.why, float("inf"))]
    drop = ("accuracy drop", candidate.drop_points, limits.drop_points, 1.0, "points")
    checks = (
        drop,
        ("size", candidate.bytes, limits.bytes, 1e6, "MB"),
        ("latency", candidate.latency_ns, limits.latency_ns, 1e6, "ms"),
        ("peak memory", candidate.memory_bytes, limits.memory_bytes, 1e6, "MB"),
    )
    found = []
    for what, value, most, unit, name in checks:
        if most is None:
            continue
        if value is None:
            found.append(Miss(f"{what} was not measured", float("inf")))
        elif value > most:
            least = 1.0 if what == "accuracy drop" else 0.0
            over = f"{(value - most) / unit:.3g} {name} over {most / unit:.3g} {name}"
            found.append(Miss(f"{what} {value / unit:.3g} {name}: {over}", (value - most) / max(most, least)))
    return found
