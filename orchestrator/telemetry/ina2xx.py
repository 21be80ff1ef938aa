"""Power of a supply line from an INA219-like sensor of the user's own, by the kernel's driver ``ina2xx``.

Files: ``sys/class/hwmon/hwmon*/{name,label,power1_input,in1_input,curr1_input}`` in uW, mV and mA (kernel:
Documentation/hwmon/ina2xx.rst; ``in0_input`` is the shunt's). Chips are known by name, since hwmon's
numbers move from boot to boot.
"""

from .machine import Machine, absent, parsed, reason_of
from .reading import Channel, Reading

FOLDER = "sys/class/hwmon"
CHIPS = ("ina219", "ina220", "ina226", "ina230", "ina231", "ina2xx")
NONE = Channel("ina2xx", "supply_line", "sampled", "w")
FIX = "bind the sensor's driver, e.g. echo ina219 0x40 > /sys/bus/i2c/devices/i2c-1/new_device"
# What describes a board whose pins carry I2C; the buses of a PC lead to its memory and its monitor.
DEVICE_TREES = ("proc/device-tree", "sys/firmware/devicetree")


class Ina2xx:
    """Watts of each chip, named by its label, else by its chip; doubles by their address too."""

    fixes = {}  # type: dict[str, str]
    slow = False
    scatter = True

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        if _is_board(machine):
            self.fixes = {"no_sensor": FIX}
        folders = ["%s/%s" % (FOLDER, hwmon) for hwmon in machine.names(FOLDER)]
        folders = [folder for folder in folders if _text(machine, folder + "/name") in CHIPS]
        names = [_text(machine, folder + "/label") or _text(machine, folder + "/name") for folder in folders]
        self._chips = []  # type: list[tuple[str, bool, Channel]]
        for folder, name in zip(folders, names):
            if names.count(name) > 1:
                name = "%s.%s" % (name, _address(machine, folder))
            channel = Channel("ina2xx.%s" % name, "supply_line", "sampled", "w", low=0)
            self._chips.append((folder, "power1_input" in machine.names(folder), channel))

    def read(self) -> "list[Reading]":
        """One reading a chip, or one that says there is none; a line that is fed backwards has none."""
        if not self._chips:
            now_ns = self._machine.now()
            return [absent(NONE, "no_sensor", now_ns, now_ns)]
        readings = []  # type: list[Reading]
        for folder, has_power, channel in self._chips:
            if has_power:
                readings += self._machine.readings(folder + "/power1_input", [(channel, _watts)])
            else:
                readings.append(self._product(folder, channel))
        return readings

    def _product(self, folder: str, channel: Channel) -> Reading:
        """Volts times amperes, stamped around both reads."""
        t0_ns = self._machine.now()
        try:
            millivolts = self._machine.read(folder + "/in1_input")
            milliamperes = self._machine.read(folder + "/curr1_input")
        except OSError as problem:
            return absent(channel, reason_of(problem), t0_ns, self._machine.now())
        t1_ns = self._machine.now()
        return parsed(channel, lambda data: int(data) * int(milliamperes) / 1e6, millivolts, t0_ns, t1_ns)


def _is_board(machine: Machine) -> bool:
    has_bus = any(name.startswith("i2c-") for name in machine.names("sys/bus/i2c/devices"))
    return has_bus and any(machine.names(folder) for folder in DEVICE_TREES)


def _watts(data: bytes) -> float:
    return int(data) / 1e6


def _text(machine: Machine, path: str) -> str:
    try:
        return machine.text(path)
    except OSError:
        return ""


def _address(machine: Machine, folder: str) -> str:
    """Bus and address of the chip, such as ``1-0040``, or hwmon's number where they are not told."""
    device = machine.target(folder + "/device")
    return (device or folder).rpartition("/")[2]
