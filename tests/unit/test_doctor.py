"""What doctor says of machines that lack something: a state, and a fix for everything that is not ok."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from orchestrator import doctor
from orchestrator.catalog import Catalog, suite_root
from orchestrator.doctor import Check
from orchestrator.engines import images
from orchestrator.engines.place import Place, here

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def examined(cache: Path, root: Path) -> dict[str, Check]:
    checks = doctor.examine(Catalog(suite_root()), cache) + doctor.quiet(root, 1, 3.0)
    return {check.name: check for check in checks}


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_everything_that_is_not_ok_has_a_fix(tmp_path: Path) -> None:
    found = examined(tmp_path, tmp_path)
    assert all(check.detail and bool(check.fix) == (check.state != "ok") for check in found.values())
    assert found["catalog"].state == "ok"


@pytest.mark.parametrize(("governor", "state"), [("performance\n", "ok"), ("schedutil\n", "warning")])
def test_a_governor_that_moves_clocks(tmp_path: Path, governor: str, state: str) -> None:
    write(tmp_path, GOVERNOR, governor)
    assert examined(tmp_path, tmp_path)["governor"].state == state


def test_a_kernel_that_accounts_no_memory(tmp_path: Path) -> None:
    write(tmp_path, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n")
    check = examined(tmp_path, tmp_path)["memory cgroup"]
    assert (check.state, "cgroup_enable=memory" in check.fix) == ("warning", True)


# The SDK forgets the socket of a connection that failed.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_no_engine_is_a_warning_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    check = examined(tmp_path, tmp_path)["docker engine"]
    gc.collect()
    assert (check.state, "ENGINE=process" in check.fix) == ("warning", True)


def test_tools_that_are_not_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(images, "find_buildx", images.find_buildx.__wrapped__)  # its answer is kept
    found = examined(tmp_path, tmp_path)
    for name in ("docker buildx", "base images", "g++"):
        assert found[name].state == "warning", found[name]


def test_a_cache_that_cannot_be_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert examined(tmp_path / "file/cache", tmp_path)["disk"].state == "missing"


def test_a_broken_card_is_named(tmp_path: Path) -> None:
    for name in ("models", "runners", "orchestrator/devices"):
        shutil.copytree(suite_root() / name, tmp_path / name)
    (tmp_path / "models/digits-cnn.toml").write_text("title = \n")
    (check,) = [c for c in doctor.examine(Catalog(tmp_path), tmp_path) if c.name == "catalog"]
    assert check.state == "missing"
    assert "digits-cnn.toml" in check.detail


def of_device(name: str, tree: Path, arch: str = "aarch64") -> dict[str, Check]:
    """What is said of a device on a machine with these files."""
    place = Place(tree, arch, (0, 1), remote=True)  # a board: what it is does not depend on this machine
    return {c.name: c for c in doctor.examine_device(Catalog(suite_root()), name, False, place)}


@pytest.mark.parametrize("board", ["rpi4", "rpi5"])
def test_a_board_that_is_what_it_is_called(board: str) -> None:
    found = of_device(board, TREES / board)
    assert list(found) == ["device", "memory", "accelerator cpu"]
    assert (found["device"].state, found["accelerator cpu"].state) == ("ok", "ok")
    assert of_device("", TREES / board)["device"] == found["device"]


def test_another_board_is_named_with_the_three_ways_on() -> None:
    (check,) = of_device("rpi5", TREES / "rpi4").values()
    assert (check.state, check.detail[:34]) == ("missing", "the board is rpi4, not rpi5 (devic")
    for way in ("HOST=", "EMULATE=1", "--force"):
        assert way in check.fix


@pytest.mark.docker
def test_a_jetson_whose_engine_has_no_nvidia_runtime() -> None:
    found = of_device("jetson-nano", TREES / "jetson-nano")
    assert (found["device"].state, found["L4T release"].state) == ("ok", "ok")
    assert "REVISION: 7.1" in found["L4T release"].detail
    check = found["accelerator cuda"]
    assert (check.state, "nvidia-ctk runtime configure" in check.fix) == ("warning", True)


def test_a_release_without_an_image(tmp_path: Path) -> None:
    shutil.copytree(TREES / "jetson-nano", tmp_path / "nano")
    (tmp_path / "nano/etc/nv_tegra_release").write_text("# R32 (release), REVISION: 4.4, GCID: 23942405\n")
    check = of_device("jetson-nano", tmp_path / "nano")["L4T release"]
    assert (check.state, "REVISION: 4.4" in check.detail) == ("warning", True)
    assert "add an entry with NVIDIA's image for it" in check.fix


@pytest.mark.docker
def test_a_device_that_is_to_be_emulated() -> None:
    foreign = next(item for item in Catalog(suite_root()).devices().values() if item.arch != here().arch)
    checks = doctor.examine_device(Catalog(suite_root()), foreign.id, True, here())
    assert {check.name: check.state for check in checks}["emulation"] in ("ok", "missing")
    assert all(bool(check.fix) == (check.state != "ok") for check in checks)
