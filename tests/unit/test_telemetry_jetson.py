"""A Jetson's GPU clock, its supply's throttling counters, and what its graphics drivers hold of memory."""

import errno
import shutil

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestrator.telemetry.devfreq import Devfreq
from orchestrator.telemetry.machine import Machine, parsed
from orchestrator.telemetry.nvmap import USED, Nvmap, total_bytes
from orchestrator.telemetry.soctherm import Soctherm
from tests.support.sensors import REFUSALS, TREES, recorded, said

GPU = "sys/class/devfreq/17000000.gpu"
CLIENTS = "sys/kernel/debug/nvmap/iovmm/clients"
LIST = (TREES / "jetson-nano" / CLIENTS).read_bytes()


@pytest.mark.parametrize(
    "device, current, low, high",
    [
        ("jetson-nano", 921_600_000, 76_800_000, 921_600_000),
        ("jetson-orin-nano", 306_000_000, 306_000_000, 918_000_000),
    ],
)
def test_the_gpus_clock_has_limits(device, current, low, high):
    readings = Devfreq(recorded(device)).read()  # the vic is no GPU
    assert said(readings) == {
        "devfreq.gpu.current": current,
        "devfreq.gpu.min": low,
        "devfreq.gpu.max": high,
    }
    assert [r.channel.method for r in readings] == ["sampled", "setting", "setting"]


@pytest.mark.parametrize("name", ["17000000.ga10b", "17000000.gv11b", "17000000.gp10b", "gpu-gpc-0"])
def test_other_releases_name_the_gpu_otherwise(tmp_path, name):
    shutil.copytree(TREES / "jetson-orin-nano" / GPU, tmp_path / "sys/class/devfreq" / name)
    assert said(Devfreq(Machine(str(tmp_path))).read())["devfreq.gpu.current"] == 306_000_000


def test_two_gpus_are_told_apart(tmp_path):
    for name in ("gpu-gpc-0", "gpu-nvd-0"):
        shutil.copytree(TREES / "jetson-orin-nano" / GPU, tmp_path / "sys/class/devfreq" / name)
    found = said(Devfreq(Machine(str(tmp_path))).read())
    assert len(found) == 6
    assert found["devfreq.gpu.gpu-nvd-0.max"] == 918_000_000


@pytest.mark.parametrize("number, reason", REFUSALS)
def test_files_that_refuse_have_reasons(number, reason):
    files = {"/cur_freq": number, "/oc2_event_cnt": number, CLIENTS: number}
    found = recorded("jetson-orin-nano", files=files)
    assert said(Devfreq(found).read())["devfreq.gpu.current"] == reason
    assert said(Devfreq(found).read())["devfreq.gpu.max"] == 918_000_000
    assert said(Soctherm(found).read()) == {
        "soctherm.oc1": 0,
        "soctherm.oc2": reason,
        "soctherm.oc3": 37,
    }
    assert said(Nvmap(found).read()) == {"nvmap.used": reason}


@pytest.mark.parametrize(
    "value, reason",
    [(b"", "parse"), (b"garbage\n", "parse"), (b"-1\n", "out_of_range"), (b"306000000 Hz\n", "parse")],
)
def test_what_cannot_be_true(value, reason):
    found = recorded("jetson-orin-nano", files={"/cur_freq": value, "/oc2_event_cnt": value})
    assert said(Devfreq(found).read())["devfreq.gpu.current"] == reason
    assert said(Soctherm(found).read())["soctherm.oc2"] == reason


@pytest.mark.parametrize("value", [b"0\n", b"99999999999\n"])
def test_a_clock_that_cannot_be_true(value):
    found = recorded("jetson-orin-nano", files={"/cur_freq": value})
    assert said(Devfreq(found).read())["devfreq.gpu.current"] == "out_of_range"


def test_events_are_counted_since_boot():
    [first, *_] = readings = Soctherm(recorded("jetson-orin-nano")).read()
    assert said(readings) == {"soctherm.oc1": 0, "soctherm.oc2": 15, "soctherm.oc3": 37}
    assert (first.channel.method, first.channel.unit) == ("counter", "count")


def test_a_chip_whose_name_is_refused_is_none_of_ours():
    found = recorded("jetson-orin-nano", files={"hwmon3/name": errno.EACCES})
    assert said(Soctherm(found).read()) == {"soctherm": "no_sensor"}


@pytest.mark.parametrize("source", [Devfreq, Soctherm, Nvmap])
def test_a_machine_without_them_says_so(source):
    [reading] = source(recorded("epyc-vm")).read()
    assert (reading.value, reading.reason) == (None, "no_sensor")


@pytest.mark.parametrize("device", ["jetson-nano", "jetson-orin-nano"])
def test_memory_of_the_graphics_drivers(device):
    [reading] = Nvmap(recorded(device)).read()  # the older kernel adds a note below
    assert reading.value == 286720 * 1024
    assert (reading.channel.scope, reading.channel.unit) == ("host", "bytes")


def test_memory_is_for_root_alone():
    assert said(Nvmap(recorded("jetson-nano", files={CLIENTS: errno.EACCES})).read()) == {
        "nvmap.used": "permission"
    }
    assert "root" in Nvmap.fixes["permission"]


TOTAL = next(line for line in LIST.splitlines(keepends=True) if line.startswith(b"total"))


@pytest.mark.parametrize(
    "listed, reason",
    [
        (LIST.replace(TOTAL, b""), "parse"),
        (LIST + TOTAL, "parse"),
        (LIST.replace(b"286720K", b"286720"), "parse"),
        (LIST.replace(b"286720K", b"286720M"), "parse"),
        (LIST.replace(b"286720K", b"286720KB"), "parse"),
        (LIST.replace(b"286720K", b"K"), "parse"),
        (LIST.replace(b"286720K", b"-1K"), "out_of_range"),
        (LIST.split(b"total")[0], "parse"),
        (b"", "parse"),
    ],
)
def test_a_list_without_one_total_is_no_figure(listed, reason):
    assert said(Nvmap(recorded("jetson-nano", files={CLIENTS: listed})).read()) == {"nvmap.used": reason}


@examples(st.integers(0, len(LIST)), st.integers(0, len(LIST)), st.binary(max_size=8))
def test_mutated_lists_raise_nothing(first, last, put):
    listed = LIST[: min(first, last)] + put + LIST[max(first, last) :]
    reading = parsed(USED, total_bytes, listed, 1, 2)
    assert reading.reason in (None, "parse", "out_of_range")
    assert reading.value is None or b"total" in listed
