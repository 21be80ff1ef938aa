"""An emulator too old for a board's processor is noticed before anything is built for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, emulator

REGISTERED = Path("/proc/sys/fs/binfmt_misc/qemu-aarch64")
ARM = "linux/arm64"
OLD = """#!/bin/sh
[ "$QEMU_CPU" = old ] || { echo "qemu: unable to find CPU model '$QEMU_CPU'" >&2; exit 1; }
"""


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """An emulator that knows one processor."""
    monkeypatch.setattr(emulator, "PROGRAMS", {ARM: OLD.encode()})


def test_what_an_old_emulator_says(old: None) -> None:
    assert emulator.unknown(ARM, {"QEMU_CPU": "old"}) is None
    assert emulator.unknown(ARM, {"QEMU_CPU": "new"}) == "qemu: unable to find CPU model 'new'"


@pytest.mark.parametrize("program", [b"#!/bin/sh\necho 'no CPU'; exit 1", b"#!/no/such/program", b"?"])
def test_where_nobody_answers_nothing_is_claimed(program: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "PROGRAMS", {ARM: program})
    assert emulator.unknown(ARM, {"QEMU_CPU": "new"}) is None
    assert emulator.unknown("linux/riscv64", {"QEMU_CPU": "new"}) is None


def test_the_refusal_names_the_fix(old: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "docker"
    client.write_text(f"#!/bin/sh\necho 'Platforms: linux/amd64, {ARM}'\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/here.sock")
    buildx.find_buildx.cache_clear()
    buildx.require_emulation(ARM, {"QEMU_CPU": "old"})
    with pytest.raises(InferometerError, match=r"too old \(qemu: unable.* 'new'\); fix: install qemu-user"):
        buildx.require_emulation(ARM, {"QEMU_CPU": "new"})
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    buildx.require_emulation(ARM, {"QEMU_CPU": "new"})
    buildx.find_buildx.cache_clear()


@pytest.mark.skipif(
    os.uname().machine == "aarch64" or not REGISTERED.exists(), reason="no emulator of 64-bit Arm here"
)
def test_the_registered_emulator_knows_every_board_s_processor() -> None:
    for device in Catalog(suite_root()).devices().values():
        assert emulator.unknown(device.platform, device.emulator) is None
    complaint = emulator.unknown(ARM, {"QEMU_CPU": "no-such-cpu"})
    assert complaint
    assert "no-such-cpu" in complaint
