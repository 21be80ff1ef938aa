"""The suite that a bundle carries: the checkout's files as they are, and nothing else."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from orchestrator.bundle import suite
from orchestrator.domain import InferometerError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    files = {"runners/a/runner.py": "1", "README.md": "read", ".gitignore": "made/\n", "run": "#!/bin/sh\n"}
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "run").chmod(0o755)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first")
    return root


def git(root: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)


def test_a_clean_checkout(checkout: Path) -> None:
    (checkout / "made").mkdir()
    (checkout / "made/secret").write_text("ignored")
    (checkout / "notes.txt").write_text("beside the suite")
    found = suite.describe(checkout)
    assert set(found.files) == {"runners/a/runner.py", "README.md", ".gitignore", "run"}
    assert not found.dirty
    assert len(found.commit) == 40


@pytest.mark.parametrize("name", ["runners/a/runner.py", "runners/b/runner.py", "README.md"])
def test_a_changed_or_new_file_goes_along_and_is_said(checkout: Path, name: str) -> None:
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("2")
    found = suite.describe(checkout)
    assert found.dirty
    assert name in found.files


def test_the_tar_holds_the_files_and_their_modes(checkout: Path) -> None:
    stream = io.BytesIO()
    suite.write_tar(checkout, list(suite.describe(checkout).files), stream)
    again = io.BytesIO()
    suite.write_tar(checkout, list(suite.describe(checkout).files)[::-1], again)
    assert stream.getvalue() == again.getvalue()
    stream.seek(0)
    with tarfile.open(fileobj=stream) as archive:
        modes = {item.name: item.mode for item in archive.getmembers()}
    assert modes["inferometer/run"] == 0o755
    assert modes["inferometer/runners/a/runner.py"] == 0o644


def test_what_decides_must_be_equal(checkout: Path) -> None:
    files = suite.describe(checkout).files
    (checkout / "README.md").write_text("my notes")
    (checkout / "runners/mine").mkdir()
    (checkout / "runners/mine/runner.py").write_text("a runner of my own")
    assert suite.difference(checkout, files) is None
    (checkout / "runners/a/runner.py").write_text("2")
    assert suite.difference(checkout, files) == "runners/a/runner.py"
    (checkout / "runners/a/runner.py").unlink()
    assert suite.difference(checkout, files) == "runners/a/runner.py"


@pytest.mark.parametrize("name", [b"runners/a\nb.py", b"runners/\xff.py"])
def test_a_name_that_no_bundle_can_hold(checkout: Path, name: bytes) -> None:
    Path(os.fsdecode(bytes(checkout) + b"/" + name)).write_text("1")
    with pytest.raises(InferometerError, match=r"no name for a file in a bundle; rename it") as caught:
        suite.describe(checkout)
    assert str(caught.value).isprintable()


def test_no_checkout_and_a_link_are_refused(checkout: Path, tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match="a bundle is made from a git checkout"):
        suite.describe(tmp_path)
    with pytest.raises(InferometerError, match="is no git checkout"):
        suite.describe(checkout / "runners")
    (checkout / "runners/link").symlink_to("/etc/passwd")
    with pytest.raises(InferometerError, match="is a link"):
        suite.describe(checkout)
