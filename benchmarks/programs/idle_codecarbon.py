"""codecarbon for so many seconds: ``idle_codecarbon.py SECONDS`` prints what it took and what it says.

Asked once a second, told to write no file and to look for no location. ``said``: its own warnings of how it
gets power, and the watts of its last record, word for word.
"""

import json
import logging
import sys
import time

from codecarbon import OfflineEmissionsTracker


class Kept(logging.Handler):
    """Its log, kept."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        """One more."""
        self.lines.append(" ".join(record.getMessage().split()))


def main(seconds):
    """Run."""
    log = Kept()
    logging.getLogger("codecarbon").addHandler(log)
    tracker = OfflineEmissionsTracker(
        country_iso_code="CAN",
        measure_power_secs=1,
        save_to_file=False,
        allow_multiple_runs=True,
        log_level="warning",
    )
    tracker.start()
    spent, began = time.process_time(), time.monotonic()
    time.sleep(seconds)
    share = (time.process_time() - spent) / (time.monotonic() - began)
    tracker.stop()
    data = tracker.final_emissions_data
    said = [line for line in log.lines if "default power" in line or "Falling back" in line]
    said.append(f"cpu_power: {data.cpu_power!r}, ram_power: {data.ram_power!r}")
    with open("/proc/self/status") as file:
        peak = int(file.read().partition("VmHWM:")[2].split()[0]) * 1024
    print("\n" + json.dumps({"share": share, "resident_bytes": peak, "said": said}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
