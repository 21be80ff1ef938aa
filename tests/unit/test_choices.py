"""Which device a bench is of: recognised, named, emulated, forced or refused with the ways on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.choices import choose_device, choose_engine, lacking
from orchestrator.domain import InferometerError
from orchestrator.engines.place import Place, here
from tests.support.doubles import Quiet

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
CATALOG = Catalog(suite_root())


def chosen(
    name: str, tree: str = "i5-desktop", arch: str = "x86_64", *, force: bool = False, emulate: bool = False
) -> str:
    return choose_device(CATALOG, name, force, emulate, Place(TREES / tree, arch, (0,))).id


def refused(name: str, tree: str = "i5-desktop", arch: str = "x86_64", **more: bool) -> str:
    with pytest.raises(InferometerError) as caught:
        chosen(name, tree, arch, **more)
    return str(caught.value)


@pytest.mark.parametrize("board", ["rpi4", "rpi5", "jetson-nano", "jetson-orin-nano"])
def test_a_board_recognises_itself(board: str) -> None:
    assert chosen("", board, "aarch64") == chosen(board, board, "aarch64") == board


def test_a_wrong_board_is_refused_with_both_names_and_three_ways_on() -> None:
    told = refused("rpi5", "rpi4", "aarch64")
    assert told.startswith("this machine is rpi4, not rpi5 (device_tree is Raspberry Pi 4 Model B Rev 1.5")
    for way in ("HOST=ssh://user@board", "EMULATE=1", "--force"):
        assert way in told


def test_an_unknown_machine_is_told_all_devices() -> None:
    assert "none of the known devices (jetson-nano, " in refused("", "docker-cgroup1", "aarch64")
    assert refused("rpi5", "docker-cgroup1", "aarch64").startswith(
        "this machine is none of the known devices,"
    )


def test_another_board_of_the_same_processor_can_be_forced() -> None:
    assert chosen("rpi5", "rpi4", "aarch64", force=True) == "rpi5"
    assert "--force cannot make an x86_64 machine run containers of rpi5" in refused("rpi5", force=True)


def test_emulation_is_for_a_named_board_of_another_processor() -> None:
    assert chosen("rpi5", emulate=True) == "rpi5"
    assert "name it with DEVICE=" in refused("", emulate=True)
    assert (
        refused("rpi5", "rpi5", "aarch64", emulate=True) == "this machine is rpi5 itself; leave EMULATE out"
    )
    assert "nuc has this machine's (x86_64)" in refused("nuc", emulate=True)


def test_every_arm_board_says_which_processor_is_emulated() -> None:
    boards = [item for item in CATALOG.devices().values() if item.arch == "aarch64"]
    assert {item.id: set(item.emulator) for item in boards} == {item.id: {"QEMU_CPU"} for item in boards}


def test_processes_cannot_be_emulated(tmp_path: Path) -> None:
    foreign = next(item for item in CATALOG.devices().values() if item.arch != os.uname().machine)
    with pytest.raises(InferometerError, match="ENGINE=process is always native"):
        choose_engine(tmp_path, tmp_path, "process", foreign, Quiet())


@pytest.mark.parametrize("pc", ["nuc", "x86"])
def test_a_pc_may_have_a_gpu(pc: str) -> None:
    device = CATALOG.device(pc)
    assert device.accelerators["cuda"].optional
    assert "tensorrt" in device.runtimes


def test_processes_reach_no_accelerator() -> None:
    assert lacking(CATALOG.device("rpi5"), "process", here()) == {}
    reasons = lacking(CATALOG.device("jetson-nano"), "process", here())
    assert list(reasons) == ["cuda"]
    assert "use ENGINE=docker" in reasons["cuda"]
