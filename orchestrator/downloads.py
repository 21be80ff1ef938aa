"""One file from the network: resumed where it was cut off, verified before it takes its name."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import http.client
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

Progress = Callable[[str], None]
TIMEOUT_S = 20
TRIES = 4  # without progress; one that brings more than ever before starts the count anew
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """A file as its card describes it; unknown is None."""

    url: str
    sha256: str | None = None
    md5: str | None = None
    bytes: int | None = None

    def fault(self, path: Path) -> str | None:
        """Why a file is not the one wanted, by the strongest hash there is, or None."""
        size = path.stat().st_size
        if self.bytes is not None and size != self.bytes:
            return f"it has {size} bytes, the card says {self.bytes}"
        name, expected = ("SHA-256", self.sha256) if self.sha256 else ("MD5", self.md5)
        if expected is None:
            return None
        actual = hash_of(path, name.replace("-", "").lower())
        return None if actual == expected else f"{name} is {actual[:12]}..., the card says {expected[:12]}..."

    @property
    def verifiable(self) -> bool:
        """Whether the card has any hash."""
        return bool(self.sha256 or self.md5)


class _Unable(Exception):
    """Cannot be had now; the text is the reason."""


class _CutOff(Exception):
    """The connection ended early; what came stays."""


def hash_of(path: Path, algorithm: str) -> str:
    """A file's hash as hex."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def free_bytes(folder: Path) -> int:
    """Room on the file system of a folder."""
    return shutil.disk_usage(folder).free


def download(
    wanted: Wanted, path: Path, progress: Progress, room: Callable[[Path], int] = free_bytes
) -> str | None:
    """Put the file at ``path``; returns None, or in a few words why it is not there.

    What came so far lies in ``NAME.part`` and, with what the server calls this version of the file, in
    ``NAME.part.version``: the next call asks for the rest alone, and starts anew where the file has changed
    or the server sends all of it. A file that is not the one wanted never takes its name.
    """
    if path.exists():
        return None
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return "another download of it is running"
            return _Download(wanted, path, part, stream, progress, room).run()
    except _Unable as reason:
        return str(reason)
    except OSError as problem:
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"the disk of {path.parent} is full"
        return f"{problem.filename or part}: {problem.strerror or problem}"


@dataclass
class _Download:
    wanted: Wanted
    path: Path
    part: Path
    stream: BinaryIO
    progress: Progress
    room: Callable[[Path], int]

    def run(self) -> str | None:
        left, most = TRIES, self.stream.tell()
        while True:
            try:
                self.fetch()
                break
            except _CutOff as cut:
                left = TRIES if self.stream.tell() > most else left - 1
                most = max(most, self.stream.tell())
                if not left:
                    raise _Unable(f"{cut}; the same command goes on from there") from None
                self.progress(f"  {self.path.name}: {cut}, going on")
        self.stream.flush()
        fault = self.wanted.fault(self.part)
        if fault:
            self.part.unlink()
            self.version.unlink(missing_ok=True)
            return f"what came is not it: {fault}"
        os.fsync(self.stream.fileno())
        os.replace(self.part, self.path)
        self.version.unlink(missing_ok=True)
        return None

    @property
    def version(self) -> Path:
        return self.part.with_name(f"{self.part.name}.version")

    def restart(self) -> None:
        self.stream.seek(0)
        self.stream.truncate()
        self.version.unlink(missing_ok=True)

    def fetch(self) -> None:
        """One request; what comes is appended to what is there."""
        response = self.ask()
        if response is None:
            return
        with response:
            done = self.begin(response)
            rest = response.headers.get("Content-Length") or ""
            total = done + int(rest) if rest.isdigit() else None
            if None not in (self.wanted.bytes, total) and total != self.wanted.bytes:
                self.restart()
                raise _Unable(f"the server's file has {total} bytes, the card says {self.wanted.bytes}")
            missing = (total or self.wanted.bytes or 0) - done
            if missing > self.room(self.part.parent):
                raise _Unable(f"the disk of {self.part.parent} is full: {missing / 1e6:.3g} MB are missing")
            self.copy(response, total)

    def copy(self, response: Any, total: int | None) -> None:
        shown = self.stream.tell() * 10 // total if total else 0
        while True:
            try:
                chunk, ended = response.read(_CHUNK_BYTES), None
            except http.client.IncompleteRead as cut:
                chunk, ended = cut.partial, "the connection broke"
            except (OSError, http.client.HTTPException) as problem:
                chunk, ended = b"", str(problem)
            self.stream.write(chunk)
            done = self.stream.tell()
            if ended is not None or (not chunk and total is not None and done < total):
                self.stream.flush()
                raise _CutOff(f"cut off after {done} of {total or 'unknown'} bytes")
            if not chunk:
                return
            if total and done * 10 // total > shown:
                shown = done * 10 // total
                self.progress(f"  {self.path.name}: {shown * 10} % of {total / 1e6:.3g} MB")

    def ask(self) -> Any:
        """The server's answer, to the rest where a part is here; None where all is here."""
        known = self.version.read_text("utf-8") if self.version.exists() else ""
        if not known and not self.wanted.verifiable:
            self.restart()  # nothing would tell a mixture of two versions
        have = self.stream.tell()
        headers = {"User-Agent": "inferometer", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            headers |= {"If-Range": known} if known else {}
        try:
            return urllib.request.urlopen(
                urllib.request.Request(self.wanted.url, headers=headers), timeout=TIMEOUT_S
            )
        except urllib.error.HTTPError as problem:
            problem.close()
            if problem.code == 416 and have:  # the file is no longer than what is here
                if problem.headers.get("Content-Range") == f"bytes */{have}":
                    return None
                self.restart()
                raise _CutOff("the file changed") from None
            raise _Unable(f"the server says {problem.code} {problem.reason}") from None
        except urllib.error.URLError as problem:
            reason = problem.reason
            raise _Unable(str(getattr(reason, "strerror", None) or reason)) from None
        except (OSError, http.client.HTTPException) as problem:
            raise _CutOff(f"no answer ({problem})") from None

    def begin(self, response: Any) -> int:
        """Where in the file the answer begins; forgets what is here where that is the start."""
        etag = response.headers.get("ETag") or ""
        # A weak tag promises no equal bytes, and If-Range takes none.
        version = etag if etag.startswith('"') else response.headers.get("Last-Modified") or ""
        have = self.stream.tell()
        if getattr(response, "status", None) == 206:
            known = self.version.read_text("utf-8") if self.version.exists() else ""
            span = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
            if span is None or int(span[1]) != have or (known and version not in ("", known)):
                self.restart()
                raise _CutOff("the file changed")
            return have
        self.restart()
        self.version.write_text(version, "utf-8")
        return 0
