"""A user's own sensors in a supply line: found by name, whatever numbers hwmon gave them."""

import errno
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.ina2xx import Ina2xx
from orchestrator.telemetry.reading import REASONS
from tests.support.recorded import TREES, machine, said

TREE = "supply-line-sensors"


def test_power_is_read_or_made_of_volts_and_amperes():
    readings = Ina2xx(machine(TREE)).read()
    assert said(readings) == {
        "ina2xx.ina219.1-0041": 4.32,
        "ina2xx.board 5V": 4.08,
        "ina2xx.ina219.1-0040": 1.2,
    }
    shapes = {(r.channel.scope, r.channel.method, r.channel.unit) for r in readings}
    assert shapes == {("supply_line", "sampled", "w")}


def test_names_stay_when_numbers_move(tmp_path):
    shutil.copytree(TREES / TREE, tmp_path / TREE, symlinks=True)
    hwmon = tmp_path / TREE / "sys/class/hwmon"
    for old, new in ((0, 9), (1, 7), (2, 4), (3, 5)):
        (hwmon / f"hwmon{old}").rename(hwmon / f"hwmon{new}")
    assert said(Ina2xx(machine(tmp_path / TREE)).read()) == said(Ina2xx(machine(TREE)).read())


def test_a_lone_chip_needs_no_address():
    files = {"hwmon3/name": b"ina220\n", "hwmon2/label": errno.ENOENT}
    assert set(said(Ina2xx(machine(TREE, files)).read())) == {
        "ina2xx.ina219",
        "ina2xx.ina226",
        "ina2xx.ina220",
    }


def test_without_an_address_hwmon_s_number_tells_doubles_apart(tmp_path):
    shutil.copytree(TREES / TREE, tmp_path / TREE, symlinks=True)
    for number in (1, 3):
        (tmp_path / TREE / f"sys/class/hwmon/hwmon{number}/device").unlink()
    names = set(said(Ina2xx(machine(tmp_path / TREE)).read()))
    assert names == {"ina2xx.ina219.hwmon1", "ina2xx.ina219.hwmon3", "ina2xx.board 5V"}


@pytest.mark.parametrize("file", ["hwmon1/power1_input", "hwmon2/in1_input", "hwmon2/curr1_input"])
@pytest.mark.parametrize(
    "what, reason",
    [
        (errno.EAGAIN, "eagain"),
        (errno.ENODATA, "enodata"),
        (errno.EACCES, "permission"),
        (errno.EIO, "io_error"),
        (errno.EREMOTEIO, "io_error"),  # nobody answers on the bus
        (errno.ENXIO, "no_sensor"),
        (errno.ENOENT, "no_sensor"),  # unplugged
        (b"", "parse"),
        (b"4.3 W\n", "parse"),
        (b"-1000\n", "out_of_range"),
    ],
)
def test_a_read_that_fails_has_a_reason_and_spares_the_others(file, what, reason):
    files = {}
    source = Ina2xx(machine(TREE, files))
    files[file] = what
    values = said(source.read())
    assert sorted(map(str, values.values())).count(reason) == 1
    assert values["ina2xx.ina219.1-0040"] == 1.2


@given(st.integers(0, 40_000), st.integers(0, 400_000))
def test_the_product_of_mv_and_ma_is_in_watts(millivolts, milliamperes):
    files = {"hwmon2/in1_input": b"%d\n" % millivolts, "hwmon2/curr1_input": b"%d\n" % milliamperes}
    watts = said(Ina2xx(machine(TREE, files)).read())["ina2xx.board 5V"]
    assert watts == pytest.approx(millivolts / 1000 * milliamperes / 1000)


@given(st.binary(max_size=30))
def test_whatever_a_file_holds_is_a_value_or_a_reason(data):
    for file in ("hwmon1/power1_input", "hwmon2/in1_input", "hwmon2/curr1_input"):
        for reading in Ina2xx(machine(TREE, {file: data})).read():
            assert (reading.value is None) == (reading.reason in REASONS)
            assert reading.value is None or reading.value >= 0


def test_stamps_enclose_both_factors():
    times = iter(range(100))
    readings = Ina2xx(machine(TREE, {}, lambda: next(times))).read()
    assert [(r.t0_ns, r.t1_ns) for r in readings] == [(0, 1), (2, 3), (4, 5)]


@pytest.mark.parametrize("device", ["i5-desktop", "epyc-vm"])
def test_other_chips_are_none_of_these(device):
    assert said(Ina2xx(machine(device)).read()) == {"ina2xx": "no_sensor"}


@pytest.mark.parametrize(
    "files, has_fix",
    [
        (["sys/bus/i2c/devices/i2c-1/name", "proc/device-tree/model"], True),
        (["sys/bus/i2c/devices/i2c-7/name", "sys/firmware/devicetree/base/model"], True),
        (["sys/bus/i2c/devices/i2c-1/name"], False),  # a PC's, for its memory modules
        (["sys/bus/i2c/devices/1-0040/name", "proc/device-tree/model"], False),
        (["proc/device-tree/model"], False),
        ([], False),
    ],
)
def test_only_a_board_with_a_bus_is_told_to_bind_a_driver(tmp_path, files, has_fix):
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    source = Ina2xx(machine(tmp_path))
    assert said(source.read()) == {"ina2xx": "no_sensor"}
    assert ("no_sensor" in source.fixes) == has_fix
    assert all("\n" not in fix and "new_device" in fix for fix in source.fixes.values())
