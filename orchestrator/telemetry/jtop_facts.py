"""What jetson-stats (jtop) tells of a Jetson, in our words, and why it tells nothing.

One object: ``FIELDS``, each a value or None; ``reasons`` has a word of reading.REASONS for each that is
None, those within a field as ``power.total``. When nothing could be asked, ``reason`` says why, ``said``
in whose words and ``fix`` what would help. Structure of jtop's data: jetson-stats 4.3.2 and 7.2.2.
"""

import re

from .machine import reason_of
from .reading import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS = (
    "client",  # version of the library that asked
    "service",  # what is known of the service's version: major.minor, in which both must agree
    "hardware",
    "nvpmodel",  # {"id", "name", "models"}
    "jetson_clocks",  # whether clocks are locked
    "power",  # {"total": {"name", "w"}, "rails": {name: w}}
    "temperature_c",
    "ram_bytes",  # {"total", "used", "free"}
)
# Where a rail of this name fails to be read, jtop gives the sum of the others in its place, without a name.
TOTALS = ("POM_5V_IN", "VDD_IN")
# No serial number: it names one person's board.
HARDWARE = (
    "Model",
    "Module",
    "699-level Part Number",
    "P-Number",
    "BoardIDs",
    "SoC",
    "CUDA Arch BIN",
    "Codename",
    "L4T",
    "Jetpack",
)
LOW_C, HIGH_C = -40, 125
MAX_MW, MAX_KB = 1e6, 1e12
BYTES_PER_KB = 1024

INSTALL = "sudo pip3 install -U jetson-stats"
RESTART = "sudo systemctl restart jtop.service"
JOIN = "sudo usermod -aG jtop $USER, then log in again"
# What its exceptions say, whose class is the same for all.
_MESSAGES = (
    ("is not active", "no_sensor", RESTART),
    ("can't access", "permission", JOIN),
    ("Mismatch", "not_supported", "%s && %s" % (INSTALL, RESTART)),
    ("Authentication", "not_supported", "%s && %s" % (INSTALL, RESTART)),
    ("Lost connection", "stale", RESTART),
    ("Error connection", "stale", RESTART),
)
_VERSIONS = re.compile(r"service: \[([^\]]*)\]")


def unavailable(
    reason: str, said: str, fix: "str | None", t0_ns: int, t1_ns: int, **known: "str | None"
) -> "dict[str, Any]":
    """The object where nothing could be asked."""
    found = {"type": "jtop", "reason": reason, "said": said, "fix": fix}  # type: dict[str, Any]
    found.update(dict.fromkeys(FIELDS), reasons=dict.fromkeys(FIELDS, reason), t0_ns=t0_ns, t1_ns=t1_ns)
    for name, value in known.items():
        if value is not None:
            found[name] = value
            del found["reasons"][name]
    return found


def failure(problem: Exception) -> "tuple[str, str | None, str | None]":
    """Of what jtop's client raised: the reason, the fix, and the service's version where it is told."""
    text = str(problem)
    version = _VERSIONS.search(text)
    for part, reason, fix in _MESSAGES:
        if part in text:
            return reason, fix, version and version.group(1)
    if isinstance(problem, Unavailable):
        return problem.reason, RESTART, None
    if isinstance(problem, ImportError):
        return "no_sensor", INSTALL, None
    if isinstance(problem, (EOFError, ConnectionError)):  # the service went while it was asked
        return "stale", RESTART, None
    if isinstance(problem, OSError):
        return reason_of(problem), RESTART, None
    return "io_error", RESTART, None


def described(jetson: "Any", client: str, t0_ns: int, t1_ns: int) -> "dict[str, Any]":
    """The object of a client that has data; ``jetson`` is a started ``jtop.jtop``."""
    reasons = {}  # type: dict[str, str]
    found = {"type": "jtop", "reason": None, "said": None, "fix": None}  # type: dict[str, Any]
    found.update(client=client, service=".".join(client.split(".")[:2]))
    makers = (
        ("hardware", lambda: _hardware(jetson.board["hardware"])),
        ("nvpmodel", lambda: _nvpmodel(jetson.nvpmodel)),
        ("jetson_clocks", lambda: bool(_there(jetson.jetson_clocks))),
        ("power", lambda: _power(jetson.power, reasons)),
        ("temperature_c", lambda: _temperatures_c(jetson.temperature, reasons)),
        ("ram_bytes", lambda: _ram_bytes(jetson.memory["RAM"], reasons)),
    )
    for name, make in makers:
        try:
            found[name] = make()
        except Unavailable as problem:
            found[name], reasons[name] = None, problem.reason
        except (LookupError, TypeError, ValueError, AttributeError):
            found[name], reasons[name] = None, "parse"
    found.update(reasons=reasons, t0_ns=t0_ns, t1_ns=t1_ns)
    return found


def _there(what: "Any") -> "Any":
    if what is None:
        raise Unavailable("no_sensor")
    return what


def _hardware(told: "Any") -> "dict[str, str]":
    found = {name: str(told[name]) for name in HARDWARE if told.get(name)}
    if not found:
        raise Unavailable("no_sensor")
    return found


def _nvpmodel(told: "Any") -> "dict[str, Any]":
    mode = _there(told)
    return {"id": int(mode.id), "name": str(mode.name), "models": [str(name) for name in mode.models]}


def _power(told: "Any", reasons: "dict[str, str]") -> "dict[str, Any]":
    if not told:
        raise Unavailable("no_sensor")
    rails = {}  # type: dict[str, float | None]
    for name, rail in told["rail"].items():
        rails[str(name)] = _number(rail["power"], 0, MAX_MW, 1e-3, "power.rails.%s" % name, reasons)
    total = None  # type: dict[str, Any] | None
    if told["tot"].get("name") in TOTALS:
        w = _number(told["tot"]["power"], 0, MAX_MW, 1e-3, "power.total", reasons)
        total = None if w is None else {"name": told["tot"]["name"], "w": w}
    else:
        reasons["power.total"] = "not_supported"
    return {"total": total, "rails": rails}


def _temperatures_c(told: "Any", reasons: "dict[str, str]") -> "dict[str, float | None]":
    if not told:
        raise Unavailable("no_sensor")
    found = {}  # type: dict[str, float | None]
    for name, sensor in told.items():
        place = "temperature_c.%s" % name
        if sensor.get("online", True):
            found[str(name)] = _number(sensor["temp"], LOW_C, HIGH_C, 1, place, reasons)
        else:  # jtop writes -256 for a zone that it cannot read
            found[str(name)], reasons[place] = None, "enodata"
    return found


def _number(
    value: "Any", low: float, high: float, factor: float, place: str, reasons: "dict[str, str]"
) -> "float | None":
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        reasons[place] = "parse"
    elif not low <= value <= high:
        reasons[place] = "out_of_range"
    else:
        return round(value * factor, 6)
    return None


def _ram_bytes(told: "Any", reasons: "dict[str, str]") -> "dict[str, int | None]":
    found = {}  # type: dict[str, int | None]
    for ours, theirs in (("total", "tot"), ("used", "used"), ("free", "free")):
        kb = _number(told[theirs], 0, MAX_KB, 1, "ram_bytes.%s" % ours, reasons)
        found[ours] = None if kb is None else int(kb) * BYTES_PER_KB
    return found
