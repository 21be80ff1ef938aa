"""The vocabulary is closed, and a value without a reason or a reason beside a value cannot be made."""

import errno
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.telemetry.machine import Machine, monotonic_ns, read_file, reason_of
from orchestrator.telemetry.reading import METHODS, REASONS, SCOPES, UNITS, Channel, Reading

CHANNEL = Channel("thermal.cpu", "thermal_zone", "sampled", "c", -40, 125)


def test_the_words_of_later_power_sources_are_known():
    assert {"w", "j"} <= set(UNITS)
    assert {"wall", "board_input", "module_input", "soc_rails", "cpu_package"} <= set(SCOPES)
    assert {"counter", "sampled", "estimated"} <= set(METHODS)
    reasons = "no_sensor permission eagain enodata io_error parse out_of_range stale timeout not_supported"
    assert list(REASONS) == reasons.split()


@pytest.mark.parametrize(
    "words", [("room", "sampled", "c"), ("host", "guessed", "c"), ("host", "sampled", "f")]
)
def test_a_channel_with_an_unknown_word_is_refused(words):
    with pytest.raises(ValueError, match="unknown scope, method or unit"):
        Channel("x", *words)


def test_a_line_holds_every_field_of_the_contract():
    assert Reading(CHANNEL, 41.5, None, 10, 12).line() == (
        '{"type":"reading","source":"thermal.cpu","scope":"thermal_zone","method":"sampled","unit":"c",'
        '"value":41.5,"reason":null,"t0_ns":10,"t1_ns":12}\n'
    )


@given(
    source=st.text(),
    unit=st.sampled_from(sorted(UNITS)),
    value=st.none() | st.integers() | st.floats() | st.text() | st.booleans(),
    reason=st.sampled_from(sorted(REASONS)),
    stamps=st.tuples(st.integers(), st.integers()),
)
def test_a_line_is_what_json_makes_of_it(source, unit, value, reason, stamps):
    reading = Reading(
        Channel(source, "host", "sampled", unit), value, None if value is not None else reason, *stamps
    )
    fields = {"type": "reading", "source": source, "scope": "host", "method": "sampled", "unit": unit}
    fields.update(value=reading.value, reason=reading.reason, t0_ns=stamps[0], t1_ns=stamps[1])
    assert reading.line() == json.dumps(fields, separators=(",", ":")) + "\n"


@pytest.mark.parametrize("value", [-256.0, 125.1, -40.5])
def test_a_value_that_cannot_be_true_becomes_none(value):
    reading = Reading(CHANNEL, value, None, 1, 2)
    assert (reading.value, reading.reason) == (None, "out_of_range")


def test_a_word_in_a_number_channel_is_out_of_range():
    assert Reading(CHANNEL, "hot", None, 1, 2).reason == "out_of_range"


@pytest.mark.parametrize("value, reason", [(None, None), (None, "because"), (1.0, "parse")])
def test_a_reading_has_either_a_value_or_a_known_reason(value, reason):
    with pytest.raises(ValueError, match=r"thermal\.cpu"):
        Reading(CHANNEL, value, reason, 1, 2)


@pytest.mark.parametrize(
    "number, reason",
    [
        (errno.ENOENT, "no_sensor"),
        (errno.ENODEV, "no_sensor"),
        (errno.EACCES, "permission"),
        (errno.EPERM, "permission"),
        (errno.EAGAIN, "eagain"),
        (errno.ENODATA, "enodata"),
        (errno.ESRCH, "stale"),
        (errno.EOPNOTSUPP, "not_supported"),
        (errno.EIO, "io_error"),
        (errno.EREMOTEIO, "io_error"),
    ],
)
def test_errors_of_the_kernel_become_reasons(number, reason):
    def refuse(path):
        raise OSError(number, os.strerror(number), path)

    machine = Machine("/", refuse)
    [reading] = machine.readings("sys/x", [(CHANNEL, int)])
    assert (reading.value, reading.reason) == (None, reason)
    assert reading.t0_ns <= reading.t1_ns


def test_an_error_without_a_number_is_an_io_error():
    assert reason_of(OSError("odd")) == "io_error"


@pytest.mark.parametrize("data", [b"", b"off\n", b"\xff\xfe", b"4 1\n"])
def test_what_does_not_parse_says_so(data):
    [reading] = Machine("/", lambda path: data).readings("sys/x", [(CHANNEL, int)])
    assert (reading.value, reading.reason) == (None, "parse")


def test_files_longer_than_one_system_call_are_read_whole(tmp_path):
    data = b"0123456789" * 20_000
    (tmp_path / "long").write_bytes(data)
    assert read_file(str(tmp_path / "long")) == data


def test_files_of_proc_are_read_and_handles_do_not_leak():
    before = os.listdir("/proc/self/fd")
    for _ in range(50):
        assert b"Name:" in read_file("/proc/self/status")
        with pytest.raises(IsADirectoryError):
            read_file("/proc")
    assert os.listdir("/proc/self/fd") == before


def test_stamps_come_before_and_after_the_read():
    times = iter([100, 250])
    [reading] = Machine("/", lambda path: b"7", lambda: next(times)).readings("sys/x", [(CHANNEL, int)])
    assert (reading.t0_ns, reading.t1_ns, reading.value) == (100, 250, 7)


def test_the_clock_is_clock_monotonic():
    import time

    assert time.monotonic_ns() <= monotonic_ns() <= time.monotonic_ns()
