"""A smart plug's address as a source of telemetry."""

from __future__ import annotations

from orchestrator.domain import InferometerError

KINDS = ("shelly", "tasmota")


def candidates(meter: str) -> tuple[str, ...]:
    """``shelly=http://...`` as it is; of an address alone all that it may be: the plug tells by its answer.

    Raises InferometerError for what is no address.
    """
    kind, equals, address = meter.partition("=")
    if kind not in KINDS or not equals:
        kind, address = "", meter
    if not address.startswith("http://") or "," in address or len(address) == len("http://"):
        raise InferometerError(
            f"--meter: {meter!r} is no address of a plug; write http://192.168.1.5, or shelly=http://192.168.1.5"
        )
    return tuple(f"{name}={address}" for name in ([kind] if kind else KINDS))
