"""``--tune``: what is set and put back, what is refused, and what becomes of it when others interfere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator import tuning
from orchestrator.environment import isolation_of
from orchestrator.tuning.machine import Refused, run_command
from tests.support.tuned import (
    ASLR,
    BOARDS,
    CPU,
    GPU,
    HIDDEN,
    SWAPS,
    Machine,
    content,
    desktop,
    jetson,
    refusal,
    swap_lines,
    tuned,
    write,
)


def test_a_desktop_is_tuned_and_as_it_was(tmp_path: Path) -> None:
    root, said = desktop(tmp_path / "root"), list[str]()
    before = content(root)
    for _ in range(2):  # off for a build in between
        on = tuned(root, BOARDS["desktop"][1], said)
        on.on()
        found = isolation_of(root)
        assert set(found["governors"].values()) == {"performance"}
        assert set(found["clocks_locked"].values()) == {True}
        assert (found["turbo"], found["swaps"], found["aslr"]) == (False, [], 0)
        on.off()
        on.off()
        assert content(root) == before
    assert (
        said == ["tuned for the trials: governor=performance,turbo=off,clocks=locked,swap=off,aslr=off"] * 2
    )


def test_a_jetson_is_tuned_by_the_names_of_its_modes(tmp_path: Path) -> None:
    root = jetson(tmp_path / "root")
    before = content(root)
    on = tuned(root, BOARDS["jetson"][1])
    found = isolation_of(root)
    assert found["nvpmodel"] == "MAXN_SUPER"
    domains = ("cpu.policy0", "cpu.policy4", "devfreq.17000000.gpu")
    assert found["clocks_locked"] == {**dict.fromkeys(domains, True), "devfreq.15340000.vic": None}
    assert (root / HIDDEN).read_text() == "locked\n"
    on.off()
    assert content(root) == before


def test_what_it_is_already_is_not_touched(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    write(root, ASLR, "0")
    write(root, "proc/swaps", swap_lines([]))
    before = content(root)
    on = tuned(root, "aslr=off,swap=off,turbo=on")
    assert content(root) == before
    on.off()
    assert content(root) == before


def test_without_a_wish_nothing_happens(tmp_path: Path) -> None:
    nothing = tuning.Tuning((), Machine(tmp_path))
    nothing.check()
    nothing.on()
    nothing.off()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("board", "wish", "words"),
    [
        ("desktop", "governor=performence", ["unknown governor", "Did you mean performance?", "powersave"]),
        ("jetson", "nvpmodel=MAXN", ["unknown power mode 'MAXN'", "Did you mean MAXN_SUPER?", "15W"]),
        (
            "desktop",
            "nvpmodel=MAXN",
            ["--tune nvpmodel=MAXN: No such file or directory (/etc/nvpmodel.conf); leave"],
        ),
        ("jetson", "turbo=off", ["--tune turbo=off: this machine has no switch for turbo (/sys/"]),
    ],
)
def test_what_the_machine_has_not_is_refused_before_anything(
    tmp_path: Path, board: str, wish: str, words: list[str]
) -> None:
    root = BOARDS[board][0](tmp_path / "root")
    before = content(root)
    said = refusal(lambda: tuned(root, f"aslr=off,{wish}"))
    assert all(word in said for word in words), said
    assert content(root) == before


def test_swap_that_memory_cannot_take_stays(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    write(root, "proc/swaps", swap_lines(SWAPS, used_kb=3_000_000))
    said = refusal(lambda: tuned(root, "swap=off"))
    assert "8789 MiB of swap are in use and 5859 MiB of memory are available" in said


def test_swaps_come_back_with_their_priorities(tmp_path: Path) -> None:
    machine = Machine(desktop(tmp_path / "root"))
    on = tuning.Tuning(tuning.parse("swap=off"), machine)
    on.on()
    on.off()
    assert machine.commands == [
        "swapoff /dev/sda2",
        "swapoff /swap file",
        "swapoff /dev/zram0",
        "swapon -p 5 /dev/zram0",
        "swapon /swap file",
        "swapon /dev/sda2",
    ]


def test_a_machine_without_the_tools(tmp_path: Path) -> None:
    root = jetson(tmp_path / "root")
    for wish in ("nvpmodel=25W", "clocks=locked", "swap=off"):
        bare = tuning.Tuning(tuning.parse(wish), tuning.Machine(root, which=lambda name: None))
        assert "there is no command" in refusal(bare.check)


def test_no_reboot_is_ever_agreed_to(tmp_path: Path) -> None:
    root = jetson(tmp_path / "root")
    before = content(root)
    said = refusal(lambda: tuned(root, "nvpmodel=7W,aslr=off"))
    assert "nvpmodel stays 15W, as this needs a reboot" in said
    assert "sudo nvpmodel -m 3" in said
    assert content(root) == before


def test_a_change_that_is_not_taken_puts_all_back(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")
    before = content(root)

    class Stubborn(Machine):
        def write(self, path: str, value: str) -> None:
            if path != ASLR:
                super().write(path, value)

    on = tuning.Tuning(tuning.parse("governor=performance,aslr=off"), Stubborn(root))
    assert "was told '0' and says '2'" in refusal(on.on)
    assert content(root) == before


def test_what_somebody_else_changed_meanwhile_stays_so(tmp_path: Path) -> None:
    root, said = desktop(tmp_path / "root"), list[str]()
    before = content(root)
    on = tuned(root, "governor=performance,aslr=off", said)
    write(root, ASLR, "1")
    on.off()
    after = content(root)
    assert after.pop(ASLR) == b"1\n"
    before.pop(ASLR)
    assert after == before
    assert said[1:] == [f"aslr was changed meanwhile and stays '1' ({ASLR})"]


def test_a_limit_of_the_users_own_outlives_another_power_mode(tmp_path: Path) -> None:
    root = jetson(tmp_path / "root")
    write(root, f"{CPU}/cpufreq/policy0/scaling_max_freq", "1000000")
    write(root, f"{GPU}/min_freq", "918000000")
    before = content(root)
    tuned(root, "nvpmodel=25W").off()
    assert content(root) == before


def test_commands_end_with_their_last_complaint() -> None:
    assert run_command(["sh", "-c", "cat; echo more >&2"], "no\n") == "no\nmore\n"
    with pytest.raises(Refused, match="^sh -c echo one; echo two; exit 3: two$"):
        run_command(["sh", "-c", "echo one; echo two; exit 3"])
    with pytest.raises(Refused, match="no-such-command"):
        run_command(["no-such-command"])


def test_the_journal_names_each_change_before_it_is_made(tmp_path: Path) -> None:
    root = desktop(tmp_path / "root")

    class Watched(Machine):
        def write(self, path: str, value: str) -> None:
            entries = json.loads((self.state / "tune-journal.json").read_bytes())["entries"]
            assert path in {entry["name"] for entry in entries}
            assert any(entry["new"] in (value, None) for entry in entries if entry["name"] == path)
            super().write(path, value)

    on = tuning.Tuning(tuning.parse(BOARDS["desktop"][1]), Watched(root))
    on.on()
    assert json.loads((root / "var/lib/inferometer/tune-journal.json").read_bytes())["entries"]
