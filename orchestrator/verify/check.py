"""Whether a results folder is what was measured: every hash, and every figure computed once more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator.domain import InferometerError
from orchestrator.files import write_atomic
from orchestrator.merge import read_document
from orchestrator.migrations import SCHEMA
from orchestrator.report.document import conclude
from orchestrator.store import SUMMARY, Run, rendered
from orchestrator.verify import citation, manifest, trials
from orchestrator.verify.contrast import first_difference
from orchestrator.verify.derived import renderers
from orchestrator.verify.manifest import NAME, Entry, Manifest, Step, is_later

# What a reader of damaged files may stumble over, whichever line of it.
_STUMBLES = (
    InferometerError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    OSError,  # a folder in a file's place
    RecursionError,  # JSON of a thousand brackets
)


@dataclass(frozen=True)
class Difference:
    """A file that is not as it should be; ``path`` is relative to the results folder."""

    path: str
    what: str


@dataclass
class Outcome:
    """What was found; ``recomputed``: names of the files that were made again and compared."""

    folder: str
    files: int = 0
    bytes: int = 0
    suite: str | None = None  # the version that wrote the manifest; None without one
    data_sha256: str | None = None
    trials: int = 0
    recomputed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """As ``inferometer verify --json`` prints it."""
        return {"ok": not self.differences, **asdict(self)}


def verify(folder: Path, step: Step = lambda count: None) -> Outcome:
    """Check a results folder. Raises InferometerError when it is none."""
    if not any((folder / name).is_file() for name in ("run.json", NAME)):
        raise InferometerError(f"{folder} is no results folder: it has no run.json")
    outcome = Outcome(str(folder))
    present = _listed(folder, outcome, step)
    _check_manifest(folder, present, outcome)
    try:
        run = Run.open(folder)
    except _STUMBLES as problem:
        _add(outcome, "run.json", f"cannot be read: {_words(problem)}")
        return outcome
    try:
        _check_records(run, present, outcome, step)
    except _STUMBLES as problem:
        _add(outcome, run.trials_path.name, f"cannot be read: {_words(problem)}")
    _check_figures(run, present, outcome)
    return outcome


def seal(folder: Path) -> Outcome:
    """Write the citation and manifest of a folder that has none and whose figures are those of its raw data.

    The outcome is that of the check before; with a difference in it nothing is written. Raises
    InferometerError for an unfinished run and for a folder that has a manifest.
    """
    if (folder / NAME).exists():
        raise InferometerError(f"{folder} has a manifest; `inferometer verify {folder}` checks it")
    outcome = verify(folder)
    if not (folder / SUMMARY).exists():
        raise InferometerError(f"{folder}: the run is unfinished; give its bench command again to end it")
    if not outcome.differences:
        _cite(folder)
        entries = manifest.listing(folder)
        manifest.write(folder, entries)
        outcome.notes = [note for note in outcome.notes if NAME not in note]
        outcome.suite, outcome.data_sha256 = orchestrator.__version__, manifest.data_sha256(entries)
    return outcome


def _cite(folder: Path) -> None:
    path = folder / manifest.CITATION
    if not path.exists():
        document = read_document(SUMMARY, (folder / SUMMARY).read_bytes())
        write_atomic(path, citation.again(document, folder))


def size(folder: Path) -> int:
    """How many bytes a check reads: all files for their hashes, those of trials for their figures too."""
    return sum(
        path.stat().st_size * (2 if name.startswith("raw/") else 1)
        for name, path in manifest.files(folder)
        if path.is_file()
    )


def _add(outcome: Outcome, path: str, what: str) -> None:
    outcome.differences.append(Difference(path, what))


def _words(problem: BaseException) -> str:
    return str(problem) if isinstance(problem, InferometerError) else repr(problem)


def _listed(folder: Path, outcome: Outcome, step: Step) -> dict[str, Entry]:
    found = {}
    for name, path in manifest.files(folder):
        try:
            found[name] = manifest.entry_of(name, path, step)
        except InferometerError as problem:
            _add(outcome, name, str(problem))
    outcome.files, outcome.bytes = len(found), sum(entry.bytes for entry in found.values())
    return found


def _check_manifest(folder: Path, present: Mapping[str, Entry], outcome: Outcome) -> None:
    try:
        listed = manifest.read(folder)
    except InferometerError as problem:
        _add(outcome, NAME, str(problem))
        return
    if listed is None and SUMMARY in present and _schema(folder) >= manifest.SINCE:
        _add(outcome, NAME, "is missing: every finished run of this schema has one; restore it from a copy")
        return
    if listed is None:
        finished = f"; `inferometer verify --seal {folder}` adds one" if SUMMARY in present else ""
        outcome.notes.append(f"there is no {NAME}: added, removed and changed files may go unseen{finished}")
        return
    outcome.suite, outcome.data_sha256 = listed.suite, manifest.data_sha256(listed.entries)
    outcome.differences += _against(listed, present)


def _schema(folder: Path) -> int:
    """That of ``run.json``; 0 where it cannot be read, which is told elsewhere."""
    try:
        return Run.open(folder).schema
    except _STUMBLES:
        return 0


def _against(listed: Manifest, present: Mapping[str, Entry]) -> Iterator[Difference]:
    wanted = {entry.path: entry for entry in listed.entries}
    for name in sorted(wanted.keys() | present.keys()):
        if name not in present:
            yield Difference(name, "is missing, or cannot be read")
        elif name not in wanted:
            yield Difference(name, "is not in the manifest: added after the run ended")
        elif present[name] != wanted[name]:
            sizes = f"{wanted[name].bytes} bytes then, {present[name].bytes} now"
            yield Difference(name, f"is not what was written (SHA-256; {sizes})")


def _check_records(run: Run, present: Mapping[str, Entry], outcome: Outcome, step: Step) -> None:
    """Raw files against the hashes that trials and the launches beside them keep of them."""
    known = set()
    asked_ns = run.header("plan.settings.min_duration_ns")["plan"]["settings"]["min_duration_ns"]
    for number, record in enumerate(run.records()):
        base = f"raw/{number:05d}"
        known.add(base)
        if _check_hashes(base, record.files, present, outcome, alone=True):
            found = trials.difference(run, number, record, asked_ns)
            if found:
                _add(outcome, run.trials_path.name, f"line {number + 1}: {found}")
        outcome.trials += 1
        step(sum(present[name].bytes for file in record.files if (name := f"{base}/{file}") in present))
    for name in present:
        base, _, file = name.rpartition("/")
        if base.startswith("raw") and base not in known:
            _add(outcome, name, "belongs to no trial of trials.jsonl")
        elif file == "result.json" and base:  # of a launch beside the trials
            try:
                told = json.loads((run.folder / name).read_bytes())
                _check_hashes(base, told.get("files", {}), present, outcome)
            except _STUMBLES as problem:
                _add(outcome, name, f"cannot be read: {_words(problem)}")
    lines = run.trials_path.read_bytes() if run.trials_path.exists() else b""
    if lines and not lines.endswith(b"\n"):
        _add(outcome, run.trials_path.name, "its last line is torn: the suite does not read it")


def _check_hashes(
    base: str, hashes: Mapping[str, str], present: Mapping[str, Entry], outcome: Outcome, alone: bool = False
) -> bool:
    """Whether every file that a launch wrote is there as it wrote it."""
    before = len(outcome.differences)
    there = {name.rpartition("/")[2]: entry for name, entry in present.items() if name.startswith(f"{base}/")}
    named = {difference.path for difference in outcome.differences}
    for file, sha256 in hashes.items():
        if f"{base}/{file}" in named:
            before = -1
            continue  # by the manifest
        if file not in there:
            _add(outcome, f"{base}/{file}", "is missing, or cannot be read: its launch wrote it")
        elif there[file].sha256 != sha256:
            _add(outcome, f"{base}/{file}", "is not what its launch wrote (SHA-256)")
    for file in sorted(there.keys() - hashes.keys()) if alone else ():
        _add(outcome, f"{base}/{file}", "is none of the files that its launch wrote")
    return len(outcome.differences) == before


def _check_figures(run: Run, present: Mapping[str, Entry], outcome: Outcome) -> None:
    """The summary from raw data, then what is made from the summary."""
    if SUMMARY not in present:
        outcome.notes.append(f"the run is unfinished: there is no {SUMMARY} to compare with")
        return
    stored = (run.folder / SUMMARY).read_bytes()
    try:
        again = conclude(run)
        plain = json.loads(stored)
        document = read_document(SUMMARY, stored)
    except _STUMBLES as problem:
        _add(outcome, SUMMARY, f"cannot be recomputed: {_words(problem)}")
        return
    again["run"]["name"] = document["run"]["name"]  # a folder may be renamed
    writer, here = document["run"]["suite"], orchestrator.__version__
    is_own = writer == here and plain["schema"] == SCHEMA
    told = f"{writer} (schema {plain['schema']}), recomputed by {here} (schema {SCHEMA})"
    version = "" if is_own else f"; written by {told}: figures may differ by version"
    outcome.recomputed.append(SUMMARY)
    # Of another version: values, not bytes; and of an older schema only what it had.
    compared = {**plain, "schema": SCHEMA} if not is_own else plain
    found = first_difference(compared, again, exact=is_own)
    if found:
        _add(outcome, SUMMARY, found + version)
    elif is_own and stored != rendered(again):
        _add(outcome, SUMMARY, "the same figures, but not laid out as this suite writes them")
    _check_derived(run.folder, again, present, outcome, version)


def _check_derived(
    folder: Path, document: dict[str, Any], present: Mapping[str, Entry], outcome: Outcome, version: str
) -> None:
    known = renderers(folder)
    hashed = "its hash alone was checked" if outcome.suite else "nothing of it was checked"
    # Whoever reports on a copy may have given the folder another name than the bench did.
    renamed = {**document, "run": {**document["run"], "name": folder.resolve().name}}
    for name in filter(is_later, present):
        if name not in known:
            outcome.notes.append(f"{name}: is not made again here; {hashed}")
            continue
        stored = (folder / name).read_bytes()
        try:
            same = any(stored == known[name](one) for one in (document, renamed))
        except _STUMBLES as problem:
            _add(outcome, name, f"cannot be made again: {_words(problem)}{version}")
            continue
        if same:
            outcome.recomputed.append(name)
        elif version:
            outcome.notes.append(f"{name}: made again it is another; {hashed}{version}")
        else:
            outcome.recomputed.append(name)
            _add(outcome, name, "is not what is made from the raw data; `inferometer report` does")
