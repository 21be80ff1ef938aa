"""A Jetson's power monitors in both layouts of the driver: rails, scopes, refusals and pace."""

import errno
import shutil

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestrator.telemetry.ina3221 import (
    Ina3221,
    rail_channel,
    watts_of_halves,
    watts_of_power,
)
from orchestrator.telemetry.machine import Machine, parsed
from tests.support.sensors import REFUSALS, TREES, Clock, recorded, said

SECOND_NS = 1_000_000_000
NANO = {"ina3221.POM_5V_IN": 2.276, "ina3221.POM_5V_GPU": 0.04, "ina3221.POM_5V_CPU": 0.519}
ORIN = {
    "ina3221.VDD_IN": pytest.approx(5072 * 936 / 1e6),
    "ina3221.VDD_CPU_GPU_CV": pytest.approx(5072 * 168 / 1e6),
    "ina3221.VDD_SOC": pytest.approx(5072 * 272 / 1e6),
}
HWMON = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"


def rails(readings):
    """Those of the rails alone."""
    return [r for r in readings if r.channel.method != "setting"]


def test_the_older_driver_gives_power():
    readings = Ina3221(recorded("jetson-nano")).read()
    assert said(rails(readings)) == NANO  # trigger inputs, which say 0, are no rails
    scopes = {r.channel.source[8:]: r.channel.scope for r in rails(readings)}
    assert scopes == {
        "POM_5V_IN": "board_input",
        "POM_5V_GPU": "supply_rail",
        "POM_5V_CPU": "supply_rail",
    }


def test_the_newer_driver_gives_voltage_and_current():
    readings = Ina3221(recorded("jetson-orin-nano")).read()
    assert said(rails(readings)) == ORIN  # the sum of shunt voltages is no rail
    scopes = {r.channel.source[8:]: r.channel.scope for r in rails(readings)}
    assert scopes == {
        "VDD_IN": "module_input",
        "VDD_CPU_GPU_CV": "supply_rail",
        "VDD_SOC": "supply_rail",
    }
    assert Ina3221.slow


def test_how_the_driver_averages_is_told_once():
    source = Ina3221(recorded("jetson-orin-nano"))
    first = {r.channel.source: r for r in source.read() if r.channel.method == "setting"}
    assert {name: r.value for name, r in first.items()} == {
        "ina3221.update_interval": 7_000_000,
        "ina3221.samples": 1,
    }
    assert (
        first["ina3221.update_interval"].channel.unit,
        first["ina3221.samples"].channel.unit,
    ) == ("ns", "number")
    assert all(r.channel.method != "setting" for r in source.read())


def test_the_older_driver_does_not_tell_how_it_averages():
    settings = [r for r in Ina3221(recorded("jetson-nano")).read() if r.channel.method == "setting"]
    assert said(settings) == {"ina3221.update_interval": "no_sensor", "ina3221.samples": "no_sensor"}


@pytest.mark.parametrize("device, total", [("jetson-nano", "POM_5V_IN"), ("jetson-orin-nano", "VDD_IN")])
def test_the_input_is_read_each_time_and_the_rest_once_a_second(device, total):
    clock = Clock()
    source = Ina3221(recorded(device, now=clock))
    assert len(rails(source.read())) == 3
    for _ in range(9):
        clock.now_ns += SECOND_NS // 10
        assert list(said(source.read())) == ["ina3221." + total]
    clock.now_ns += SECOND_NS // 10
    assert len(source.read()) == 3
    clock.now_ns += 3600 * SECOND_NS  # a pause is not made up for
    assert len(source.read()) == 3
    assert len(source.read()) == 1


def test_voltage_and_current_are_read_back_to_back_within_the_stamps():
    looks = []
    found = recorded("jetson-orin-nano", now=lambda: looks.append("now") or len(looks))
    read = found.read
    found.read = lambda path: looks.append(path.rpartition("/")[2]) or read(path)
    source = Ina3221(found)
    looks.clear()
    [first, *_rest] = source.read()
    assert first.channel.source == "ina3221.VDD_IN"
    assert looks[1:5] == ["now", "in1_input", "curr1_input", "now"]
    assert (first.t0_ns, first.t1_ns) == (2, 5)


def test_a_clock_that_jumps_between_the_halves_shows_in_the_stamps():
    readings = rails(Ina3221(recorded("jetson-orin-nano", now=Clock(SECOND_NS))).read())
    assert [r.t1_ns - r.t0_ns for r in readings] == [SECOND_NS] * 3


@pytest.mark.parametrize("number, reason", REFUSALS)
@pytest.mark.parametrize(
    "device, file, rail",
    [
        ("jetson-nano", "/in_power0_input", "POM_5V_IN"),
        ("jetson-nano", "/in_power2_input", "POM_5V_CPU"),
        ("jetson-orin-nano", "/in1_input", "VDD_IN"),
        ("jetson-orin-nano", "/curr1_input", "VDD_IN"),
        ("jetson-orin-nano", "/in3_input", "VDD_SOC"),
    ],
)
def test_a_rail_that_refuses_has_its_reason_and_no_substitute(number, reason, device, file, rail):
    readings = rails(Ina3221(recorded(device, files={file: number})).read())
    whole = NANO if device == "jetson-nano" else ORIN
    assert said(readings) == {**whole, f"ina3221.{rail}": reason}


@pytest.mark.parametrize(
    "device, files, reason",
    [
        ("jetson-nano", {"/in_power0_input": b"0\n"}, "out_of_range"),  # as in triggered mode
        ("jetson-nano", {"/in_power0_input": b"-40\n"}, "out_of_range"),
        ("jetson-nano", {"/in_power0_input": b"9999999\n"}, "out_of_range"),
        ("jetson-nano", {"/in_power0_input": b"9" * 400}, "parse"),
        ("jetson-nano", {"/in_power0_input": b""}, "parse"),
        ("jetson-nano", {"/in_power0_input": b"4992 456\n"}, "parse"),
        ("jetson-nano", {"/in_power0_input": b"2276 mw\n"}, "parse"),
        ("jetson-orin-nano", {"/in1_input": b"-5072\n", "/curr1_input": b"-936\n"}, "out_of_range"),
        ("jetson-orin-nano", {"/curr1_input": b"-1\n"}, "out_of_range"),
        ("jetson-orin-nano", {"/curr1_input": b"0\n"}, "out_of_range"),
        ("jetson-orin-nano", {"/curr1_input": b""}, "parse"),
        ("jetson-orin-nano", {"/in1_input": b""}, "parse"),
        ("jetson-orin-nano", {"/curr1_input": b"936,1\n"}, "parse"),
        ("jetson-orin-nano", {"/curr1_input": b"nan\n"}, "parse"),
    ],
)
def test_an_input_that_cannot_be_true(device, files, reason):
    [total, *_rest] = Ina3221(recorded(device, files=files)).read()
    assert (total.value, total.reason) == (None, reason)


def test_a_rail_may_take_nothing():
    files = {"/in_power1_input": b"0\n"}
    assert said(Ina3221(recorded("jetson-nano", files=files)).read())["ina3221.POM_5V_GPU"] == 0


def test_a_stuck_value_stays_a_value():
    # The monitor's step is some 40 mW: a quiet board says the same for long.
    source = Ina3221(recorded("jetson-nano"))
    assert {said(source.read())["ina3221.POM_5V_IN"] for _ in range(5)} == {2.276}


def test_what_is_not_connected_is_no_rail():
    files = {"/rail_name_1": b"NC\n", "/in2_label": b"NC\n"}
    assert "ina3221.POM_5V_GPU" not in said(Ina3221(recorded("jetson-nano", files=files)).read())
    found = said(rails(Ina3221(recorded("jetson-orin-nano", files=files)).read()))
    assert set(found) == {"ina3221.VDD_IN", "ina3221.VDD_SOC"}


def test_a_rail_whose_name_is_refused_does_not_vanish():
    files = {"/in3_label": errno.EIO}
    found = said(Ina3221(recorded("jetson-orin-nano", files=files)).read())
    assert found["ina3221.in3_label"] == ORIN["ina3221.VDD_SOC"]


def test_two_monitors_with_one_name_are_told_apart(tmp_path):
    shutil.copytree(TREES / "jetson-orin-nano" / HWMON, tmp_path / HWMON)
    second = tmp_path / HWMON.replace("1-0040", "1-0041").replace("hwmon1", "hwmon2")
    shutil.copytree(tmp_path / HWMON, second)
    readings = rails(Ina3221(Machine(str(tmp_path))).read())
    assert len(said(readings)) == 6
    scopes = {r.channel.source: r.channel.scope for r in readings}
    assert scopes["ina3221.VDD_IN.1-0040"] == scopes["ina3221.VDD_IN.1-0041"] == "module_input"


@pytest.mark.parametrize("device", ["rpi5", "epyc-vm"])
def test_a_board_without_monitors_says_so(device):
    assert said(Ina3221(recorded(device)).read()) == {"ina3221": "no_sensor"}


NUMBERS = st.integers().map(lambda number: b"%d\n" % number) | st.binary(max_size=12)


@examples(st.tuples(NUMBERS, NUMBERS))
def test_mutated_files_raise_nothing(files):
    channel = rail_channel("ina3221", "VDD_IN")
    for reading in (
        parsed(channel, watts_of_halves, b",".join(files), 1, 2),
        parsed(channel, watts_of_power, files[0], 1, 2),
    ):
        assert reading.reason in (None, "parse", "out_of_range")
        assert reading.value is None or channel.low <= reading.value <= channel.high
