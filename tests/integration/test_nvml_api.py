"""Every name of NVML's that telemetry uses, against NVIDIA's own module; no GPU is needed.

The driver's library is one of our own, which answers what a test wants.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.telemetry.nvml import FIELDS, REASONS
from tests.support import nvml

ROOT = Path(__file__).parent.parent.parent
SOURCE = ROOT / "orchestrator" / "telemetry" / "nvml.py"
# One from before NVIDIA's renaming, one from after it, and the newest.
WHEELS = ("nvidia-ml-py==11.525.150", "nvidia-ml-py==12.575.51", "nvidia-ml-py==13.615.71")
LACKING = {
    WHEELS[0]: {
        "nvmlDeviceGetCurrentClocksEventReasons",
        "nvmlDeviceGetTemperatureV",
        "NVMLError_GpuNotFound",
        "NVMLError_NotReady",
    },
    WHEELS[1]: set(),
    WHEELS[2]: set(),
}
# The functions of libnvidia-ml.so.1 (nvml.h), answering from the environment: NVML_<KEY>, `!3` is error 3.
LIBRARY = r"""
#include <stdio.h>
#include <stdlib.h>
static int answer(const char *key, unsigned long long *value) {
    const char *said = getenv(key);
    if (!said) said = getenv("NVML_ELSE");
    if (said && said[0] == '!') return atoi(said + 1);
    *value = said ? strtoull(said, 0, 10) : 0;
    return 0;
}
static int small(const char *key, unsigned *value) {
    unsigned long long wide = 0;
    int error = answer(key, &wide);
    *value = (unsigned)wide;
    return error;
}
int nvmlInitWithFlags(unsigned flags) { unsigned v; return flags ? 2 : small("NVML_INIT", &v); }
int nvmlShutdown(void) { fputs("ended\n", stderr); return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { return small("NVML_COUNT", count); }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **board) {
    *board = (char *)0 + 64 + index;
    return 0;
}
int nvmlDeviceGetTotalEnergyConsumption(void *board, unsigned long long *mj) {
    return answer("NVML_ENERGY", mj);
}
int nvmlDeviceGetPowerUsage(void *board, unsigned *mw) { return small("NVML_POWER", mw); }
int nvmlDeviceGetClockInfo(void *board, int type, unsigned *mhz) {
    return type == 1 ? small("NVML_CLOCK", mhz) : 2;
}
#ifdef OLD
int nvmlDeviceGetTemperature(void *board, int sensor, unsigned *c) {
    return sensor == 0 ? small("NVML_TEMPERATURE", c) : 2;
}
int nvmlDeviceGetCurrentClocksThrottleReasons(void *board, unsigned long long *bits) {
    return answer("NVML_THROTTLE", bits);
}
#else
struct temperature { unsigned version; int sensor; int celsius; };
int nvmlDeviceGetTemperatureV(void *board, struct temperature *t) {
    if (t->version != 0x100000C || t->sensor != 0) return 25;
    return small("NVML_TEMPERATURE", (unsigned *)&t->celsius);
}
int nvmlDeviceGetCurrentClocksEventReasons(void *board, unsigned long long *bits) {
    return answer("NVML_THROTTLE", bits);
}
#endif
"""
READ = (
    "import json, sys\nsys.path.insert(0, sys.argv[1])\n"
    "from telemetry.machine import Machine\nfrom telemetry.nvml import Nvml\n"
    "source = Nvml(Machine(), sys.argv[2])\n"
    "readings = source.read()\n"
    "said = {r.channel.source: r.reason if r.value is None else r.value for r in readings}\n"
    "print(json.dumps([said, source.fixes['no_sensor']]))\nsource.close()\n"
)
ANSWERS = {
    "NVML_INIT": "0",
    "NVML_COUNT": "2",
    "NVML_ENERGY": "18446744073709551",
    "NVML_POWER": "71530",
    "NVML_CLOCK": "1980",
    "NVML_TEMPERATURE": "41",
    "NVML_THROTTLE": "68",
}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Every wheel unpacked in a folder of its own; none is installed."""
    folder = tmp_path_factory.mktemp("nvml")
    for requirement in WHEELS:
        words = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", folder / requirement]
        done = subprocess.run([*words, requirement], capture_output=True, text=True, timeout=300)
        if done.returncode and os.environ.get("CI") != "true":
            pytest.skip(f"{requirement} is out of reach")
        assert done.returncode == 0, done.stderr
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def libraries(tmp_path_factory):
    """Folders with a libnvidia-ml.so.1: of drivers before and after NVIDIA's renaming."""
    folder = tmp_path_factory.mktemp("libraries")
    for name, option in (("old", "-DOLD"), ("new", "-UOLD")):
        (folder / name).mkdir()
        output = folder / name / "libnvidia-ml.so.1"
        words = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", option, "-x", "c", "-", "-o", output]
        subprocess.run(words, input=LIBRARY, text=True, check=True)
    return folder


def used():
    """Names that the source takes from the module: its tables, and its attributes of ``nvml`` objects."""
    names = set(REASONS)
    for _end, _method, _unit, _low, _high, functions, constant, _size in FIELDS:
        names |= {*functions, *([constant] if constant else [])}
    for node in ast.walk(ast.parse(SOURCE.read_text())):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).endswith("nvml"):
            names.add(node.attr)
    return names


def lacking(folder, names):
    """Those of the names that the module in a folder has not."""
    code = "import json, sys, pynvml; print(json.dumps([n for n in sys.argv[1:] if not hasattr(pynvml, n)]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *sorted(names)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(folder)},
    )
    return set(json.loads(done.stdout))


def test_the_names_are_all_found():
    assert {
        "nvmlInit",
        "nvmlShutdown",
        "nvmlDeviceGetCount",
        "nvmlDeviceGetHandleByIndex",
        "NVMLError",
    } < used()
    assert len(used()) >= 26


@pytest.mark.parametrize("wheel", WHEELS)
def test_telemetry_uses_what_is_there(wheels, wheel):
    assert lacking(wheels / wheel, used()) == LACKING[wheel]


def test_the_double_has_nothing_that_the_real_one_lacks(wheels):
    names = {name for name in dir(nvml.Pynvml()) if name.startswith(("nvml", "NVML"))}
    assert used() <= names
    assert lacking(wheels / WHEELS[-1], names) == set()


def test_the_double_s_errors_have_the_real_numbers(wheels):
    code = (
        "import json, pynvml as p\n"
        "print(json.dumps({c.__name__: v for v, c in p.NVMLError._valClassMapping.items()}))"
    )
    env = {"PYTHONPATH": str(wheels / WHEELS[-1])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    real = json.loads(done.stdout)
    assert {name: real[f"NVMLError_{name}"] for name in nvml.CODES} == nvml.CODES


def pythons():
    """This Python, and the oldest that boards have where it is at hand."""
    old = [str(path) for path in Path.home().glob(".pyenv/versions/3.6.*/bin/python")][:1]
    return [sys.executable, *old]


def read(wheel, library, answers, tmp_path, python=sys.executable):
    """One read in a process as lean as telemetry's own: values and reasons, the fix, standard error."""
    (tmp_path / "telemetry").symlink_to(SOURCE.parent)
    done = subprocess.run(
        [python, "-S", "-E", "-s", "-c", READ, str(tmp_path), str(wheel)],
        capture_output=True,
        text=True,
        env={"LD_LIBRARY_PATH": str(library), "PATH": os.environ["PATH"], **answers},
    )
    assert done.returncode == 0, done.stderr
    said, fix = json.loads(done.stdout)
    return said, fix, done.stderr


@pytest.mark.parametrize("python", pythons(), ids=lambda path: Path(path).parent.parent.name)
@pytest.mark.parametrize("wheel, driver", [(WHEELS[0], "old"), (WHEELS[2], "old"), (WHEELS[2], "new")])
def test_the_real_module_reads_two_boards(wheels, libraries, tmp_path, wheel, driver, python):
    said, _, err = read(wheels / wheel, libraries / driver, ANSWERS, tmp_path, python)
    expected = {"energy": 0.0, "power": 71.53, "clock_sm": 1_980_000_000, "temperature": 41, "throttle": 68}
    assert said == {f"nvml.{board}.{name}": value for board in (0, 1) for name, value in expected.items()}
    assert err == "ended\n"


def test_an_old_module_beside_a_new_driver_says_what_it_lacks(wheels, libraries, tmp_path):
    said, _, _ = read(wheels / WHEELS[0], libraries / "new", {**ANSWERS, "NVML_COUNT": "1"}, tmp_path)
    assert said["nvml.0.power"] == 71.53
    assert (said["nvml.0.temperature"], said["nvml.0.throttle"]) == ("not_supported", "not_supported")


@pytest.mark.parametrize("name, code", nvml.CODES.items())
def test_every_error_of_the_real_module_has_its_reason(wheels, libraries, tmp_path, name, code):
    """Of a query, and of the beginning."""
    answers = {"NVML_INIT": "0", "NVML_COUNT": "1", "NVML_ELSE": f"!{code}"}
    said, _, _ = read(wheels / WHEELS[-1], libraries / "new", answers, tmp_path)
    assert len(said) == 5
    assert set(said.values()) == {REASONS.get(f"NVMLError_{name}", "io_error")}
    (tmp_path / "telemetry").unlink()
    begun, _, _ = read(wheels / WHEELS[-1], libraries / "new", {"NVML_INIT": f"!{code}"}, tmp_path)
    assert begun == {"nvml": REASONS.get(f"NVMLError_{name}", "io_error")}


@pytest.mark.parametrize("wheel", WHEELS)
def test_without_a_driver_the_real_module_is_answered(wheels, tmp_path, wheel):
    if Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a GPU")
    said, fix, _ = read(wheels / wheel, tmp_path, {}, tmp_path)
    assert said == {"nvml": "no_sensor"}
    assert "driver" in fix
