"""Environments are named by their pins, made once, through the user's own pip settings."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError
from orchestrator.engines import venvs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "runner"
    path.mkdir()
    (path / "requirements.txt").write_text("tiny==1.0\n")
    (path / "runner.py").write_text("")
    return path


def make_wheel(folder: Path, name: str, needs: str = "") -> None:
    """A pure wheel of one module."""
    folder.mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"]
    lines += [f"Requires-Dist: {needs}\n"] if needs else []
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "WORD = 'tiny'\n")
        wheel.writestr(f"{info}/METADATA", "".join(lines))
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip is set up, as a user would, to take wheels from a folder alone."""
    wheels = tmp_path / "wheels"
    make_wheel(wheels, "tiny")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return wheels


def test_a_changed_pin_gives_another_place(folder: Path, tmp_path: Path) -> None:
    seen = {venvs.location("foo", folder, tmp_path)}
    (folder / "requirements.txt").write_text("tiny==1.1\n")
    seen.add(venvs.location("foo", folder, tmp_path))
    (folder / "requirements-nodeps.txt").write_text("other==1\n")
    seen.add(venvs.location("foo", folder, tmp_path))
    assert len(seen) == 3
    (folder / "runner.py").write_text("# the code is not installed")
    assert venvs.location("foo", folder, tmp_path) in seen
    assert all(path.parent == tmp_path / "venvs" and path.name.startswith("foo-") for path in seen)


def test_another_python_or_processor_gives_another_place(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = venvs.location("foo", folder, tmp_path)
    monkeypatch.setattr("platform.machine", lambda: "vax")
    assert venvs.location("foo", folder, tmp_path) != before


def test_without_requirements_it_says_what_to_add(folder: Path, tmp_path: Path) -> None:
    (folder / "requirements.txt").unlink()
    with pytest.raises(InferometerError, match=r"requirements\.txt is missing; add it"):
        venvs.location("foo", folder, tmp_path)


def test_it_is_made_once_with_what_the_users_pip_finds(folder: Path, tmp_path: Path, offline: Path) -> None:
    make_wheel(offline, "proud", needs="nowhere-to-be-found")
    (folder / "requirements-nodeps.txt").write_text("proud==1.0\n")
    said: list[str] = []
    python = venvs.ensure("foo", folder, tmp_path / "cache", said.append)
    code = "import tiny, proud; print(tiny.WORD)"
    assert subprocess.run([python, "-c", code], check=True, capture_output=True).stdout == b"tiny\n"
    assert [line.split(" for foo")[0] for line in said] == ["installing tiny", "installing proud"]
    assert venvs.ensure("foo", folder, tmp_path / "cache", said.append) == python
    assert len(said) == 2


def test_an_interrupted_one_is_made_anew(folder: Path, tmp_path: Path, offline: Path) -> None:
    place = venvs.location("foo", folder, tmp_path / "cache")
    (place / "bin").mkdir(parents=True)
    (place / "bin/python").write_text("half a Python")
    python = venvs.ensure("foo", folder, tmp_path / "cache", lambda text: None)
    assert subprocess.run([python, "-c", "import tiny"]).returncode == 0


@pytest.mark.usefixtures("offline")
def test_a_failure_names_pips_complaint_and_the_log_and_is_tried_again(folder: Path, tmp_path: Path) -> None:
    (folder / "requirements.txt").write_text("missing==7\n")
    for _ in range(2):
        with pytest.raises(InferometerError) as caught:
            venvs.ensure("foo", folder, tmp_path / "cache", lambda text: None)
        assert "the environment of foo could not be made: ERROR: No matching distribution" in str(
            caught.value
        )
        assert "missing==7" in str(caught.value)
        assert str(caught.value).endswith(f"the whole output: {tmp_path}/cache/logs/venv-foo.log")
