"""Putting back by the journal: at the end of a bench, or at the start of whatever comes after its death."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain import InferometerError
from orchestrator.environment.host import Unknown
from orchestrator.tuning.journal import Entry, Journal
from orchestrator.tuning.machine import Machine, Refused


@dataclass
class Account:
    """What became of the entries: knobs that were put back or that a reboot did reset, words on the rest."""

    restored: list[str] = field(default_factory=list)
    reset: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def text(self) -> str:
        """In one line, each knob once; empty where there is nothing to say."""
        parts = []
        if self.restored:
            parts.append(f"put back {', '.join(dict.fromkeys(self.restored))}")
        reset = [knob for knob in dict.fromkeys(self.reset) if knob not in self.restored]
        if reset:
            parts.append(f"a reboot has reset {', '.join(reset)}")
        return "; ".join(parts + self.left)


def restore(journal: Journal) -> Account:
    """Put everything back, the last change first. Raises InferometerError for what did not go back.

    Entries leave the journal when their settings are as they were, so this may be killed and begun again.
    """
    account, stuck = Account(), list[str]()
    for knob in reversed(list(dict.fromkeys(entry.knob for entry in journal.entries))):
        done = []
        for entry in reversed([entry for entry in journal.entries if entry.knob == knob]):
            try:
                done.append(_restore(journal, entry, account))
            except (Refused, Unknown) as problem:
                stuck.append(f"{knob} is not back at {entry.old!r}: {problem}")
        journal.drop(done)  # together: each time costs the disk a write
    if stuck:
        raise InferometerError(f"{'; '.join(stuck)}; put it back by hand, then remove {journal.path}")
    return account


def _restore(journal: Journal, entry: Entry, account: Account) -> Entry:
    """Put one setting back, or find that this is not ours to do. The entry as it is in the journal then."""
    setting, boot_id = entry.setting(journal.machine), journal.machine.boot_id()
    if not setting.outlives_boot and None not in (boot_id, entry.boot_id) and boot_id != entry.boot_id:
        account.reset.append(entry.knob)
        return entry
    try:
        now = setting.read()
    except Unknown as problem:
        account.left.append(f"{entry.knob} cannot be put back, it is gone ({problem})")
        return entry
    # Of what is not atomic parts may be changed although what can be read of it is not.
    if now == entry.old and (setting.is_atomic or entry.new not in (None, now)):
        return entry
    if entry.new is not None and now != entry.new:
        account.left.append(f"{entry.knob} was changed meanwhile and stays {now!r} ({entry.name})")
        return entry
    if not setting.is_atomic:
        entry = journal.settle(entry, None)  # halfway back it is neither old nor new, and still ours
    setting.write(entry.old)
    account.restored.append(entry.knob)
    return entry


def forgotten(machine: Machine) -> list[str]:
    """The knobs that a bench which was killed has left changed; empty as a rule. Raises InferometerError."""
    journal = Journal(machine)
    return [] if journal.is_owned() else list(dict.fromkeys(entry.knob for entry in journal.entries))


def refuse_there(machine: Machine) -> None:
    """Of a board whose files are copied, alone with us there: raises InferometerError where it is tuned."""
    knobs = forgotten(machine)
    if knobs:
        raise InferometerError(
            f"a bench that was killed has left the board tuned ({', '.join(knobs)}); "
            "put it back there with: sudo make doctor"
        )


def put_back(machine: Machine, user: int) -> str | None:
    """Put back what a killed bench has left changed: a line about it, None where there was nothing.

    Raises InferometerError where ``user``, an effective user id, may not. To be called with the machine's
    lock held.
    """
    journal = Journal(machine)
    if journal.is_owned():
        return None
    if journal.entries and user:
        raise InferometerError(
            f"a bench that was killed has left this machine tuned ({', '.join(forgotten(machine))}); "
            "put it back with: sudo make doctor"
        )
    if not journal.entries:
        if not user:
            journal.tidy()
        return None
    said = restore(journal).text() or "everything was as before"
    return f"a bench was killed while the machine was tuned: {said}"
