"""The firmware asked without a process, and the command asked wherever that cannot be trusted."""

import errno
import os
import struct

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from orchestrator.telemetry import vcio
from orchestrator.telemetry.machine import Machine
from orchestrator.telemetry.rpi_pmic import RpiPmic
from orchestrator.telemetry.vcgencmd import Vcgencmd
from orchestrator.telemetry.vcio import Vcio, printed, question
from tests.support.firmware import UNKNOWN, Firmware
from tests.support.sensors import TREES, recorded, said

RECORDED = {
    path.name[len("vcgencmd_") :].replace("measure_clock_", "measure_clock "): path.read_bytes()[:-1]
    for path in (TREES / "rpi5" / "commands").iterdir()
}
BY_COMMAND = b"from the command\n"


class Pi:
    """A machine whose command answers otherwise than its firmware, and counts."""

    def __init__(self, firmware):
        self.firmware, self.runs = firmware, []
        self.machine = Machine("/pi", run=self.run, device=firmware.device)

    def run(self, words, timeout_s):
        assert timeout_s == 2.0
        self.runs.append(words)
        return BY_COMMAND


def test_the_firmware_is_asked_and_no_command():
    pi = Pi(Firmware(RECORDED))
    door = Vcio(pi.machine)
    assert door.ask(["pmic_read_adc"]) == RECORDED["pmic_read_adc"] + b"\n"
    assert door.ask(["measure_clock", "arm"]) == b"frequency(0)=1600020224\n"
    assert (pi.firmware.asked, pi.runs) == (["pmic_read_adc", "measure_clock arm"], [])
    assert pi.firmware.opened == ["vcio_gencmd"]  # once
    assert pi.firmware.closed == 0
    door.close()
    door.close()
    assert pi.firmware.closed == 1


@pytest.mark.parametrize("source", [RpiPmic, Vcgencmd])
def test_the_sources_read_the_same_either_way(source):
    pi = Pi(Firmware(RECORDED))
    found = source(pi.machine)
    assert said(found.read()) == said(source(recorded("rpi5")).read())
    assert pi.runs == []
    found.close()
    assert pi.firmware.closed == 1


def test_a_command_that_the_firmware_does_not_know_is_told_as_before():
    pi = Pi(Firmware({}))
    assert Vcio(pi.machine).ask(["pmic_read_adc"]) == UNKNOWN + b"\n"
    assert set(said(RpiPmic(pi.machine).read()).values()) == {"not_supported"}
    assert pi.runs == []


@pytest.mark.parametrize("error", [1, -1])
def test_an_error_comes_before_the_text(error):
    pi = Pi(Firmware(RECORDED, error=error))
    expected = b"vc_gencmd_read_response returned %d\nthrottled=0x0\n" % error
    assert Vcio(pi.machine).ask(["get_throttled"]) == expected
    assert set(said(RpiPmic(pi.machine).read()).values()) == {"parse"}


def test_an_older_kernel_has_the_second_node_only():
    pi = Pi(Firmware(RECORDED, {"vcio_gencmd": errno.ENOENT}))
    assert Vcio(pi.machine).ask(["get_throttled"]) == b"throttled=0x0\n"
    assert pi.firmware.opened == ["vcio_gencmd", "vcio"]


def test_a_refused_first_node_leaves_the_second():
    pi = Pi(Firmware(RECORDED, {"vcio_gencmd": errno.EACCES}))
    assert Vcio(pi.machine).ask(["get_throttled"]) == b"throttled=0x0\n"


@pytest.mark.parametrize(
    "refusals",
    [
        {"vcio_gencmd": errno.EACCES, "vcio": errno.EACCES},
        {"vcio_gencmd": errno.EACCES, "vcio": errno.ENOENT},
        {"vcio_gencmd": errno.ENOENT, "vcio": errno.EPERM},
    ],
)
@pytest.mark.parametrize("source", [RpiPmic, Vcgencmd])
def test_a_closed_node_has_the_reason_permission(source, refusals):
    pi = Pi(Firmware(RECORDED, refusals))
    found = source(pi.machine)
    assert set(said(found.read()).values()) == {"permission"}
    assert "video" in found.fixes["permission"]
    assert pi.runs == []
    pi.firmware.refusals = {}  # opened meanwhile
    assert None not in [reading.value for reading in found.read()]


@pytest.mark.parametrize("problem", [errno.ENOENT, errno.ENXIO, errno.ENODEV, errno.ENOTDIR])
def test_without_a_node_the_command_is_asked_for_good(problem):
    pi = Pi(Firmware(RECORDED, {"vcio_gencmd": problem, "vcio": problem}))
    door = Vcio(pi.machine)
    assert [door.ask(["get_throttled"]), door.ask(["measure_clock", "arm"])] == [BY_COMMAND] * 2
    assert pi.runs == [["vcgencmd", "get_throttled"], ["vcgencmd", "measure_clock", "arm"]]
    assert len(pi.firmware.opened) == 2


def word(number, value):
    """Spoils one word of an answer."""
    return lambda message: struct.pack_into("<I", message, 4 * number, value)


def text(data):
    """Puts bytes in the text's place."""
    return lambda message: message.__setitem__(slice(24, 24 + len(data)), data)


@pytest.mark.parametrize(
    "firmware",
    [
        *(
            pytest.param(Firmware(RECORDED, broken=number), id=errno.errorcode[number])
            for number in (errno.ENOTTY, errno.EINVAL, errno.EPERM, errno.EIO, errno.ETIMEDOUT)
        ),
        pytest.param(Firmware(RECORDED, spoil=word(0, 28)), id="another size"),
        pytest.param(Firmware(RECORDED, spoil=word(1, 0)), id="not processed"),
        pytest.param(Firmware(RECORDED, spoil=word(1, 0x80000001)), id="failed"),
        pytest.param(Firmware(RECORDED, spoil=word(2, 0x00030081)), id="another tag"),
        pytest.param(Firmware(RECORDED, spoil=word(3, 1024)), id="another room"),
        pytest.param(Firmware(RECORDED, spoil=word(4, 14)), id="not answered"),
        pytest.param(Firmware(RECORDED, spoil=text(b"x" * 996)), id="no NUL"),
        pytest.param(Firmware(RECORDED, spoil=text(b"throttled=\x01\0")), id="not text"),
        pytest.param(Firmware(RECORDED, spoil=text(b"throttled=0x\xe9\0")), id="not ASCII"),
        pytest.param(Firmware(RECORDED, spoil=text(b"\0")), id="empty"),
        pytest.param(Firmware({"get_throttled": b"get_throttled"}), id="the question again"),
        pytest.param(Firmware({"get_throttled": b"x" * 996}), id="too long"),
    ],
)
def test_what_is_not_as_expected_is_asked_of_the_command_for_good(firmware):
    pi = Pi(firmware)
    door = Vcio(pi.machine)
    assert [door.ask(["get_throttled"]) for _ in range(3)] == [BY_COMMAND] * 3
    assert (len(pi.firmware.opened), len(pi.runs)) == (1, 3)
    assert pi.firmware.closed == 1
    door.close()
    assert pi.firmware.closed == 1


def test_a_firmware_with_a_wrong_length_is_believed():
    pi = Pi(Firmware(RECORDED, spoil=word(4, 0x80000000)))
    assert Vcio(pi.machine).ask(["get_throttled"]) == b"throttled=0x0\n"


def test_the_commands_own_failure_goes_through():
    def run(words, timeout_s):
        raise OSError(errno.ENOENT, "No such file", words[0])

    machine = Machine("/pi", run=run, device=Firmware({}, broken=errno.ENOTTY).device)
    assert set(said(RpiPmic(machine).read()).values()) == {"no_sensor"}


def test_a_file_in_the_nodes_place_is_no_device(tmp_path):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "vcio").write_bytes(b"")
    before = os.listdir("/proc/self/fd")
    door = Vcio(Machine(str(tmp_path), run=lambda words, timeout_s: BY_COMMAND))
    assert door.ask(["get_throttled"]) == BY_COMMAND
    assert os.listdir("/proc/self/fd") == before


def test_the_number_of_the_call_depends_on_the_pointers():
    assert (vcio.request_number(8), vcio.request_number(4)) == (0xC0086400, 0xC0046400)


def test_the_message_word_by_word():
    message = question(b"measure_clock arm")
    assert len(message) == 1024  # Python holds back other threads during longer ones
    assert struct.unpack_from("<6I", message) == (1024, 0, 0x00030080, 996, 0, 0)
    assert message[24:] == b"measure_clock arm".ljust(1000, b"\0")
    with pytest.raises(ValueError):
        question(b"x" * 996)


@examples(st.lists(st.tuples(st.integers(0, 1023), st.integers(0, 255)), max_size=4))
def test_a_mutated_answer_is_text_or_no_answer(changes):
    message = bytearray(question(b"get_throttled"))
    Firmware(RECORDED).answer(message)
    for at, value in changes:
        message[at] = value
    try:
        line = printed(message, b"get_throttled")
    except ValueError:
        return
    assert line.endswith(b"\n")
    assert b"\0" not in line
    assert line.isascii()
