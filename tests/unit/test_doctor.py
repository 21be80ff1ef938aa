"""What doctor says of machines that lack something: a state, and a fix for everything that is not ok."""

from __future__ import annotations

import gc
import shutil
from pathlib import Path

import pytest

from orchestrator import doctor, lock
from orchestrator.catalog import Catalog, suite_root
from orchestrator.doctor import Check
from orchestrator.doctor.isolation import leftover, leftover_there
from orchestrator.engines import images
from orchestrator.engines.place import Place, here
from orchestrator.tuning import Tuning, parse
from tests.support.tuned import CPU, SWAPS, Machine, content, desktop, swap_lines, write

TREES = Path(__file__).parent.parent / "fixtures" / "sys"
POLICY = f"{CPU}/cpufreq/policy0"
GOVERNOR, LOW, HIGH = (f"{POLICY}/scaling_{name}" for name in ("governor", "min_freq", "max_freq"))
NO_TURBO = f"{CPU}/intel_pstate/no_turbo"


def examined(cache: Path, root: Path) -> dict[str, Check]:
    checks = doctor.examine(Catalog(suite_root()), cache) + doctor.quiet(root, 1, 3.0)
    return {check.name: check for check in checks}


def test_everything_that_is_not_ok_has_a_fix(tmp_path: Path) -> None:
    found = examined(tmp_path, tmp_path)
    assert all(check.detail and bool(check.fix) == (check.state != "ok") for check in found.values())
    assert found["catalog"].state == "ok"


@pytest.mark.parametrize(
    ("files", "state", "words"),
    [
        ({}, "ok", ["no governor is shown", "swap is unknown"]),
        ({GOVERNOR: "performance"}, "ok", ["governor performance"]),
        ({GOVERNOR: "schedutil"}, "warning", ["governor schedutil", "--tune governor=performance "]),
        ({GOVERNOR: "schedutil", LOW: "8", HIGH: "8"}, "ok", ["governor schedutil"]),
        ({GOVERNOR: "schedutil", LOW: "8", HIGH: "9"}, "warning", ["governor schedutil"]),
        ({NO_TURBO: "0"}, "warning", ["turbo on", "--tune turbo=off "]),
        ({NO_TURBO: "1"}, "ok", []),
        ({"proc/swaps": swap_lines([])}, "ok", ["no swap"]),
        ({"proc/swaps": swap_lines(SWAPS)}, "ok", ["swap is not used"]),
        ({"proc/swaps": swap_lines(SWAPS, 2048)}, "warning", ["6 MiB in swap", "--tune swap=off "]),
        (
            {GOVERNOR: "powersave", NO_TURBO: "0", "proc/swaps": swap_lines(SWAPS, 1024)},
            "warning",
            ["governor powersave, turbo on, 3 MiB in swap", "governor=performance,turbo=off,swap=off"],
        ),
    ],
)
def test_what_lets_figures_wander(
    tmp_path: Path, files: dict[str, str], state: str, words: list[str]
) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    check = examined(tmp_path, tmp_path)["isolation"]
    assert check.state == state
    assert all(word in check.detail + check.fix for word in words), check


def test_what_a_killed_bench_left_tuned_is_put_back_or_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # a lock of its own
    root = desktop(tmp_path / "root")
    before = content(root)
    assert leftover(root, 0) == leftover_there(root) == []
    Tuning(parse("aslr=off"), Machine(root)).on()  # and its process is gone: there is no such one below root
    (told,) = leftover(root, 1000)
    assert (told.state, told.fix) == ("warning", "put it back with: sudo make doctor")
    (there,) = leftover_there(root)
    assert (there.state, "tuned (aslr)" in there.detail) == ("missing", True)
    (done,) = leftover(root, 0)
    assert (done.state, "put back aslr" in done.detail) == ("ok", True)
    assert content(root) == before
    assert leftover(root, 0) == []


def test_a_bench_that_runs_is_not_disturbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    root = desktop(tmp_path / "root")
    Tuning(parse("aslr=off"), Machine(root)).on()
    with lock.hold("results/x"):
        (check,) = leftover(root, 0)
    assert (check.state, "in use by process" in check.detail) == ("warning", True)
    write(root, "var/lib/inferometer/tune-journal.json", "no journal")
    assert [c.state for c in leftover(root, 0) + leftover_there(root)] == ["warning", "missing"]


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
