"""Intel's throttle counts: each CPU's own, and each package's once."""

import errno

import pytest

from orchestrator.telemetry.throttle import Throttle
from tests.support.recorded import machine, said


def test_each_core_and_the_package_once():
    readings = Throttle(machine("i5-desktop")).read()
    assert said(readings) == {
        "throttle.core_0": 0,
        "throttle.core_1": 0,
        "throttle.core_2": 3,
        "throttle.core_3": 0,
        "throttle.package_0": 7,
    }
    assert len(readings) == 5
    shapes = {(r.channel.scope, r.channel.method, r.channel.unit) for r in readings}
    assert shapes == {("cpu_cores", "counter", "count"), ("cpu_package", "counter", "count")}


def test_two_packages_have_a_count_each():
    values = said(Throttle(machine("xeon-server")).read())
    assert values == {
        "throttle.core_0": 2,
        "throttle.core_1": 1,
        "throttle.core_16": 0,
        "throttle.package_0": 5,
        "throttle.package_1": 4,
    }


@pytest.mark.parametrize(
    "what, reason",
    [
        (errno.EACCES, "permission"),
        (errno.EAGAIN, "eagain"),
        (errno.ENODATA, "enodata"),
        (errno.EIO, "io_error"),
        (errno.ENOENT, "no_sensor"),  # the CPU was switched off
        (b"", "parse"),
        (b"often\n", "parse"),
        (b"-1\n", "out_of_range"),
    ],
)
def test_a_count_that_cannot_be_read_has_a_reason(what, reason):
    files = {}
    throttle = Throttle(machine("i5-desktop", files))
    files["cpu2/thermal_throttle/core_throttle_count"] = what
    values = said(throttle.read())
    assert (values["throttle.core_2"], values["throttle.core_3"]) == (reason, 0)


def test_without_its_number_a_package_has_no_count():
    values = said(Throttle(machine("i5-desktop", {"physical_package_id": errno.ENOENT})).read())
    assert set(values) == {f"throttle.core_{core}" for core in range(4)}


@pytest.mark.parametrize("device", ["epyc-vm", "epyc-server", "nuc"])
def test_where_nothing_counts_it_says_so(device):
    assert said(Throttle(machine(device)).read()) == {"throttle": "no_sensor"}
