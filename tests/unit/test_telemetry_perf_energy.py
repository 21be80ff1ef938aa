"""Package energy from performance counters: what is opened, what is counted, and why there may be none."""

import errno
import os
import sys

import pytest

from orchestrator.telemetry import perf_energy
from orchestrator.telemetry.machine import Machine, reason_of
from orchestrator.telemetry.perf_energy import PerfEnergy, open_event
from tests.support.recorded import Clock, machine, said

JOULE = 2**32  # counts


class Kernel:
    """Events as pipes, which give what was put into them."""

    def __init__(self, refusals=()):
        self.opened, self.refusals, self.ends = [], dict(refusals), {}

    def open(self, kind, config, cpu):
        self.opened.append((kind, config, cpu))
        if cpu in self.refusals:
            raise OSError(self.refusals[cpu], os.strerror(self.refusals[cpu]))
        reader, self.ends[cpu] = os.pipe()
        os.set_blocking(reader, False)
        return reader

    def put(self, cpu, count):
        os.write(self.ends[cpu], count if isinstance(count, bytes) else count.to_bytes(8, sys.byteorder))

    def close(self, cpu):
        os.close(self.ends.pop(cpu))


@pytest.fixture
def kernel():
    made = Kernel()
    yield made
    for cpu in list(made.ends):
        made.close(cpu)


@pytest.fixture
def perf(kernel):
    """One recorded machine's source, and its clock."""
    clock = Clock()
    source = PerfEnergy(machine("i5-desktop", {}, clock), kernel.open)
    yield source, clock
    source.close()


def test_joules_since_the_event_was_opened(kernel, perf):
    source, clock = perf
    assert kernel.opened == [(32, 2, 0)]
    values = []
    for count in (10 * JOULE, 10 * JOULE + JOULE // 2, 20 * JOULE):
        kernel.put(0, count)
        values.append(said(source.read()))
        clock.pass_s(0.1)
    assert values == [{"perf_energy.pkg": 0.0}, {"perf_energy.pkg": 0.5}, {"perf_energy.pkg": 10.0}]
    kernel.put(0, 21 * JOULE)
    [reading] = source.read()
    channel = reading.channel
    assert (channel.scope, channel.method, channel.unit) == ("cpu_package", "counter", "j")


def test_two_packages_have_their_numbers(kernel):
    source = PerfEnergy(machine("xeon-server"), kernel.open)
    assert kernel.opened == [(19, 2, 0), (19, 2, 16)]
    for count in (0, JOULE):
        kernel.put(0, count)
        kernel.put(16, 2 * count)
        values = said(source.read())
    assert values == {"perf_energy.pkg-0": 1.0, "perf_energy.pkg-1": 2.0}
    source.close()


def test_one_package_may_refuse_while_the_other_answers(kernel):
    kernel.refusals = {16: errno.ENODEV}
    source = PerfEnergy(machine("xeon-server"), kernel.open)
    kernel.put(0, 5)
    assert said(source.read()) == {"perf_energy.pkg-0": 0.0, "perf_energy.pkg-1": "no_sensor"}
    source.close()


def test_counts_by_die_are_not_a_package_s(kernel):
    files = {"cpu16/topology/physical_package_id": b"0\n"}
    assert said(PerfEnergy(machine("xeon-server", files), kernel.open).read()) == {
        "perf_energy.pkg": "not_supported"
    }
    assert kernel.opened == []


@pytest.mark.parametrize(
    "number, reason",
    [
        (errno.EACCES, "permission"),
        (errno.EPERM, "permission"),
        (errno.ENOENT, "no_sensor"),
        (errno.ENODEV, "no_sensor"),
        (errno.EINVAL, "not_supported"),
        (errno.ENOSYS, "not_supported"),
        (errno.EMFILE, "io_error"),
    ],
)
def test_an_event_that_does_not_open_says_why_at_every_read(number, reason):
    source = PerfEnergy(machine("i5-desktop"), Kernel({0: number}).open)
    assert said(source.read()) == said(source.read()) == {"perf_energy.pkg": reason}
    source.close()


def test_the_fix_for_a_refusal_is_one_line():
    fix = PerfEnergy.fixes["permission"]
    assert fix.startswith("sudo sysctl kernel.perf_event_paranoid=0")
    assert "\n" not in fix


@pytest.mark.parametrize("data, reason", [(None, "eagain"), (b"1234", "parse")])
def test_a_read_that_fails_has_a_reason(kernel, perf, data, reason):
    if data:
        kernel.put(0, data)
    assert said(perf[0].read()) == {"perf_energy.pkg": reason}


def test_an_event_that_the_kernel_gave_up_has_no_data(kernel, perf):
    kernel.close(0)
    assert said(perf[0].read()) == {"perf_energy.pkg": "enodata"}


def test_a_package_that_stands_still_is_stale(kernel, perf):
    source, clock = perf
    values = []
    for _ in range(3):
        kernel.put(0, 7)
        values.append(said(source.read())["perf_energy.pkg"])
        clock.pass_s(0.6)
    assert values == [0.0, 0.0, "stale"]


def test_a_closed_source_reads_nothing_and_closes_once(kernel, perf):
    source, _ = perf
    kernel.put(0, 1)
    source.close()
    assert said(source.read()) == {"perf_energy.pkg": "io_error"}
    source.close()
    with pytest.raises(BrokenPipeError):
        kernel.put(0, 1)


@pytest.mark.parametrize(
    "device, files, reason",
    [
        ("epyc-vm", {}, "no_sensor"),  # the folder is there, without events
        ("nuc", {}, "no_sensor"),  # not even the folder
        ("i5-desktop", {"power/type": b"power\n"}, "parse"),
        ("i5-desktop", {"power/type": errno.EIO}, "io_error"),
        ("i5-desktop", {"energy-pkg": b"config=0x02"}, "not_supported"),
        ("i5-desktop", {"energy-pkg": b"event=two"}, "parse"),
        ("i5-desktop", {"energy-pkg": errno.EACCES}, "permission"),
        ("i5-desktop", {"energy-pkg.scale": b"small"}, "parse"),
        ("i5-desktop", {"energy-pkg.scale": b"nan"}, "parse"),
        ("i5-desktop", {"energy-pkg.scale": b"0"}, "parse"),
        ("i5-desktop", {"energy-pkg.unit": b"Btu"}, "not_supported"),
        ("i5-desktop", {"energy-pkg.unit": errno.ENOENT}, "no_sensor"),
        ("i5-desktop", {"cpumask": b"\n"}, "parse"),
        ("i5-desktop", {"cpumask": b"all\n"}, "parse"),
        ("xeon-server", {"physical_package_id": errno.ENOENT}, "no_sensor"),
        ("xeon-server", {"physical_package_id": b"?\n"}, "parse"),
    ],
)
def test_a_machine_without_the_event_says_why(kernel, device, files, reason):
    source = PerfEnergy(machine(device, files), kernel.open)
    assert said(source.read()) == {"perf_energy.pkg": reason}
    assert kernel.opened == []
    source.close()


SOFTWARE, CPU_CLOCK = 1, 0  # include/uapi/linux/perf_event.h: PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK


def test_the_real_system_call_counts_or_the_kernel_says_why():
    try:
        event = open_event(SOFTWARE, CPU_CLOCK, min(os.sched_getaffinity(0)))
    except OSError as problem:
        assert problem.errno in (errno.EACCES, errno.EPERM, errno.ENOSYS), problem
        assert reason_of(problem) in ("permission", "not_supported")
        return
    try:
        counts = []
        for _ in range(3):
            counts.append(int.from_bytes(os.read(event, 8), sys.byteorder))
            sum(range(100_000))
        assert 0 < counts[0] < counts[1] < counts[2]
        assert not os.get_inheritable(event)
    finally:
        os.close(event)


def test_the_real_system_call_refuses_what_is_none():
    with pytest.raises(OSError) as problem:
        open_event(0xFFFF, 2, 0)
    assert reason_of(problem.value) in ("no_sensor", "permission", "not_supported")


def test_an_unknown_processor_has_no_such_call(monkeypatch):
    monkeypatch.setattr(perf_energy, "SYSTEM_CALLS", {})
    with pytest.raises(OSError) as problem:
        open_event(SOFTWARE, CPU_CLOCK, 0)
    assert problem.value.errno == errno.ENOSYS


def test_this_very_machine_has_energy_or_a_reason():
    source = PerfEnergy(Machine())
    for reading in source.read():
        assert reading.value is not None or reading.reason in ("no_sensor", "permission", "not_supported")
    source.close()
