"""Run a module as a program and write its peak resident memory as the last line of standard error.

``peak.py MODULE [ARGUMENT ...]``. Not from outside: the peak that a parent is told of its child is never
below the parent's own, which Linux hands down.
"""

import atexit
import runpy
import sys


def tell():
    """VmHWM in kB, as the kernel counts it for this process."""
    with open("/proc/self/status") as file:
        (peak,) = (line.split()[1] for line in file if line.startswith("VmHWM:"))
    sys.stderr.write(f"\nVmHWM {peak}\n")


if __name__ == "__main__":
    atexit.register(tell)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
