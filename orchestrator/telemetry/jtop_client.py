"""Asks the service of jetson-stats, in the Python that holds it, and prints one line.

It may wait on a socket for ever: whoever starts it (jtop_ask) ends it.
"""

import importlib
import json
import os
import sys

from .jtop_facts import described, failure, unavailable
from .machine import monotonic_ns, read_file
from .reading import Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INTERVAL_S = 1.0
# The service may answer with what it read for somebody before us; what it reads once we are there comes
# within two of its intervals, each waited for thrice as long.
LOOKS = 4


def main() -> int:
    """Ask and print; the exit status is 0."""
    # jtop's imports shall find none of our modules by their plain names.
    place = __file__.rpartition("/")[0]
    sys.path[:] = [path for path in sys.path if path != place]
    line = json.dumps(ask(importlib.import_module), separators=(",", ":"))
    os.write(1, b"\n" + line.encode("ascii") + b"\n")
    # Its threads and queues would be waited for.
    os._exit(0)


def ask(load: "Any") -> "dict[str, Any]":
    """The facts, or why there are none; ``load`` imports a module by its name."""
    t0_ns = monotonic_ns()
    client = None  # type: str | None
    try:
        module = load("jtop")
        client = str(module.__version__)
        began_s = _uptime_s()
        jetson = module.jtop(interval=INTERVAL_S)
        jetson.start()
        jetson.board["hardware"]  # waits until the library has looked for packages
        read_s = _fresh(jetson, began_s)
        told = described(jetson, client, 0, 0)
        t1_ns = monotonic_ns()
        # The one stamp that its data has: when a pass over all sensors began, to 10 ms.
        told["t0_ns"], told["t1_ns"] = t1_ns - int((_uptime_s() - read_s) * 1e9), t1_ns
        return told
    except Exception as problem:  # whatever comes out of it is a reason
        reason, fix, service = failure(problem)
        said = (str(problem).splitlines() or [type(problem).__name__])[0]
        return unavailable(reason, said, fix, t0_ns, monotonic_ns(), client=client, service=service)


def _uptime_s() -> float:
    return float(read_file("/proc/uptime").split()[0])


def _fresh(jetson: "Any", began_s: float) -> float:
    """When the service began to read what it gave, after ``began_s``. Raises Unavailable."""
    for _ in range(LOOKS):
        read_s = float(jetson.uptime.total_seconds())
        if read_s >= began_s:
            return read_s
        jetson.ok()  # waits for data, raises what its thread met
    raise Unavailable("stale")
