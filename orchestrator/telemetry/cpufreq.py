"""Clocks of the cores that the observed process may use: current, limits and governor.

Other cores are left alone: asking an idle core for its clock can wake it. Limits that are equal mean
locked clocks. On Raspberry Pi the current value is the wish, not what the firmware granted.
"""

from .machine import Machine, absent
from .reading import Channel, Reading

FOLDER = "sys/devices/system/cpu/cpufreq"
NONE = Channel("cpufreq", "clock_domain", "sampled", "hz")
# (end of the source's name, file, method)
CLOCKS = (
    ("current", "scaling_cur_freq", "sampled"),
    ("min", "scaling_min_freq", "setting"),
    ("max", "scaling_max_freq", "setting"),
)


class Cpufreq:
    """Readings of each clock domain (``policy*``)."""

    def __init__(self, machine: Machine, pid: int) -> None:
        self._machine = machine
        allowed = _allowed(machine, pid)
        self._files = []
        for policy in machine.names(FOLDER):
            if not policy.startswith("policy"):
                continue
            cores = _cores(machine, "%s/%s/related_cpus" % (FOLDER, policy))
            if allowed and cores and not allowed & cores:
                continue
            for name, file, method in CLOCKS:
                channel = Channel("cpufreq.%s.%s" % (policy, name), "clock_domain", method, "hz", low=1)
                self._files.append(("%s/%s/%s" % (FOLDER, policy, file), channel, _hertz))
            channel = Channel("cpufreq.%s.governor" % policy, "clock_domain", "setting", "text")
            self._files.append(("%s/%s/scaling_governor" % (FOLDER, policy), channel, _word))

    def read(self) -> "list[Reading]":
        """Four readings a clock domain, or one that says there is none."""
        if not self._files:
            now_ns = self._machine.now()
            return [absent(NONE, "no_sensor", now_ns, now_ns)]
        readings = []  # type: list[Reading]
        for path, channel, parse in self._files:
            readings += self._machine.readings(path, [(channel, parse)])
        return readings


def _hertz(data: bytes) -> "float | str":
    return int(data) * 1000


def _word(data: bytes) -> "float | str":
    return data.decode("ascii").strip()


def _allowed(machine: Machine, pid: int) -> "set[int]":
    try:
        status = machine.text("proc/%d/status" % pid)
    except OSError:
        return set()
    return span(status.partition("Cpus_allowed_list:")[2].split("\n", 1)[0])


def _cores(machine: Machine, path: str) -> "set[int]":
    try:
        return set(map(int, machine.text(path).split()))
    except (OSError, ValueError):
        return set()


def span(text: str) -> "set[int]":
    """``0-3,8`` as numbers; empty for what is no such list."""
    cores = set()  # type: set[int]
    try:
        for part in text.strip().split(","):
            first, _, last = part.partition("-")
            cores.update(range(int(first), int(last or first) + 1))
    except ValueError:
        return set()
    return cores
