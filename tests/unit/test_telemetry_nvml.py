"""NVIDIA's GPUs: every field answers for itself, and every way to have none has its reason and its fix."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.telemetry.nvml import MODULE_FIX, REASONS, Nvml
from tests.support import nvml
from tests.support.recorded import Clock, machine, said

FIELDS = ["energy", "power", "clock_sm", "temperature", "throttle"]
TELEMETRY = Path(__file__).parent.parent.parent / "orchestrator" / "telemetry"


def source(*boards, clock=None, **world):
    return Nvml(machine("i5-desktop", {}, clock), nvml=nvml.Pynvml(boards or (nvml.BOARD,), **world))


def test_one_board_has_five_channels():
    readings = source().read()
    assert said(readings) == {
        "nvml.0.energy": 0.0,
        "nvml.0.power": 71.53,
        "nvml.0.clock_sm": 1_980_000_000,
        "nvml.0.temperature": 41,
        "nvml.0.throttle": 4,
    }
    assert {r.channel.scope for r in readings} == {"gpu_board"}
    assert [r.channel.unit for r in readings] == ["j", "w", "hz", "c", "bits"]
    assert [r.channel.method for r in readings] == ["counter"] + ["sampled"] * 4


def test_every_board_has_its_own():
    warm = {**nvml.BOARD, "power_mw": 300_000, "temperature_c": 80}
    values = said(source(nvml.BOARD, warm).read())
    assert len(values) == 10
    assert (values["nvml.0.power"], values["nvml.1.power"]) == (71.53, 300.0)
    assert (values["nvml.0.temperature"], values["nvml.1.temperature"]) == (41, 80)


def test_energy_is_what_was_used_since_the_first_read():
    board, clock = dict(nvml.BOARD), Clock()
    found = source(board, clock=clock)
    values = []
    for energy_mj in (5_000_000, 5_007_000, 5_007_001):
        board["energy_mj"] = energy_mj
        values.append(said(found.read())["nvml.0.energy"])
        clock.pass_s(0.1)
    assert values == pytest.approx([0.0, 7.0, 7.001])


def test_energy_of_a_driver_that_was_loaded_anew_is_stale():
    board = dict(nvml.BOARD)
    found = source(board)
    found.read()
    for energy_mj in (10, 6_000_000):
        board["energy_mj"] = energy_mj
        assert said(found.read())["nvml.0.energy"] == "stale"


def test_energy_that_stands_still_is_stale():
    clock = Clock()
    found = source(clock=clock)
    found.read()
    clock.pass_s(5)
    assert said(found.read())["nvml.0.energy"] == 0.0
    clock.pass_s(0.1)
    values = said(found.read())
    assert (values["nvml.0.energy"], values["nvml.0.power"]) == ("stale", 71.53)


def test_a_board_that_begins_well_may_answer_nothing():
    values = said(source(nvml.UNSUPPORTED).read())
    assert values == {f"nvml.0.{name}": "not_supported" for name in FIELDS}


@pytest.mark.parametrize(
    "key, name", [*zip(["energy_mj", "power_mw", "sm_mhz", "temperature_c", "throttle"], FIELDS, strict=True)]
)
@pytest.mark.parametrize(
    "answer, reason",
    [
        ("NotSupported", "not_supported"),
        ("NoPermission", "permission"),
        ("GpuIsLost", "stale"),
        ("ResetRequired", "stale"),
        ("Timeout", "timeout"),
        ("NoData", "enodata"),
        ("Unknown", "io_error"),
        ("Uninitialized", "io_error"),
        (-273, "out_of_range"),
    ],
)
def test_each_field_fails_alone(key, name, answer, reason):
    board = dict(nvml.BOARD)
    found = source(board)
    found.read()
    board[key] = answer
    values = said(found.read())
    assert values.pop(f"nvml.0.{name}") == reason
    assert all(isinstance(value, int | float) for value in values.values())


@pytest.mark.parametrize("key, answer", [("power_mw", 0), ("power_mw", 2**32 - 1), ("sm_mhz", 0)])
def test_a_figure_that_cannot_be_true_is_none(key, answer):
    values = said(source({**nvml.BOARD, key: answer}).read())
    assert list(values.values()).count("out_of_range") == 1


@pytest.mark.parametrize(
    "error, reason",
    [
        ("LibraryNotFound", "no_sensor"),
        ("DriverNotLoaded", "no_sensor"),
        ("NoPermission", "permission"),
        ("LibRmVersionMismatch", "io_error"),
        ("Timeout", "timeout"),
    ],
)
@pytest.mark.parametrize("where", ["init", "count"])
def test_nvml_that_does_not_begin_says_why(where, error, reason):
    found = source(**{where: error})
    assert said(found.read()) == {"nvml": reason}
    if reason != "timeout":
        assert "\n" not in found.fixes[reason]
    found.close()
    assert found._nvml.begun == 0


def test_the_fix_for_a_missing_driver_is_no_module():
    assert "driver" in source(init="DriverNotLoaded").fixes["no_sensor"]
    assert Nvml.fixes["no_sensor"] != MODULE_FIX


def test_no_board_is_no_sensor():
    assert said(Nvml(machine("i5-desktop"), nvml=nvml.Pynvml(boards=())).read()) == {"nvml": "no_sensor"}


def test_a_lost_board_spares_its_neighbour():
    values = said(source(nvml.BOARD, nvml.BOARD, handles={0: "GpuIsLost"}).read())
    assert {values[f"nvml.0.{name}"] for name in FIELDS} == {"stale"}
    assert values["nvml.1.power"] == 71.53


OLD, NEW = "nvmlDeviceGetCurrentClocksThrottleReasons", "nvmlDeviceGetCurrentClocksEventReasons"


def test_a_driver_without_the_old_function_is_asked_by_the_new_one_from_then_on():
    found = source(lacking=(OLD,))
    assert [said(found.read())["nvml.0.throttle"] for _ in range(3)] == [4, 4, 4]
    asked = found._nvml.asked
    assert (asked.count(OLD), asked.count(NEW)) == (1, 3)


def test_a_driver_without_either_has_none_of_it():
    found = source(lacking=(OLD, NEW))
    assert [said(found.read())["nvml.0.throttle"] for _ in range(2)] == ["not_supported"] * 2


@pytest.mark.parametrize("gone", [(OLD,), (NEW,), ("nvmlDeviceGetTemperature",), (OLD, NEW)])
def test_a_module_may_lack_a_function(gone):
    found = Nvml(machine("i5-desktop"), nvml=nvml.without(nvml.Pynvml(), *gone))
    values = said(found.read())
    assert values["nvml.0.throttle"] == ("not_supported" if len(gone) == 2 else 4)
    assert values["nvml.0.temperature"] == 41


def test_closing_ends_nvml_once():
    found = source()
    assert found._nvml.begun == 1
    found.close()
    found.close()
    assert found._nvml.begun == 0


def test_reasons_are_of_errors_that_the_double_knows():
    assert {name.partition("_")[2] for name in REASONS} <= set(nvml.CODES)


SCRIPT = (
    "import sys; sys.path.insert(0, sys.argv[1])\n"
    "from telemetry.machine import Machine\n"
    "from telemetry.nvml import Nvml\n"
    "before = list(sys.path)\n"
    "source = Nvml(Machine(sys.argv[3]), sys.argv[2])\n"
    "import json\n"
    "lines = [json.loads(r.line()) for r in source.read()]\n"
    "print(json.dumps([lines, source.fixes.get('no_sensor'), sys.path == before]))\n"
    "source.close()\n"
)


DRIVER = ["dev/nvidiactl", "proc/driver/nvidia/version", "sys/module/nvidia/version"]


@pytest.mark.parametrize(
    "text, seen",
    [
        *((None, seen) for seen in (*DRIVER, "dev/null")),
        ("match = :\n", DRIVER[0]),
        ("import nowhere\n", DRIVER[0]),
    ],
)
def test_without_its_module_there_is_no_sensor_and_the_fix_names_it_where_a_board_is(tmp_path, text, seen):
    (tmp_path / "modules").mkdir()
    (tmp_path / "telemetry").symlink_to(TELEMETRY)
    root = tmp_path / "root"
    (root / seen).parent.mkdir(parents=True)
    (root / seen).touch()
    if text is not None:
        (tmp_path / "modules/pynvml.py").write_text(text)
    words = [
        sys.executable,
        "-S",
        "-E",
        "-s",
        "-c",
        SCRIPT,
        str(tmp_path),
        str(tmp_path / "modules"),
        str(root),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    [line], fix, restored = json.loads(done.stdout)
    assert (line["source"], line["value"], line["reason"]) == ("nvml", None, "no_sensor")
    assert (fix, restored) == (MODULE_FIX if seen in DRIVER else None, True)
