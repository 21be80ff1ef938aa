"""What is read beside the sources' own files: a fixed list, whatever the machine is."""

from __future__ import annotations

from orchestrator.engines import snapshot

_CPU = "sys/devices/system/cpu"
# Patterns below the root; only regular files count.
FILES = (
    *snapshot.FILES,
    "etc/nvpmodel.conf",
    "var/lib/nvpmodel/status",
    "proc/cmdline",
    "proc/stat",
    "proc/swaps",
    "sys/firmware/devicetree/base/compatible",
    "sys/fs/cgroup/cgroup.controllers",
    "sys/fs/cgroup/unified/cgroup.controllers",
    "sys/class/powercap/*/name",
    "sys/class/powercap/*/enabled",
    "sys/class/powercap/*/*_uj",
    "sys/class/hwmon/hwmon*/*",
    "sys/class/thermal/thermal_zone*/*",
    "sys/class/thermal/cooling_device*/*",
    "sys/class/devfreq/*/*",
    "sys/class/devfreq/*/device/load",
    "sys/bus/i2c/drivers/ina3221*/*/iio:device*/*",
    "sys/bus/i2c/drivers/ina3221*/*/hwmon/hwmon*/*",
    "sys/bus/event_source/devices/power/*",
    "sys/bus/event_source/devices/power/events/*",
    f"{_CPU}/cpufreq/policy*/*",
    f"{_CPU}/intel_pstate/*",
    f"{_CPU}/cpu[0-9]*/thermal_throttle/*",
    f"{_CPU}/cpu[0-9]*/topology/physical_package_id",
    f"{_CPU}/cpu[0-9]*/topology/core_id",
)
# Each asked again and again, for what an answer costs.
COMMANDS = (
    ("vcgencmd", "pmic_read_adc"),
    ("vcgencmd", "pmic_read_adc", "VDD_CORE_A"),
    ("vcgencmd", "get_throttled"),
    ("vcgencmd", "measure_temp"),
    ("vcgencmd", "measure_clock", "arm"),
    ("vcgencmd", "measure_volts"),
    ("vcgencmd", "version"),
    ("nvpmodel", "-q"),
    ("jetson_clocks", "--show"),
    ("nvidia-smi", "--query-gpu=name,driver_version,power.draw,clocks.sm,temperature.gpu", "--format=csv"),
    ("docker", "version", "--format", "{{.Server.Version}}"),
    ("uname", "-srm"),
)
# These do not end by themselves: so many lines are enough.
STREAMS = ((("tegrastats", "--interval", "1000"), 3),)
