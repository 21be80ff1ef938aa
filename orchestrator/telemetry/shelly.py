"""Shelly plugs and relays that measure power, asked over the local network.

Generation 2 and later: ``GET /rpc/Switch.GetStatus?id=0``, or ``PM1`` for plugs that only measure. ``apower``
is in W, ``aenergy.total`` in Wh (shelly-api-docs.shelly.cloud/gen2/ComponentsAndServices/Switch). A capture
(Shelly Plug US Gen4, bieniu/ha-shellies-discovery-gen2 pull request 746)::

    {"id":0, "source":"init", "output":false, "apower":0.0, "voltage":123.7, "freq":60.0, "current":0.000,
    "aenergy":{"total":0.000,"by_minute":[0.000,0.000,0.000],"minute_ts":1768592460}, ...}

Generation 1: ``GET /status``, ``meters[0].power`` in W, ``total`` in watt-minutes since its last start
(shelly-api-docs.shelly.cloud/gen1). A capture::

    "meters":[{"power":4711.12,"overpower":0.00,"is_valid":true,"timestamp":1676138370,
    "counters":[0.000, 0.000, 0.000],"total":6472513}]

The values move about once a second; the counter has steps of 1 mWh (3.6 J), in generation 1 of 60 J.
"""

from .http_get import http_get
from .machine import Machine
from .plug import JOULES_PER_WH, Plug, member, number
from .reading import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .plug import Fetch

JOULES_PER_WATT_MINUTE = 60


class Shelly(Plug):
    """Readings of one switch of a Shelly; ``?id=1`` in the argument is its second."""

    def __init__(self, machine: Machine, argument: str, fetch: "Fetch" = http_get) -> None:
        forms = (
            ("/rpc/Switch.GetStatus?id=%d", _power, _energy),
            ("/rpc/PM1.GetStatus?id=%d", _power, _energy),
            ("/status", _meter_power, _meter_energy),
        )
        Plug.__init__(self, machine, argument, "shelly", forms, fetch)


def _power(answer: object, part: int) -> float:
    return number(member(_status(answer, part, "apower"), "apower"))


def _energy(answer: object, part: int) -> float:
    return number(member(_status(answer, part, "aenergy"), "aenergy", "total")) * JOULES_PER_WH


def _status(answer: object, part: int, wanted: str) -> "dict[str, object]":
    """The answer, if it is of the part that was asked for. Raises ValueError, Unavailable."""
    if not isinstance(answer, dict) or answer.get("id") != part:
        raise ValueError("no status of part %d" % part)
    if wanted not in answer:
        raise Unavailable("not_supported")  # a relay without a meter
    return answer


def _meter_power(answer: object, part: int) -> float:
    return number(member(_meter(answer, part), "power"))


def _meter_energy(answer: object, part: int) -> float:
    return number(member(_meter(answer, part), "total")) * JOULES_PER_WATT_MINUTE


def _meter(answer: object, part: int) -> object:
    """Of generation 1. Raises ValueError, LookupError, Unavailable."""
    if not isinstance(answer, dict) or "relays" not in answer:
        raise ValueError("no status of a relay")
    meters = answer.get("meters")
    if not meters:
        raise Unavailable("not_supported")
    meter = member(meters, part)
    if member(meter, "is_valid") is not True:
        raise Unavailable("enodata")  # its self-check failed
    return meter
