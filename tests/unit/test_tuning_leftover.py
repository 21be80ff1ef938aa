"""What a killed bench left tuned: found, put back, told, and refused to whoever may not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator import tuning
from orchestrator.environment import isolation_of
from orchestrator.tuning.journal import Journal
from orchestrator.tuning.machine import Refused
from tests.support.tuned import ASLR, CPU, Machine, content, desktop, jetson, refusal, tuned, write


def killed(root: Path, wish: str) -> None:
    """What a bench leaves that is killed while it measures."""
    tuned(root, wish)


def test_the_next_start_says_in_one_line_what_it_put_back(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    before = content(root)
    killed(root, "governor=performance,aslr=off")
    assert tuning.forgotten(Machine(root)) == ["governor", "aslr"]
    assert tuning.put_back(Machine(root), 0) == (
        "a bench was killed while the machine was tuned: put back aslr, governor"
    )
    assert content(root) == before
    assert tuning.put_back(Machine(root), 0) is None
    assert tuning.forgotten(Machine(root)) == []


def test_whoever_may_not_put_back_is_refused_with_the_command(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    killed(root, "aslr=off")
    before = content(root)
    assert "left this machine tuned (aslr); put it back with: sudo make doctor" in refusal(
        lambda: tuning.put_back(Machine(root), 1000)
    )
    assert content(root) == before
    assert tuning.put_back(Machine(tmp_path / "other"), 1000) is None


def test_a_reboot_has_reset_all_but_the_power_mode(tmp_path: Path) -> None:
    root = jetson(tmp_path / "root")
    killed(root, "nvpmodel=25W,governor=performance,aslr=off,swap=off,clocks=locked")
    write(root, "proc/sys/kernel/random/boot_id", "second")
    write(root, ASLR, "0")  # by its owner, since
    said = tuning.put_back(Machine(root), 0)
    assert said == (
        "a bench was killed while the machine was tuned: put back nvpmodel; "
        "a reboot has reset aslr, swap, clocks, governor"
    )
    assert isolation_of(root)["nvpmodel"] == "15W"
    assert isolation_of(root)["aslr"] == 0
    assert not (root / "var/lib/inferometer").exists()


def test_a_setting_that_is_gone_is_told(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    killed(root, "governor=performance")
    for path in (root / CPU / "cpufreq").glob("policy3/*"):
        path.unlink()
    said = tuning.put_back(Machine(root), 0)
    assert said
    assert "put back governor; governor cannot be put back, it is gone (" in said
    assert not (root / "var/lib/inferometer").exists()


def test_what_cannot_be_put_back_stays_in_the_journal(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    killed(root, "governor=performance,aslr=off")

    class Stubborn(Machine):
        def write(self, path: str, value: str) -> None:
            if path == ASLR:
                raise Refused(f"/{path}: takes no {value!r} (Input/output error)")
            super().write(path, value)

    said = refusal(lambda: tuning.put_back(Stubborn(root), 0))
    assert said.startswith(
        "aslr is not back at '2': /proc/sys/kernel/randomize_va_space: takes no '2' (Input"
    )
    assert said.endswith(f"put it back by hand, then remove {root}/var/lib/inferometer/tune-journal.json")
    assert tuning.forgotten(Machine(root)) == ["aslr"]
    assert tuning.put_back(Machine(root), 0)
    assert isolation_of(root)["aslr"] == 2


def test_a_bench_that_lives_is_left_alone(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    stat = "(a) b) S 1 " + " ".join(["0"] * 17) + " 4711 0"
    write(root, f"proc/{os.getpid()}/stat", f"1 {stat}")
    on = tuned(root, "aslr=off")
    assert Journal(Machine(root)).is_owned()
    assert tuning.put_back(Machine(root), 0) is None
    assert tuning.put_back(Machine(root), 1000) is None
    assert tuning.forgotten(Machine(root)) == []
    other = tuning.Tuning(tuning.parse("turbo=off"), Machine(root))
    assert "another bench has tuned this machine" in refusal(other.check)
    on.off()
    other.check()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": 2, "owner": {}, "entries": []}', '{"schema":1,"owner":{},"entries":[{}]}'],
)
def test_a_journal_that_is_none_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    write(tmp_path, "var/lib/inferometer/tune-journal.json", text)
    said = refusal(lambda: tuning.put_back(Machine(tmp_path), 0))
    assert "tune-journal.json: unreadable" in said
    assert (tmp_path / "var/lib/inferometer/tune-journal.json").exists()
