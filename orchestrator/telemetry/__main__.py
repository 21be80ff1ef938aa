"""Watch one process and its machine: JSON Lines on standard output until standard input ends.

usage: python -m orchestrator.telemetry --pid PID [--interval SECONDS] [--root DIR] [--sources A,B]
                                        [--cores N,M]
       python -m orchestrator.telemetry --once [--pid PID] [--root DIR] [--sources A,B]

  --pid PID           host process id of the runner, or of the init of its container
  --interval SECONDS  time between ticks, default 1.0
  --root DIR          where proc/ and sys/ are found, default /
  --sources A,B       cgroup, process, meminfo, load, thermal, hwmon, cpufreq; default all
  --cores N,M         stay on these, where the machine allows it; default any
  --once              read every source once: readings alone, then the end; --pid may be left out

Lines: one `clock`, then per tick one `reading` a source, at last one `end`. It ends when standard
input reaches its end, on SIGTERM or SIGINT, or when the process has gone. Exit status 0, 2 for usage.
"""

import sys

if not __package__:
    # Run as a folder or a zipapp: the modules beside this file become a package of their own.
    package = type(sys)("telemetry")
    package.__path__ = [__file__.rpartition("/")[0] or "."]
    sys.modules["telemetry"] = package
    __package__ = "telemetry"

from .program import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], __doc__))
