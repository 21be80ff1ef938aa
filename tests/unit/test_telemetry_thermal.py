"""Thermal zones of the boards: what pretends to be a temperature, and what never answers."""

import errno

import pytest

from orchestrator.telemetry.thermal import Thermal
from tests.support.sensors import REFUSALS, Clock, recorded, said

NANO = {"AO-therm": 47.0, "CPU-therm": 40.0, "GPU-therm": 39.5, "PLL-therm": 37.0, "thermal-fan-est": 40.0}
ORIN = {
    "cpu-thermal": 46.531,
    "gpu-thermal": 48.218,
    "cv0-thermal": "eagain",
    "cv1-thermal": "eagain",
    "cv2-thermal": "eagain",
    "soc0-thermal": 46.593,
    "soc1-thermal": 48.843,
    "soc2-thermal": 47.312,
    "tj-thermal": 48.843,
}


@pytest.mark.parametrize(
    "device, zones",
    [
        ("jetson-nano", NANO),  # without PMIC-Die's constant 100 degrees
        ("jetson-orin-nano", ORIN),
        ("rpi4", {"cpu-thermal": 46.738}),
        ("rpi5", {"cpu-thermal": 46.65}),
    ],
)
def test_the_zones_of_a_board(device, zones):
    expected = {f"thermal.{name}": value for name, value in zones.items()}
    source = Thermal(recorded(device))
    assert said(source.read()) == expected
    assert said(source.read()) == expected


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5])
@pytest.mark.parametrize(
    "data, reason",
    [
        (b"-256000\n", "out_of_range"),
        (b"125001\n", "out_of_range"),
        (b"", "parse"),
        (b"40.0\n", "parse"),
        (b"9" * 400, "parse"),
        *REFUSALS,
    ],
)
def test_offline_is_no_temperature(number, data, reason):
    kinds = ("AO-therm", "CPU-therm", "GPU-therm", "PLL-therm", "PMIC-Die", "thermal-fan-est")
    found = said(Thermal(recorded("jetson-nano", files={f"zone{number}/temp": data})).read())
    assert found[f"thermal.{kinds[number]}"] == reason
    assert len(found) == len(NANO)


def test_a_machine_with_nothing_but_the_invented_zone_has_no_sensor():
    files = {"/type": b"PMIC-Die\n"}
    assert said(Thermal(recorded("jetson-nano", files=files)).read()) == {"thermal": "no_sensor"}


def test_a_zone_whose_type_is_refused_keeps_its_name():
    files = {"zone1/type": errno.EACCES}
    assert said(Thermal(recorded("jetson-nano", files=files)).read())["thermal.thermal_zone1"] == 40.0


def test_a_clock_that_jumps_shows_in_the_stamps():
    readings = Thermal(recorded("rpi5", now=Clock(1_000_000_000))).read()
    assert [r.t1_ns - r.t0_ns for r in readings] == [1_000_000_000]
