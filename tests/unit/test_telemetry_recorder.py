"""What telemetry's recorder keeps: contents as they were, and what each read took."""

import errno
import json
import os

import pytest

from orchestrator.probe.collect import file_name as collected_name
from orchestrator.probe.paths import COMMANDS
from orchestrator.telemetry.machine import Machine
from orchestrator.telemetry.recorder import Recorder, file_name
from orchestrator.telemetry.vcio import Vcio
from tests.support.firmware import Firmware

FILES = {"proc/loadavg": b"0.5 0.4 0.3\n", "sys/x/temp": errno.EAGAIN, "sys/../etc/shadow": b"secret"}


def recorded(tmp_path, files=FILES, **more):
    def read(path):
        what = files[path[len("/board/") :]]
        if isinstance(what, int):
            raise OSError(what, os.strerror(what), path)
        return what

    recorder = Recorder(str(tmp_path), "/board/", read, **more)
    return recorder.machine()


def reads(tmp_path):
    return [json.loads(line) for line in (tmp_path / "reads.jsonl").read_text().splitlines()]


def test_a_recorded_machine_gives_what_the_machine_gives(tmp_path):
    machine = recorded(tmp_path)
    assert isinstance(machine, Machine)
    assert machine.read("proc/loadavg") == FILES["proc/loadavg"]
    assert (tmp_path / "sys-root/proc/loadavg").read_bytes() == FILES["proc/loadavg"]
    with pytest.raises(OSError) as caught:
        machine.read("sys/x/temp")
    assert caught.value.errno == errno.EAGAIN
    assert not (tmp_path / "sys-root/sys").exists()
    assert [(line["path"], line["error"]) for line in reads(tmp_path)] == [
        ("proc/loadavg", None),
        ("sys/x/temp", "EAGAIN"),
    ]
    assert all(line["ns"] >= 0 for line in reads(tmp_path))


def test_the_last_content_stays(tmp_path):
    files = {"a": b"long first\n"}
    machine = recorded(tmp_path, files)
    machine.read("a")
    files["a"] = b"x\n"
    machine.read("a")
    assert (tmp_path / "sys-root/a").read_bytes() == b"x\n"
    assert len(reads(tmp_path)) == 2


def test_a_path_that_leads_out_is_not_kept(tmp_path):
    folder = tmp_path / "kept"
    recorder = Recorder(str(folder), "/board", lambda path: b"secret")
    assert recorder.machine().read("sys/../../../escaped") == b"secret"
    assert not (tmp_path / "escaped").exists()
    assert not (folder / "sys-root").exists()


def test_a_command_is_kept_under_its_words(tmp_path):
    machine = recorded(tmp_path, run=lambda words, timeout_s: b"temp=46.6'C\n")
    assert machine.run(["/usr/bin/vcgencmd", "measure_temp"], 1.0) == b"temp=46.6'C\n"
    assert (tmp_path / "commands/vcgencmd_measure_temp").read_bytes() == b"temp=46.6'C\n"


def test_a_driver_that_answers_is_kept_with_its_question(tmp_path):
    firmware = Firmware({"pmic_read_adc": b"EXT5V_V volt(24)=5.14158000V"}, {"vcio_gencmd": errno.EACCES})
    vcio = Vcio(Recorder(str(tmp_path), "/pi", device=firmware.device).machine())
    assert vcio.ask(["pmic_read_adc"]) == b"EXT5V_V volt(24)=5.14158000V\n"
    vcio.close()
    assert b"5.14158000V\0" in (tmp_path / "devices/dev/vcio/pmic_read_adc").read_bytes()
    assert [(line["path"], line["error"]) for line in reads(tmp_path)] == [
        ("devices/dev/vcio_gencmd", "EACCES"),
        ("devices/dev/vcio/pmic_read_adc", None),
    ]
    assert firmware.closed == 1


def test_a_full_disk_is_no_error_of_the_sensor(tmp_path):
    (tmp_path / "file").write_text("in the way")
    recorder = Recorder(str(tmp_path / "file"), "", lambda path: b"1\n")
    assert recorder.machine().read("a") == b"1\n"


def test_both_programs_name_a_command_alike():
    assert all(file_name(list(words)) == collected_name(words) for words in COMMANDS)
