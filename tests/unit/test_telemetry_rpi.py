"""A Raspberry Pi's firmware: power of its rails, throttling, clock, temperature, and its refusals."""

import errno
import math

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestrator.telemetry import vcgencmd
from orchestrator.telemetry.machine import parsed
from orchestrator.telemetry.rpi_pmic import EXT5V, RAILS, SUM, RpiPmic, input_volts, watts
from orchestrator.telemetry.vcgencmd import BITS, CLOCK, TEMPERATURE, Vcgencmd
from tests.support.sensors import REFUSALS, TREES, Clock, recorded, said

PMIC = "vcgencmd_pmic_read_adc"
CAPTURE = (TREES / "rpi5" / "commands" / PMIC).read_bytes()
LINES = CAPTURE.splitlines(keepends=True)
CLOSED = b"Can't open device file: /dev/vcio_gencmd\n"
UNREGISTERED = b'error=1 error_msg="Command not registered"\n'


def pmic(capture):
    return said(RpiPmic(recorded("rpi5", answers={PMIC: capture})).read())


def test_twelve_pairs_joined_by_name_make_the_sum():
    readings = RpiPmic(recorded("rpi5")).read()
    assert readings[0].value == pytest.approx(1.76670654, abs=5e-9)
    assert (readings[0].channel.scope, readings[0].channel.method) == ("soc_rails", "sampled")
    assert (readings[1].channel.source, readings[1].value) == ("rpi_pmic.ext5v", 5.14158)
    assert (readings[1].channel.scope, readings[1].channel.unit) == ("board_input", "v")
    assert {(r.t0_ns, r.t1_ns) for r in readings} == {(readings[0].t0_ns, readings[0].t1_ns)}


def test_the_order_of_the_lines_does_not_matter():
    assert pmic(b"".join(reversed(LINES)))["rpi_pmic.sum"] == pytest.approx(1.76670654, abs=5e-9)


@pytest.mark.parametrize("number", range(len(LINES)))
def test_a_line_that_is_missing_leaves_no_partial_sum(number):
    found = pmic(b"".join(LINES[:number] + LINES[number + 1 :]))
    name = LINES[number].split()[0].decode()
    if name in ("EXT5V_V", "BATT_V"):
        assert found["rpi_pmic.sum"] == pytest.approx(1.76670654, abs=5e-9)
    else:
        assert found["rpi_pmic.sum"] == "parse"
    assert found["rpi_pmic.ext5v"] == ("parse" if name == "EXT5V_V" else 5.14158)


@pytest.mark.parametrize("rail", RAILS)
def test_a_whole_pair_that_is_missing_leaves_no_partial_sum(rail):
    left = [line for line in LINES if line.split()[0].decode()[:-2] != rail]
    assert len(left) == len(LINES) - 2
    assert pmic(b"".join(left))["rpi_pmic.sum"] == "parse"


@pytest.mark.parametrize(
    "old, new, reason",
    [
        (b"current(7)=0.56259000A", b"current(7)=-0.56259000A", "out_of_range"),
        (b"volt(15)=0.76798460V", b"volt(15)=-0.76798460V", "out_of_range"),
        (b"current(7)=0.56259000A", b"current(7)=560.00000000A", "out_of_range"),
        (b"current(7)=0.56259000A", b"current(7)=" + b"9" * 400 + b".0A", "out_of_range"),
        (b"current(7)=0.56259000A", b"current(7)=nanA", "parse"),
        (b"current(7)=0.56259000A", b"current(7)=0.56259000V", "parse"),
        (b"current(7)=0.56259000A", b"volt(7)=0.56259000V", "parse"),
        (b"VDD_CORE_A", b"VDD_CORD_A", "parse"),
        (b"     EXT5V_V", b"EXT5V_A current(30)=1.00000000A\n     EXT5V_V", "parse"),
        (b"     EXT5V_V", b"     NEW_V volt(30)=1.00000000V\n     EXT5V_V", "parse"),
        (b"     EXT5V_V", b"     garbage\n     EXT5V_V", "parse"),
    ],
)
def test_what_is_not_the_twelve_pairs_is_no_sum(old, new, reason):
    assert CAPTURE.count(old) == 1
    assert pmic(CAPTURE.replace(old, new))["rpi_pmic.sum"] == reason


def test_a_line_that_comes_twice_is_no_sum():
    assert set(pmic(CAPTURE + LINES[0]).values()) == {"parse"}


def test_a_board_that_takes_nothing_cannot_be_true():
    idle = b"".join(line[: line.index(b"=")] + b"=0.00000000" + line[-2:] for line in LINES)
    assert pmic(idle) == {"rpi_pmic.sum": "out_of_range", "rpi_pmic.ext5v": "out_of_range"}


@pytest.mark.parametrize("source", [RpiPmic, Vcgencmd])
@pytest.mark.parametrize(
    "answer, reason",
    [
        (CLOSED, "permission"),
        (CLOSED + b"Try creating a device file with: sudo mknod /dev/vcio c 100 0\n", "permission"),
        (b"VCHI initialization failed\n", "permission"),
        (UNREGISTERED, "not_supported"),
        (b'error=2 error_msg="Invalid arguments"\n', "io_error"),
        (b"", "parse"),
        (errno.ETIMEDOUT, "timeout"),
        *REFUSALS,
    ],
)
def test_a_refusal_has_a_reason_and_a_fix(source, answer, reason):
    commands = ("pmic_read_adc", "get_throttled", "measure_clock_arm", "measure_temp")
    found = recorded("rpi5", answers={f"vcgencmd_{command}": answer for command in commands})
    assert set(said(source(found).read()).values()) == {reason}
    fixable = {"permission", "no_sensor"} | ({"not_supported"} if source is RpiPmic else set())
    assert (reason in source.fixes) == (reason in fixable)
    assert all("\n" not in fix for fix in source.fixes.values())
    assert source.slow


def test_an_older_board_has_no_current_sensor():
    assert set(said(RpiPmic(recorded("rpi4")).read()).values()) == {"not_supported"}
    assert "meter" in RpiPmic.fixes["not_supported"]


def test_what_the_firmware_says_of_itself():
    assert said(Vcgencmd(recorded("rpi5")).read()) == {
        "vcgencmd.throttled": 0,
        "vcgencmd.clock_arm": 1600020224,
        "vcgencmd.temperature": 46.6,
    }
    assert said(Vcgencmd(recorded("rpi4")).read())["vcgencmd.clock_arm"] == 1500345728  # another index


def test_the_bits_have_names():
    [bits] = [r.value for r in Vcgencmd(recorded("rpi4")).read() if r.channel is BITS]
    assert bits & vcgencmd.LIVE_BITS == vcgencmd.UNDER_VOLTAGE | vcgencmd.THROTTLED
    sticky = (bits & vcgencmd.STICKY_BITS) >> vcgencmd.STICKY_SHIFT
    assert sticky == vcgencmd.UNDER_VOLTAGE | vcgencmd.THROTTLED
    assert (vcgencmd.LIVE_BITS, vcgencmd.STICKY_BITS) == (0xF, 0xF0000)


@pytest.mark.parametrize(
    "command, answer, reason",
    [
        ("get_throttled", b"throttled=0x\n", "parse"),
        ("get_throttled", b"throttled=50005\n", "parse"),
        ("get_throttled", b"throttled=0x50005 more\n", "parse"),
        ("get_throttled", b"throttled=0x123456789\n", "out_of_range"),
        ("measure_clock_arm", b"frequency(0)=0\n", "out_of_range"),
        ("measure_clock_arm", b"frequency(0)=" + b"9" * 30 + b"\n", "out_of_range"),
        ("measure_clock_arm", b"frequency(0)=-5\n", "parse"),
        ("measure_clock_arm", b"frequency(0)=1_5\n", "parse"),
        ("measure_temp", b"temp=-256.0'C\n", "out_of_range"),
        ("measure_temp", b"temp=130.1'C\n", "out_of_range"),
        ("measure_temp", b"temp=nan'C\n", "parse"),
        ("measure_temp", b"temp=46.6\n", "parse"),
    ],
)
def test_an_answer_that_cannot_be_true(command, answer, reason):
    found = said(Vcgencmd(recorded("rpi5", answers={f"vcgencmd_{command}": answer})).read())
    assert list(found.values()).count(reason) == 1
    assert sum(isinstance(value, (int, float)) for value in found.values()) == 2


def test_a_clock_that_jumps_shows_in_the_stamps():
    readings = Vcgencmd(recorded("rpi5", now=Clock(1_000_000_000))).read()
    assert [r.t1_ns - r.t0_ns for r in readings] == [1_000_000_000] * 3
    stamps = [stamp for r in readings for stamp in (r.t0_ns, r.t1_ns)]
    assert stamps == sorted(stamps)


def test_a_stuck_answer_stays_a_value():
    source = RpiPmic(recorded("rpi5"))
    assert {said(source.read())["rpi_pmic.sum"] for _ in range(5)} == {watts(CAPTURE)}


def mutated(data):
    """The data with a slice replaced."""
    spot = st.integers(0, len(data))
    return st.tuples(spot, spot, st.binary(max_size=8)).map(
        lambda cut: data[: min(cut[:2])] + cut[2] + data[max(cut[:2]) :]
    )


@examples(mutated(CAPTURE) | st.binary(max_size=64))
def test_a_mutated_capture_is_a_whole_sum_or_none(data):
    for channel, parse in ((SUM, watts), (EXT5V, input_volts)):
        reading = parsed(channel, parse, data, 1, 2)
        if reading.value is None:
            assert reading.reason in ("parse", "out_of_range")
        else:
            assert channel.low <= reading.value <= channel.high
    if parsed(SUM, watts, data, 1, 2).value is not None:
        present = {line.split()[0].decode() for line in data.splitlines()}
        assert {f"{rail}_{half}" for rail in RAILS for half in "AV"} <= present


@examples(st.sets(st.integers(0, 23), min_size=1))
def test_no_capture_with_a_missing_half_gives_a_number(missing):
    data = b"".join(line for number, line in enumerate(LINES) if number not in missing)
    assert parsed(SUM, watts, data, 1, 2).reason == "parse"


@pytest.mark.parametrize(
    "channel, parse, capture",
    [
        (BITS, vcgencmd.throttled, b"throttled=0x50005\n"),
        (CLOCK, vcgencmd.hertz, b"frequency(0)=1600020224\n"),
        (TEMPERATURE, vcgencmd.celsius, b"temp=46.6'C\n"),
    ],
)
def test_mutated_answers_raise_nothing(channel, parse, capture):
    @examples(mutated(capture) | st.binary(max_size=32))
    def check(data):
        reading = parsed(channel, parse, data, 1, 2)
        assert reading.reason in (None, "parse", "out_of_range")
        assert reading.value is None or math.isfinite(reading.value)

    check()
