"""zeus for so many seconds: ``idle_zeus.py SECONDS`` prints what it took and what it says, word for word."""

import json
import sys
import time

from zeus.device.cpu import get_cpus
from zeus.monitor import ZeusMonitor


def main(seconds):
    """One window of its monitor."""
    monitor = ZeusMonitor()
    monitor.begin_window("idle")
    spent, began = time.process_time(), time.monotonic()
    time.sleep(seconds)
    share = (time.process_time() - spent) / (time.monotonic() - began)
    said = [repr(monitor.end_window("idle"))]
    try:
        get_cpus()
    except Exception as problem:
        said.append(f"{type(problem).__name__}: {problem}")
    with open("/proc/self/status") as file:
        peak = int(file.read().partition("VmHWM:")[2].split()[0]) * 1024
    print("\n" + json.dumps({"share": share, "resident_bytes": peak, "said": said}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
