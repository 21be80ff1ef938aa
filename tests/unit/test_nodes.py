"""A container's user joins the groups that own an accelerator's device nodes, here and on a board."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.catalog import Accelerator, Catalog, read_device, suite_root
from orchestrator.doctor.device import _reached
from orchestrator.domain import InferometerError
from orchestrator.engines import board, nodes
from orchestrator.engines.board import BoardEngine
from orchestrator.engines.docker import DockerEngine
from orchestrator.engines.launch import Launch
from orchestrator.engines.ssh import Link

LAUNCH = Launch("name", "image", "run", b"", Path("out"), Path("err"), 1.0, accelerator="gpu")


class There:
    """A board whose shell is this machine's."""

    def __init__(self) -> None:
        self.socket, self.asked = "socket", 0

    def run(self, command: str) -> bytes:
        self.asked += 1
        return subprocess.run(["sh", "-c", command], check=True, capture_output=True).stdout


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """Nodes of three groups where the test may give them away, else of its own."""
    for name, group in {"map": 44, "host-ctrl": 44, "host-gpu": 105, "root": 0}.items():
        path = tmp_path / name
        path.touch()
        if os.getuid() == 0:
            os.chown(path, 0, group)
    return tmp_path


def patterns(dev: Path) -> list[str]:
    return [f"{dev}/map", f"{dev}/host-*", f"{dev}/root", f"{dev}/none*", f"{dev}/gone"]


def expected(dev: Path) -> list[int]:
    return sorted({path.stat().st_gid for path in dev.iterdir()} - {0})


def engine_client() -> Any:
    return SimpleNamespace(containers=SimpleNamespace(create=lambda *words, **fields: fields))


def test_groups_of_this_machine(dev: Path) -> None:
    given = {"gpu": {"runtime": "nvidia", "nodes": patterns(dev)}, "cpu": {}}
    engine = DockerEngine(dev, dev, "board", "linux/arm64", given, client=engine_client())
    made = engine._create(LAUNCH)
    assert made["group_add"] == expected(dev)
    assert (made["runtime"], "nodes" in made) == ("nvidia", False)


def test_groups_of_a_board_asked_once(dev: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "connect", lambda **address: engine_client())
    link, given = There(), {"gpu": {"nodes": patterns(dev)}}
    engine = BoardEngine(cast(Link, link), "here", dev, dev, "board", "linux/arm64", given)
    assert [engine._create(LAUNCH)["group_add"] for _ in range(2)] == [expected(dev)] * 2
    assert link.asked == 1


def test_without_nodes_no_group(dev: Path) -> None:
    link = There()
    assert nodes.owners(()) == nodes.owners_there(cast(Link, link), ()) == set()
    assert link.asked == 0
    engine = DockerEngine(dev, dev, "board", "linux/arm64", {"gpu": {}}, client=engine_client())
    assert engine._create(LAUNCH)["group_add"] == []


def test_doctor_misses_nodes(dev: Path) -> None:
    there = _reached("gpu", Accelerator({"nodes": patterns(dev)}), None)
    gone = _reached("gpu", Accelerator({"nodes": [f"{dev}/gone"]}), cast(Link, There()))
    assert (there.state, gone.state, f"{dev}/gone" in gone.detail) == ("ok", "warning", True)


def test_what_the_profiles_of_boards_say() -> None:
    """A Tegra's nodes are open to a group alone."""
    devices = Catalog(suite_root()).devices().values()
    boards = [item for item in devices if "cuda" in item.accelerators and item.release]
    assert boards
    for item in boards:
        assert "/dev/nvmap" in item.accelerators["cuda"].container["nodes"]


@pytest.mark.parametrize("device", ["x86", "jetson-nano", "jetson-orin-nano"])
def test_what_nvidia_s_runtime_wants_to_know(device: str, tmp_path: Path) -> None:
    """Images of ours are no images of NVIDIA's: the profile asks for the driver."""
    cuda = Catalog(suite_root()).device(device).accelerators["cuda"].container
    engine = DockerEngine(
        tmp_path, tmp_path, device, "linux/amd64", {"gpu": {**cuda, "nodes": []}}, client=engine_client()
    )
    told = engine._create(LAUNCH)["environment"]
    assert (told["NVIDIA_VISIBLE_DEVICES"], told["NVIDIA_DRIVER_CAPABILITIES"]) == ("all", "compute,utility")


def test_a_pattern_that_is_no_path_below_dev(tmp_path: Path) -> None:
    text = (suite_root() / "orchestrator/devices/x86.toml").read_text()
    path = tmp_path / "board.toml"
    path.write_text(text.replace('runtime = "nvidia"', 'nodes = ["/dev/gpu*", "/dev/gpu; rm"]'))
    with pytest.raises(InferometerError, match=r"cuda\.nodes holds '/dev/gpu; rm', which is no path below"):
        read_device(path)
