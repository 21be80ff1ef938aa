"""Several runs become one comparison; what contradicts itself is refused by name, all of it at once.

Documents are read one at a time and their cases written at once. What stays in memory is what the
refusals need: the ids of the cases, the artifacts, the skips and the headers of the runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from orchestrator.domain import Case, InferometerError
from orchestrator.merge.documents import check_document
from orchestrator.migrations import SCHEMA

Document = Mapping[str, Any]
MOST_TOLD = 50  # conflicts; whoever gave the wrong folders need not read them all
_ARTIFACT_FIELDS = ("model", "variant", "batch", "format", "sha256")


def join(documents: Iterable[tuple[str, Document | InferometerError]], write: Callable[[str], object]) -> int:
    """Write one comparison of all ``(name, summary document)`` pairs; returns its number of cases.

    ``write`` takes pieces of JSON text, valid under ``merged.schema.json`` only once this has
    returned. Raises InferometerError, naming both sides of each conflict, for: a case measured twice, a
    device id on two machines, a model's variant in one format with two artifacts, emulated cases beside
    real ones, another protocol or schema version, and each document that is given as why it is none.
    """
    known = _Known()
    total = 0
    write(f'{{"schema": {SCHEMA}, "cases": [')
    for name, given in documents:
        document = known.admitted(name, given)
        for position, row in enumerate(document["cases"] if document else ()):
            known.admit_case(name, position, row)
            write(("\n" if total == 0 else ",\n") + json.dumps({**row, "run": name}, sort_keys=True))
            total += 1
    known.refuse()
    write("\n]")
    for field, values in (
        ("runs", known.runs),
        ("artifacts", [{**content, "runs": runs} for content, runs in known.artifacts.values()]),
        ("skips", list(known.skips.values())),
    ):
        write(f',\n"{field}": {json.dumps(values, indent=1, sort_keys=True)}')
    write("\n}\n")
    return total


class _Known:
    """What earlier documents said, and what contradicts it."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.artifacts: dict[tuple[Any, ...], tuple[Document, list[str]]] = {}
        self.skips: dict[str, Document] = {}
        self._cases: dict[str, str] = {}
        self._emulated: tuple[bool, str] | None = None  # what the first case was, and in which document
        self._conflicts: dict[
            tuple[str, ...], tuple[str, int]
        ] = {}  # of a kind and pair: the first, how many

    def refuse(self) -> None:
        """Raise InferometerError with every conflict, where there are any."""
        told = [
            message if count == 1 else f"{message} (and {count - 1} more of these two)"
            for message, count in self._conflicts.values()
        ]
        if len(told) == 1:
            raise InferometerError(told[0])
        if told:
            more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
            lines = "\n- ".join([*told[:MOST_TOLD], *more])
            raise InferometerError(f"{len(told)} conflicts; nothing was merged:\n- {lines}")

    def _conflict(self, kind: str, name: str, other: str, message: str) -> None:
        first, count = self._conflicts.get((kind, name, other), (message, 0))
        self._conflicts[kind, name, other] = first, count + 1

    def admitted(self, name: str, document: Document | InferometerError) -> Document | None:
        """The document, or None where it is none; what contradicts others is noted."""
        try:
            if isinstance(document, InferometerError):
                raise document
            check_document(name, document)
            if "run" not in document:
                raise InferometerError(
                    f"{name}: a comparison already; merge the results folders it was made of"
                )
        except InferometerError as problem:
            self._conflict("document", name, "", str(problem))
            return None
        run = document["run"]
        # What another machine or an emulator made has cases of the same names: that is not what is wrong.
        for emulated in sorted({bool(row.get("emulated")) for row in document["cases"]}):
            if not self._is_alike(name, emulated):
                return None
        self._check_protocol(name, run)
        if not all([self._is_one_machine(name, run, other) for other in self.runs]):  # noqa: C419 (each is told)
            return None
        self.runs.append({**run, "name": name})
        for artifact in document["artifacts"]:
            self._admit_artifact(name, artifact)
        for skip in document["skips"]:
            self.skips.setdefault(json.dumps(skip, sort_keys=True), skip)
        return document

    def _check_protocol(self, name: str, run: Document) -> None:
        other = self.runs[0] if self.runs else run  # the others are as it, or told already
        mine, others = (str(item["protocol"]).split(".")[0] for item in (run, other))
        if mine != others:
            self._conflict(
                "protocol",
                name,
                other["name"],
                f"protocol {run['protocol']} in {name} but {other['protocol']} in {other['name']}; "
                "run one of them again with the same suite",
            )

    def _is_one_machine(self, name: str, run: Document, other: Document) -> bool:
        same = run["device"] != other["device"] or _same_machine(run, other)
        if not same:
            self._conflict(
                "machine",
                name,
                other["name"],
                f"device {run['device']} is one machine in {name} and another in {other['name']}; "
                "merge runs of one machine, or give one of them a device profile of its own",
            )
        return same

    def _admit_artifact(self, name: str, artifact: Document) -> None:
        missing = [field for field in _ARTIFACT_FIELDS if field not in artifact]
        if missing:
            message = f"{name}: an artifact has no {', '.join(missing)}; make the file again"
            self._conflict("document", name, "", message)
            return
        model, variant, batch, format_ = key = tuple(artifact[field] for field in _ARTIFACT_FIELDS[:4])
        content, runs = self.artifacts.setdefault(key, (artifact, []))
        if content["sha256"] != artifact["sha256"]:
            mine, others = str(artifact["sha256"])[:12], str(content["sha256"])[:12]
            self._conflict(
                "artifact",
                name,
                runs[0],
                f"{model}/{variant}/b{batch} in {format_} is artifact {mine} in {name} "
                f"but {others} in {runs[0]}; run both from the same exported files",
            )
        runs.append(name)

    def admit_case(self, name: str, position: int, row: Document) -> None:
        """Note a case that an earlier document has."""
        try:
            case = Case.from_json(row["case"]).id
        except (KeyError, TypeError, AttributeError) as problem:
            message = f"{name}: field cases[{position}].case is no case ({problem!r}); make the file again"
            self._conflict("document", name, "", message)
            return
        if case in self._cases:
            other = self._cases[case]
            message = f"case {case} is in {other} and in {name}; merge only one of them"
            self._conflict("case", name, other, message)
        self._cases.setdefault(case, name)

    def _is_alike(self, name: str, emulated: bool) -> bool:
        first, where = self._emulated = self._emulated or (emulated, name)
        if emulated is not first:
            under, real = (name, where) if emulated else (where, name)
            self._conflict(
                "emulation",
                name,
                where,
                f"{under} ran under emulation and {real} did not: their speeds cannot be compared; "
                "merge emulated runs among themselves",
            )
        return emulated is first


def _same_machine(one: Document, other: Document) -> bool:
    """By the machine's id where both have one, else by the facts of their headings."""
    if one["machine"] is not None and other["machine"] is not None:
        return bool(one["machine"] == other["machine"])
    return bool(one["host"] == other["host"])
