"""The environment's wheels out of a bundle, before any library is there to read it with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from orchestrator.bundle.manifest import Suite
from tests.support import bundles

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
WHEELS = {name.split("/")[1]: content for name, content in bundles.CONTENTS.items() if "wheels/" in name}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheels").mkdir()
    return tmp_path / "wheels"


def make(tmp_path: Path, **fields: Any) -> Path:
    fields = {"suite": Suite("0.1.0", "c" * 40, False, {}), "wheels": {HERE: tuple(WHEELS)}, **fields}
    return bundles.make(tmp_path / "b.tar", **fields)


def refusal(bundle: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What `make` shows: one line, and no environment begun."""
    venv = folder.parent / "venv"
    assert bootstrap.main(["--bundle", str(bundle), str(venv), "requirements.lock"]) == 1
    assert not venv.exists()
    line = capsys.readouterr().err
    assert line.startswith(f"inferometer: {bundle}: ")
    assert len(line.splitlines()) == 1
    return line


def test_the_wheels_of_this_python(tmp_path: Path, folder: Path) -> None:
    assert bootstrap.take_wheels(str(make(tmp_path)), "requirements.lock", str(folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == WHEELS
    assert bootstrap.bundled_pip(str(folder)) == str(folder / "pip-1-py3-none-any.whl")


def test_a_bundle_to_be_emulated_leaves_the_wheels_to_the_index(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path, platform="linux/riscv64")
    assert not bootstrap.take_wheels(str(path), "requirements.lock", str(folder))
    assert not list(folder.iterdir())
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"inferometer: {path} is for linux/riscv64, this machine is ")
    assert line.endswith(": libraries come from the package index instead")


def test_a_changed_wheel(tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"p" * 512, b"q" + b"p" * 511))
    assert "wheels/pip-1-py3-none-any.whl was changed; copy" in refusal(path, folder, capsys)


def test_cut_short_anywhere_before_the_wheels(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    content = path.read_bytes()
    needed = content.index(b"p" * 512) + 512 * 2
    for length in range(0, needed, 97):
        path.write_bytes(content[:length])
        assert "copy the file again" in refusal(path, folder, capsys)


@pytest.mark.parametrize("arguments", [[], ["--bundle", "b.tar"]])
def test_a_32_bit_system_under_a_64_bit_kernel(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.maxsize", 2**31 - 1)
    assert bootstrap.main([*arguments, str(tmp_path / "venv"), "requirements.lock"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("inferometer: a 64-bit system is needed: this Python is 32-bit (kernel: ")
    assert not list(tmp_path.iterdir())


def test_another_lock_another_python_and_no_bundle(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "for another requirements.lock" in refusal(make(tmp_path, lock_sha256="0" * 64), folder, capsys)
    line = refusal(make(tmp_path, wheels={"3.9": tuple(WHEELS)}), folder, capsys)
    assert f"it has wheels for Python 3.9, this is {HERE} (try make PYTHON=...)" in line
    assert "No such file" in refusal(tmp_path / "absent.tar", folder, capsys)
    (tmp_path / "text").write_text("hello")
    refusal(tmp_path / "text", folder, capsys)
