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

GOVERNOR = "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"


def examined(cache: Path, root: Path) -> dict[str, Check]:
    return {check.name: check for check in doctor.examine(Catalog(suite_root()), cache, root)}


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
    (check,) = [c for c in doctor.examine(Catalog(tmp_path), tmp_path, tmp_path) if c.name == "catalog"]
    assert check.state == "missing"
    assert "digits-cnn.toml" in check.detail
