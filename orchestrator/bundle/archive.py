"""The bundle's form: a plain tar of which every byte is decided by its members' names and contents.

``manifest.json``, ``manifest.json.sha256``, the members in the manifest's order, ``SHA256SUMS``. A reader
can therefore tell any changed byte, headers and padding included, and name the member it is in.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from orchestrator.bundle import manifest
from orchestrator.bundle.manifest import Manifest, Member
from orchestrator.domain import InferometerError
from orchestrator.files import sync_folder

MANIFEST, MANIFEST_SUM, SUMS = "manifest.json", "manifest.json.sha256", "SHA256SUMS"
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
_CHUNK = 1 << 20
_MANIFEST_LIMIT = 1 << 26

Source = tuple[str, Callable[[BinaryIO], None]]  # a member's path and what writes its content


def header(path: str, size: int) -> bytes:
    """The only header a member of this name and size can have."""
    info = tarfile.TarInfo(path)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> int:
    return -size % _BLOCK


class _Hashing:
    """Passes bytes on; counts and hashes them."""

    def __init__(self, stream: BinaryIO):
        self._stream, self.digest, self.size = stream, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        self.size += len(data)
        return self._stream.write(data)


def write(path: Path, content: Manifest, sources: Iterable[Source]) -> Manifest:
    """Write a bundle; ``content`` names the members, whose sizes and hashes are found while writing.

    Each member is streamed once to its place. The file gets its name when all of it is on the disk; what
    an interrupted one left is overwritten. Returns the manifest as written.
    """
    part = path.with_name(f"{path.name}.part")
    with _alone(part) as stream:
        try:
            room = len(replace(content, members=_blank(content.members)).to_bytes())
            first = [(MANIFEST, room), (MANIFEST_SUM, len(_sum_line(b"")))]
            stream.seek(sum(_BLOCK + size + _padding(size) for _, size in first))
            written = replace(content, members=tuple(_append(stream, *source) for source in sources))
            text = written.to_bytes().ljust(room)
            _append(stream, SUMS, lambda to: _put(to, _sums(text, written.members)))
            stream.write(_END)
            stream.truncate()
            stream.seek(0)
            _append(stream, MANIFEST, lambda to: _put(to, text))
            _append(stream, MANIFEST_SUM, lambda to: _put(to, _sum_line(text)))
            stream.flush()
            os.fsync(stream.fileno())
            os.replace(part, path)
        except BaseException as problem:
            part.unlink(missing_ok=True)
            if isinstance(problem, OSError) and problem.filename is None:
                problem.filename = str(path)  # a full disk names no file
            raise
    sync_folder(path.parent)
    return written


@contextmanager
def _alone(part: Path) -> Iterator[BinaryIO]:
    with open(os.open(part, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InferometerError(f"{part} is being written by another bundle; wait for it") from None
        stream.truncate(0)
        yield stream


def _blank(members: Iterable[Member]) -> tuple[Member, ...]:
    return tuple(Member(member.path, manifest.LARGEST_BYTES, "0" * 64) for member in members)


def _append(stream: BinaryIO, path: str, fill: Callable[[BinaryIO], None]) -> Member:
    start = stream.tell()
    stream.seek(start + len(header(path, 0)))  # a long name takes more than one block
    counted = _Hashing(stream)
    fill(counted)  # type: ignore[arg-type]  # of a file it needs only write()
    stream.write(bytes(_padding(counted.size)))
    end = stream.tell()
    stream.seek(start)
    stream.write(header(path, counted.size))
    stream.seek(end)
    return Member(path, counted.size, counted.digest.hexdigest())


def _put(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)


def _sum_line(text: bytes) -> bytes:
    return f"{hashlib.sha256(text).hexdigest()}  {MANIFEST}\n".encode()


def _sums(text: bytes, members: Iterable[Member]) -> bytes:
    lines = [f"{member.sha256}  {member.path}\n" for member in members]
    return _sum_line(text) + "".join(lines).encode()


class Bundle:
    """A bundle opened for reading. Raises InferometerError where it is damaged; ``manifest`` is verified."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self._stream = path.open("rb")
            self._bytes = os.fstat(self._stream.fileno()).st_size
        except OSError as problem:
            raise InferometerError(
                f"{path}: cannot be read: {problem.strerror}; give the file that `make bundle` wrote"
            ) from None
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> None:
        self._text = self._first()
        self._expect_bytes(MANIFEST_SUM, _sum_line(self._text), MANIFEST)
        try:
            self.manifest = manifest.read(self._text)
        except manifest.Malformed as problem:
            raise self._refusal(MANIFEST, str(problem)) from None
        except InferometerError as problem:
            raise InferometerError(
                f"{self.path}: {problem}; use the suite in the bundle: tar xf {self.path} suite.tar"
            ) from None
        self._body = self._stream.tell()
        self.places = self._layout()

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    def _refusal(self, member: str, what: str) -> InferometerError:
        return InferometerError(
            f"{self.path}: {member}: {what}; copy the file again from where it was made, or make it anew"
        )

    def _cut(self, member: str) -> InferometerError:
        return self._refusal(member, f"the file is cut short, it has {self._bytes} bytes")

    def _first(self) -> bytes:
        block = self._stream.read(_BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeError):
            raise InferometerError(
                f"{self.path}: {MANIFEST}: no bundle starts like this; give the file that `make bundle` wrote"
            ) from None
        if not 0 <= info.size <= _MANIFEST_LIMIT or block != header(MANIFEST, info.size):
            raise self._refusal(MANIFEST, f"a bundle starts with it, this file with {info.name!r:.60}")
        text = self._stream.read(info.size)
        self._expect(MANIFEST, bytes(_padding(info.size)))
        return text

    def _expect_bytes(self, member: str, content: bytes, named: str) -> None:
        self._expect(member, header(member, len(content)))
        self._expect(named, content)
        self._expect(member, bytes(_padding(len(content))))

    def _expect(self, member: str, wanted: bytes) -> None:
        found = self._stream.read(len(wanted))
        if len(found) < len(wanted):
            raise self._cut(member)
        if found != wanted:
            raise self._refusal(member, "its content, header or padding was changed")

    def _layout(self) -> dict[str, tuple[int, Member]]:
        """Where each member's content starts; the whole length must be exactly right."""
        places, at = {}, self._body
        for member in self.manifest.members:
            at += len(header(member.path, member.bytes))
            places[member.path] = at, member
            at += member.bytes + _padding(member.bytes)
        sums = len(_sums(self._text, self.manifest.members))
        total = at + _BLOCK + sums + _padding(sums) + len(_END)
        if self._bytes < total:
            ends = [path for path, (start, item) in places.items() if start + item.bytes > self._bytes]
            raise self._refusal((ends or [SUMS])[0], f"the file is cut short: {self._bytes} of {total} bytes")
        if self._bytes > total:
            raise self._refusal(SUMS, f"{self._bytes - total} bytes follow the end")
        return places

    def verify(self, progress: Callable[[str], None]) -> None:
        """Read all of it once: every header, every SHA-256, every byte between. Raises InferometerError."""
        self._stream.seek(self._body)
        for member in self.manifest.members:
            if member.bytes >= 1 << 28:
                progress(f"verifying {member.path} ({member.bytes / 2**20:.0f} MiB)")
            self._expect(member.path, header(member.path, member.bytes))
            digest = hashlib.sha256()
            for chunk in self._chunks(member):
                digest.update(chunk)
            if digest.hexdigest() != member.sha256:
                raise self._refusal(member.path, "its SHA-256 is not the manifest's")
            self._expect(member.path, bytes(_padding(member.bytes)))
        self._expect_bytes(SUMS, _sums(self._text, self.manifest.members), SUMS)
        self._expect(SUMS, _END)

    def _chunks(self, member: Member) -> Iterator[bytes]:
        left = member.bytes
        while left:
            chunk = self._stream.read(min(left, _CHUNK))
            if not chunk:
                raise self._cut(member.path)
            left -= len(chunk)
            yield chunk

    def chunks(self, path: str) -> Iterator[bytes]:
        """A member's content, piece by piece. Raises InferometerError unless it is the manifest's."""
        start, member = self.places[path]
        self._stream.seek(start)
        digest = hashlib.sha256()
        for chunk in self._chunks(member):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != member.sha256:
            raise self._refusal(path, "its SHA-256 is not the manifest's")
