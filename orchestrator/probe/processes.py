"""Numbers of processes become those of the recorded machines in our tests: 3112, and 3133 and on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

OBSERVED, FIRST_OTHER = 3112, 3133
OWNER = b"1000"
_IN_PATH = re.compile(r"(?<=/proc/)\d+(?=/)|(?<=/task/)\d+(?=/)")
_NUMBERS = re.compile(rb"^(Tgid|Ngid|Pid|PPid|TracerPid|NStgid|NSpid|NSpgid|NSsid):(.*)$", re.MULTILINE)
_OWNERS = re.compile(rb"^(Uid|Gid|Groups):(.*)$", re.MULTILINE)
_PARENT, _GROUP, _SESSION, _TERMINAL_GROUP = 1, 2, 3, 5  # of ``stat``, after the name
_CHILDREN = re.compile(r"sys-root/proc/(\d+)/task/(\d+)/children")


def is_barren(path: str, data: bytes) -> bool:
    """Whether a renumbered file tells of a thread without children.

    Sources need the first of the observed process, by which they know that the kernel has such files.
    """
    match = _CHILDREN.fullmatch(path)
    return match is not None and not data.strip() and set(match.groups()) != {str(OBSERVED)}


class Renumbering:
    """Old numbers to new ones, from the paths in which they stand."""

    def __init__(self, observed: int, paths: Iterable[str]):
        found = {int(number) for path in paths for number in _IN_PATH.findall(path)} - {observed}
        self._new = {observed: OBSERVED}
        self._new.update({number: FIRST_OTHER + index for index, number in enumerate(sorted(found))})
        self.owners = 0  # ids of users and groups that were replaced

    def path(self, path: str) -> str:
        """A path with its new numbers."""
        return _IN_PATH.sub(lambda match: str(self._new[int(match.group())]), path)

    def contents(self, contents: Mapping[str, bytes]) -> dict[str, bytes]:
        """Paths and contents with the new numbers; other processes become 1, which every machine has."""
        return {self.path(path): self._content(path, data) for path, data in contents.items()}

    def _content(self, path: str, data: bytes) -> bytes:
        name = path.rpartition("/")[2]
        if name == "children" or name == "cgroup.procs":
            known = [self._number(word) for word in data.split() if int(word) in self._new]
            return b" ".join(known) + b" " if name == "children" else b"\n".join(known) + b"\n"
        if not _IN_PATH.search(path):
            return data
        if name == "stat":
            return self._stat(data)
        if name == "status":
            data = _NUMBERS.sub(lambda m: m[1] + b":\t" + b"\t".join(map(self._number, m[2].split())), data)
            return _OWNERS.sub(self._nobodys, data)
        return data

    def _nobodys(self, match: re.Match[bytes]) -> bytes:
        ids = match[2].split()
        self.owners += len(ids)
        return match[1] + b":\t" + b"\t".join(OWNER for _ in ids)

    def _stat(self, data: bytes) -> bytes:
        head, _, tail = data.rpartition(b")")
        _, _, name = head.partition(b" ")
        number = self._number(head.partition(b" ")[0])
        fields = tail.split()
        for index in (_PARENT, _GROUP, _SESSION, _TERMINAL_GROUP):
            fields[index] = self._number(fields[index])
        return number + b" " + name + b") " + b" ".join(fields) + b"\n"

    def _number(self, word: bytes) -> bytes:
        number = int(word)
        return b"%d" % self._new.get(number, min(number, 1))
