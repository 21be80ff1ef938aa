"""A Jetson Orin Nano of files and two scripts, as far as the jtop service of jetson-stats looks at it.

With ``JTOP_TESTING`` in its environment the service reads ``/fake_sys`` for most of ``/sys``, and the real
paths for temperatures. Numbers are those of public captures of such a board (JetPack 6).
"""

from __future__ import annotations

from pathlib import Path

RECORDED = Path(__file__).parent.parent / "fixtures" / "sys" / "jetson-orin-nano"
INA3221 = "fake_sys/bus/i2c/devices/1-0040/hwmon/hwmon1"
THERMAL = "sys/devices/virtual/thermal"
RAILS = (("VDD_IN", 5056, 939), ("VDD_CPU_GPU_CV", 5072, 164), ("VDD_SOC", 5072, 272))  # mV, mA
ZONES = {"cpu-thermal": "47031", "gpu-thermal": "48218", "tj-thermal": "48843", "cv0-thermal": ""}
MODES = ("15W", "25W", "MAXN_SUPER", "7W")

_CORE = {
    "online": "1",
    "cpufreq/scaling_governor": "schedutil",
    "cpufreq/scaling_min_freq": "729600",
    "cpufreq/scaling_max_freq": "1344000",
    "cpufreq/scaling_cur_freq": "729600",
    "cpufreq/cpuinfo_min_freq": "115200",
    "cpufreq/cpuinfo_max_freq": "1510400",
    "cpufreq/cpuinfo_cur_freq": "729600",
}
_NVPMODEL = """#!/bin/sh
case $1 in
-q) printf 'NV Power Mode: {name}\\n{id}\\n' ;;
-p) cat <<'END'
{modes}
NVPM VERB: PM_CONFIG: DEFAULT=25W(1)
END
;;
esac
"""
_JETSON_CLOCKS = """#!/bin/sh
cat <<'END'
SOC family:tegra234  Machine:NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super
Online CPUs: 0-1
cpu0:  Online=1 Governor=schedutil MinFreq=729600 MaxFreq=1344000 CurrentFreq=729600 \
IdleStates: WFI=1 c7=1\x20
NV Power Mode: {name}
END
"""
# The service asks for a Jetson's facts on this architecture alone.
_OTHER_MACHINE = """import platform
platform.machine = lambda: "aarch64"
"""


def files(mode: int = 2) -> dict[str, str]:
    """Path below ``/`` -> text."""
    found = {
        "sys/firmware/devicetree/base/serial-number": "1421023012345\0",
        "fake_sys/bus/i2c/devices/1-0040/name": "ina3221",
        f"{INA3221}/in7_label": "sum of shunt voltages",
    }
    for name in ("etc/nv_tegra_release", "sys/firmware/devicetree/base/model"):
        found[name] = (RECORDED / name).read_text("utf-8").rstrip("\n")
    for number, (name, millivolt, milliampere) in enumerate(RAILS, 1):
        found[f"{INA3221}/in{number}_label"] = name
        found[f"{INA3221}/in{number}_input"] = str(millivolt)
        found[f"{INA3221}/curr{number}_input"] = str(milliampere)
        found[f"{INA3221}/curr{number}_max"] = found[f"{INA3221}/curr{number}_crit"] = "32760"
    for number, (name, text) in enumerate(ZONES.items()):
        found |= {f"{THERMAL}/thermal_zone{number}/type": name, f"{THERMAL}/thermal_zone{number}/temp": text}
    modes = "\n".join(f"NVPM VERB: POWER_MODEL: ID={id_} NAME={name}" for id_, name in enumerate(MODES))
    found["usr/bin/nvpmodel"] = _NVPMODEL.format(name=MODES[mode], id=mode, modes=modes)
    found["usr/bin/jetson_clocks"] = _JETSON_CLOCKS.format(name=MODES[mode])
    return found


def write(folder: Path, bare: bool = False) -> None:
    """The tree below ``folder``; ``bare``: of a machine without any of that, but with processors."""
    found = {"site/sitecustomize.py": _OTHER_MACHINE, "fake_sys/stat": "cpu  3357 0 4313 1362393 0 0 0 0 0 0"}
    for core in (0, 1):
        found["fake_sys/stat"] += f"\ncpu{core} 1678 0 2156 681196 0 0 0 0 0 0"
        found |= {f"fake_sys/devices/system/cpu/cpu{core}/{name}": text for name, text in _CORE.items()}
    for name, text in {**found, **({} if bare else files())}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if not text or text.endswith("\0") else f"{text}\n")
        path.chmod(0o755)
    for name in ("bus/i2c/devices", "class/devfreq", "class/hwmon", "class/power_supply", "kernel/debug/clk"):
        (folder / "fake_sys" / name).mkdir(parents=True, exist_ok=True)
