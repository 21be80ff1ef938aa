"""What was changed and not yet put back: a file that is durable before each change.

``tune-journal.json``: its schema, its owner (process id and start), and one entry a changed setting.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.files import sync_folder, write_atomic
from orchestrator.tuning.machine import Machine
from orchestrator.tuning.settings import KINDS, STORE, Setting

NAME = "tune-journal.json"
SCHEMA = 1


@dataclass(frozen=True)
class Entry:
    """A changed setting. ``new`` None: put it back whatever it is now.

    The change had not ended when this was written, or it is one that the change of another may move.
    """

    knob: str
    kind: str
    name: str
    old: str
    new: str | None
    boot_id: str | None

    def setting(self, machine: Machine) -> Setting:
        """What it is about."""
        return KINDS[self.kind](machine, self.name)


class Journal:
    """The journal of a machine; entries are in the order of the changes."""

    def __init__(self, machine: Machine):
        """Reads it. Raises InferometerError when it is no journal of ours."""
        self.machine, self.path = machine, machine.state / NAME
        self.entries: list[Entry] = []
        self._owner: dict[str, Any] = {}
        try:
            content = json.loads(self.path.read_bytes())
            if content["schema"] != SCHEMA:
                raise ValueError(f"schema {content['schema']}, this version reads {SCHEMA}")
            self.entries = [Entry(**item) for item in content["entries"]]
            self._owner = dict(content["owner"])
            unknown = {entry.kind for entry in self.entries} - set(KINDS)
            if unknown:
                raise ValueError(f"settings of kind {', '.join(sorted(unknown))}")
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as problem:
            raise InferometerError(
                f"{self.path}: unreadable ({problem}); put back by hand what it names, then remove it"
            ) from None

    def is_owned(self) -> bool:
        """Whether whoever wrote it is still there and will put everything back."""
        started = self._owner.get("started")
        same_boot = self._owner.get("boot_id") == self.machine.boot_id()
        return bool(started) and same_boot and self.machine.started(self._owner["pid"]) == started

    def add(self, entries: Sequence[Entry]) -> None:
        """After return they survive a power cut; then their settings may be changed."""
        self._owner = {
            "pid": os.getpid(),
            "started": self.machine.started(os.getpid()),
            "boot_id": self.machine.boot_id(),
        }
        self.entries += entries
        self._save()

    def settle(self, entry: Entry, new: str | None) -> Entry:
        """The entry as it is from now on: its change has ended with this value, or None, is going on."""
        settled = replace(entry, new=new)
        self.entries[self.entries.index(entry)] = settled
        self._save()
        return settled

    def drop(self, entries: Sequence[Entry]) -> None:
        """These are as they were."""
        self.entries = [entry for entry in self.entries if entry not in entries]
        self._save()

    def _save(self) -> None:
        if not self.entries:
            self.tidy()
            return
        self.machine.make_state()
        content = {"schema": SCHEMA, "owner": self._owner, "entries": [asdict(item) for item in self.entries]}
        write_atomic(self.path, json.dumps(content, indent=1).encode() + b"\n")

    def tidy(self) -> None:
        """Leave nothing behind: the journal first, then what a kill may have left beside it."""
        state = self.machine.state
        if state.is_dir():
            self.path.unlink(missing_ok=True)
            sync_folder(state)
            for path in (state / STORE, *state.glob(f".{NAME}.*")):
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # somebody else's file is in it
                state.rmdir()
