"""Clock of a Jetson's GPU, from devfreq: ``cur_freq``, ``min_freq`` and ``max_freq`` in Hz.

The folder is named after the GPU's address and, from release to release, ``gpu`` or the chip's code name.
Limits that are equal mean a locked clock.
"""

from .machine import Machine
from .reading import Channel, Reading

FOLDER = "sys/class/devfreq"
GPUS = ("gpu", "gp10b", "gv11b", "ga10b")
NONE = Channel("devfreq", "clock_domain", "sampled", "hz")
# (end of the source's name, file, method)
CLOCKS = (("current", "cur_freq", "sampled"), ("min", "min_freq", "setting"), ("max", "max_freq", "setting"))


class Devfreq:
    """Readings of each GPU's clock; two GPUs are told apart by their folders' names."""

    fixes = {}  # type: dict[str, str]
    slow = False

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        gpus = [name for name in machine.names(FOLDER) if any(gpu in name for gpu in GPUS)]
        self._files = []
        for gpu in gpus:
            name = "devfreq.gpu" if len(gpus) == 1 else "devfreq.gpu.%s" % gpu
            for end, file, method in CLOCKS:
                channel = Channel("%s.%s" % (name, end), "clock_domain", method, "hz", 1, 1e10)
                self._files.append(("%s/%s/%s" % (FOLDER, gpu, file), channel))

    def read(self) -> "list[Reading]":
        """Three readings a GPU, or one that says there is none."""
        return self._machine.each(self._files, int, NONE)
