"""Values as people write them."""

from __future__ import annotations

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))
_SYMBOLS = {"hz": "Hz", "w": "W", "j": "J", "v": "V"}


def human(unit: str, value: float | str) -> str:
    """``("hz", 1.5e9)`` as ``1.5 GHz``."""
    if isinstance(value, str):
        return value
    if unit in _SYMBOLS:
        return _scaled(value, _SYMBOLS[unit])
    if unit == "bytes":
        return _binary(value)
    if unit == "c":
        return f"{value:.1f} °C"
    if unit == "ns":
        return f"{value / 1e9:.2f} s"
    if unit == "bits":
        return f"{int(value):#x}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def human_rate(unit: str, per_s: float) -> str | None:
    """What the growth of a counter in a second means: watts, or a share of a core; None for other units."""
    if unit == "j":
        return _scaled(per_s, "W")
    if unit == "ns":
        return f"{per_s / 1e7:.0f} % of a core"
    return None


def _scaled(value: float, symbol: str) -> str:
    for limit, prefix in _PREFIXES:
        if abs(value) >= limit:
            return f"{value / limit:.4g} {prefix}{symbol}"
    return f"{value:.4g} {symbol}"


def _binary(value: float) -> str:
    for power, name in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if abs(value) >= 1 << power:
            return f"{value / (1 << power):.4g} {name}"
    return f"{value:.0f} B"
