"""What ``--tune`` asks for, and who may ask."""

from __future__ import annotations

from orchestrator.domain import InferometerError
from orchestrator.plan import known
from orchestrator.tuning.knobs import KNOBS

_SEVERAL = "governor=performance,turbo=off"
TuneWish = tuple[tuple[str, str], ...]  # (knob, value) in the order in which they are set


def parse(text: str) -> TuneWish:
    """``governor=performance,turbo=off``. Raises InferometerError naming the nearest knob or value.

    Names that only the machine knows (governors, power modes) are looked at by :meth:`Tuning.check`.
    """
    found: dict[str, str] = {}
    for word in text.replace(",", " ").split():
        name, equals, value = word.partition("=")
        known("knob of --tune", [name], list(KNOBS))
        if not (equals and value):
            raise InferometerError(f"--tune {name}: say what to set it to, like {_example(name)}")
        if "=" in value or ";" in value:
            raise InferometerError(f"--tune {word}: separate knobs with commas, like {_SEVERAL}")
        _check_value(name, value)
        if found.setdefault(name, value) != value:
            raise InferometerError(f"--tune {name}: {found[name]} and {value} were asked for; leave one out")
    if not found:
        raise InferometerError(f"--tune: name what to set, like {_example('turbo')}; or {', '.join(KNOBS)}")
    return tuple((name, found[name]) for name in KNOBS if name in found)


def _check_value(name: str, value: str) -> None:
    values = KNOBS[name].values
    if value in ("off", "on") and values and value not in values:
        # Spelt alike and opposite: the other one is not what was meant.
        raise InferometerError(f"unknown value of --tune {name} {value!r}. Known: {', '.join(values)}.")
    if values:
        known(f"value of --tune {name}", [value], values)


def _example(name: str) -> str:
    return f"{name}={(KNOBS[name].values or ('NAME',))[0]}"


def written(wish: TuneWish) -> str:
    """As it is written after ``--tune``."""
    return ",".join(f"{name}={value}" for name, value in wish)


def permit(wish: TuneWish, remote: bool, emulated: bool, user: int) -> None:
    """Raises InferometerError where nothing may be tuned; ``user`` is the effective user id."""
    if not wish:
        return
    if remote or emulated:
        other = "HOST= measures on a board" if remote else "EMULATE=1 measures no speed"
        raise InferometerError(f"--tune sets this machine, and {other}; leave one of them out")
    if user:
        raise InferometerError(
            f"--tune changes the machine, which only root may: sudo make bench TUNE={written(wish)} "
            "(or the same command after sudo)"
        )
