"""Plugs that run Tasmota, asked over the local network: ``GET /cm?cmnd=Status%208``.

``StatusSNS.ENERGY.Power`` is in W and whole watts unless the plug's ``PowerRes`` says otherwise, ``Total`` in
kWh with steps of 1 Wh (3600 J) unless ``EnergyRes`` does (tasmota.github.io/docs/Commands). A capture::

    {"StatusSNS":{"Time":"2023-10-09T09:21:49","ENERGY":{"TotalStartTime":"2023-07-10T09:17:23",
    "Total":49.766,"Yesterday":0.608,"Today":0.011,"Power":1,"ApparentPower":20,"ReactivePower":20,
    "Factor":0.06,"Voltage":230,"Current":0.085}}}

Several channels are lists (evcc-io/evcc issue 18879), which nobody told us to add up: not supported. Before
version 8.2.3 a missing password was answered with status 200 and ``{"WARNING":"Need user=...``.
"""

from .http_get import http_get
from .machine import Machine
from .plug import JOULES_PER_WH, Plug, member, number
from .reading import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .plug import Fetch

JOULES_PER_KWH = 1000 * JOULES_PER_WH


class Tasmota(Plug):
    """Readings of one plug."""

    def __init__(self, machine: Machine, argument: str, fetch: "Fetch" = http_get) -> None:
        Plug.__init__(self, machine, argument, "tasmota", (("/cm?cmnd=Status%208", _power, _energy),), fetch)


def _power(answer: object, _part: int) -> float:
    return _field(answer, "Power")


def _energy(answer: object, _part: int) -> float:
    return _field(answer, "Total") * JOULES_PER_KWH


def _field(answer: object, name: str) -> float:
    """Raises ValueError, LookupError, Unavailable."""
    if isinstance(answer, dict) and "WARNING" in answer:
        raise Unavailable("permission")
    sensors = member(answer, "StatusSNS")
    if isinstance(sensors, dict) and "ENERGY" not in sensors:
        raise Unavailable("not_supported")
    value = member(sensors, "ENERGY", name)
    if isinstance(value, list):
        raise Unavailable("not_supported")
    return number(value)
