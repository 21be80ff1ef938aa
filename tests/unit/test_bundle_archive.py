"""A bundle is what it was when written, down to the last bit, or it is refused by the member's name."""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.bundle import archive
from orchestrator.bundle.archive import Bundle
from orchestrator.domain import InferometerError
from tests.support import bundles


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that nobody changes."""
    return bundles.make(tmp_path_factory.mktemp("bundle") / "good.tar", suite=small())


def small() -> Any:
    """A suite of two files, so that the properties below meet every member often."""
    from orchestrator.bundle.manifest import Suite

    return Suite("0.1.0", "c" * 40, False, {"a": "0" * 64, "b": "1" * 64})


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("changed") / "changed.tar"


def check(path: Path) -> None:
    with closing(Bundle(path)) as bundle:
        bundle.verify(lambda text: None)


def refusal(path: Path) -> str:
    with pytest.raises(InferometerError) as caught:
        check(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_written_is_read(good: Path) -> None:
    check(good)
    with closing(Bundle(good)) as bundle:
        for name, content in bundles.CONTENTS.items():
            assert b"".join(bundle.chunks(name)) == content
        assert bundle.manifest.members[0].sha256 == hashlib.sha256(b"the suite").hexdigest()


def test_tar_and_sha256sum_read_it_too(good: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "-xf", good, "-C", tmp_path], check=True, capture_output=True)
    done = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 1 + len(bundles.CONTENTS)


def test_equal_content_gives_equal_files(good: Path, tmp_path: Path) -> None:
    assert bundles.make(tmp_path / "again.tar", suite=small()).read_bytes() == good.read_bytes()


@given(st.data())
def test_any_flipped_bit_is_refused_by_its_members_name(good: Path, scratch: Path, data: Any) -> None:
    content = bytearray(good.read_bytes())
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= 1 << data.draw(st.integers(0, 7))
    scratch.write_bytes(content)
    member = bundles.member_at(good, position)
    # A manifest and its sum cannot tell which of the two was changed.
    assert member.removesuffix(".sha256") in refusal(scratch)


@given(st.data())
def test_any_truncation_is_refused(good: Path, scratch: Path, data: Any) -> None:
    content = good.read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    scratch.write_bytes(content[:length])
    message = refusal(scratch)
    assert "cut short" in message or "no bundle starts like this" in message


@given(st.binary(min_size=1, max_size=1500))
def test_nothing_may_follow(good: Path, scratch: Path, more: bytes) -> None:
    scratch.write_bytes(good.read_bytes() + more)
    assert "follow the end" in refusal(scratch)


@given(st.binary(max_size=2000))
def test_what_is_no_bundle(scratch: Path, content: bytes) -> None:
    scratch.write_bytes(content)
    assert "give the file that `make bundle` wrote" in refusal(scratch)


def test_another_tar_and_no_file(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w", format=tarfile.GNU_FORMAT) as other:
        other.add(__file__, "holiday.py")
    assert "this file with 'holiday.py'" in refusal(tmp_path / "other.tar")
    assert "No such file" in refusal(tmp_path / "absent.tar")
    assert "Is a directory" in refusal(tmp_path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_a_member_that_is_no_file(good: Path, scratch: Path, kind: bytes) -> None:
    content = bytearray(good.read_bytes())
    with tarfile.open(good, "r:") as opened:
        info = opened.getmember("suite.tar")
    info.type, info.linkname = kind, "/etc/passwd"
    content[info.offset : info.offset + 512] = info.tobuf(tarfile.GNU_FORMAT)
    scratch.write_bytes(content)
    assert ": suite.tar: " in refusal(scratch)


def test_an_interrupted_one_leaves_the_old_one(tmp_path: Path) -> None:
    path = bundles.make(tmp_path / "one.tar", suite=small())
    before = path.read_bytes()

    def fail(stream: BinaryIO) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    sources = [(name, fail) for name in bundles.CONTENTS]
    with pytest.raises(KeyboardInterrupt):
        archive.write(path, bundles.manifest(suite=small()), sources)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "one.tar.part").write_bytes(b"killed" * 100_000)
    assert bundles.make(path, suite=small()).read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_two_at_once(tmp_path: Path) -> None:
    def again(stream: BinaryIO) -> None:
        with pytest.raises(InferometerError, match="is being written by another bundle"):
            bundles.make(tmp_path / "one.tar", suite=small())
        stream.write(b"mine")

    contents = dict.fromkeys(bundles.CONTENTS, b"mine")
    archive.write(
        tmp_path / "one.tar", bundles.manifest(contents, suite=small()), [(name, again) for name in contents]
    )
    check(tmp_path / "one.tar")
