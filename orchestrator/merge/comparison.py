"""Several runs become one comparison; what contradicts itself is refused by name.

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
_ARTIFACT_FIELDS = ("model", "variant", "batch", "format", "sha256")


def join(documents: Iterable[tuple[str, Document]], write: Callable[[str], object]) -> int:
    """Write one comparison of all ``(name, summary document)`` pairs; returns its number of cases.

    ``write`` takes pieces of JSON text, valid under ``merged.schema.json`` only once this has
    returned. Raises InferometerError, naming both sides, for: a case measured twice, a device id on two
    machines, a model's variant in one format with two artifacts, emulated cases beside real ones, another
    protocol or schema version.
    """
    known = _Known()
    total = 0
    write(f'{{"schema": {SCHEMA}, "cases": [')
    for name, document in documents:
        known.admit(name, document)
        for position, row in enumerate(document["cases"]):
            known.admit_case(name, position, row)
            write(("\n" if total == 0 else ",\n") + json.dumps({**row, "run": name}, sort_keys=True))
            total += 1
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
    """What earlier documents said, and the refusal of what contradicts it."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.artifacts: dict[tuple[Any, ...], tuple[Document, list[str]]] = {}
        self.skips: dict[str, Document] = {}
        self._cases: dict[str, str] = {}
        self._emulated: tuple[bool, str] | None = None  # what the first case was, and in which document

    def admit(self, name: str, document: Document) -> None:
        check_document(name, document)
        if "run" not in document:
            raise InferometerError(f"{name}: a comparison already; merge the results folders it was made of")
        run = document["run"]
        # Before machines are compared: that an emulated board is another one is not what is wrong with it.
        for row in document["cases"]:
            self._check_emulation(name, bool(row.get("emulated")))
        for other in self.runs:
            self._check_run(name, run, other)
        self.runs.append({**run, "name": name})
        for artifact in document["artifacts"]:
            self._admit_artifact(name, artifact)
        for skip in document["skips"]:
            self.skips.setdefault(json.dumps(skip, sort_keys=True), skip)

    def _check_run(self, name: str, run: Document, other: Document) -> None:
        mine, others = (str(item["protocol"]).split(".")[0] for item in (run, other))
        if mine != others:
            raise InferometerError(
                f"protocol {run['protocol']} in {name} but {other['protocol']} in {other['name']}; "
                "run one of them again with the same suite"
            )
        if run["device"] == other["device"] and not _same_machine(run, other):
            raise InferometerError(
                f"device {run['device']} is one machine in {name} and another in {other['name']}; "
                "merge runs of one machine, or give one of them a device profile of its own"
            )

    def _admit_artifact(self, name: str, artifact: Document) -> None:
        missing = [field for field in _ARTIFACT_FIELDS if field not in artifact]
        if missing:
            raise InferometerError(f"{name}: an artifact has no {', '.join(missing)}; make the file again")
        model, variant, batch, format_ = key = tuple(artifact[field] for field in _ARTIFACT_FIELDS[:4])
        content, runs = self.artifacts.setdefault(key, (artifact, []))
        if content["sha256"] != artifact["sha256"]:
            mine, others = str(artifact["sha256"])[:12], str(content["sha256"])[:12]
            raise InferometerError(
                f"{model}/{variant}/b{batch} in {format_} is artifact {mine} in {name} "
                f"but {others} in {runs[0]}; run both from the same exported files"
            )
        runs.append(name)

    def admit_case(self, name: str, position: int, row: Document) -> None:
        try:
            case = Case.from_json(row["case"]).id
        except (KeyError, TypeError, AttributeError) as problem:
            raise InferometerError(
                f"{name}: field cases[{position}].case is no case ({problem!r}); make the file again"
            ) from None
        if case in self._cases:
            raise InferometerError(
                f"case {case} is in {self._cases[case]} and in {name}; merge only one of them"
            )
        self._cases[case] = name

    def _check_emulation(self, name: str, emulated: bool) -> None:
        first, where = self._emulated = self._emulated or (emulated, name)
        if emulated is not first:
            under, real = (name, where) if emulated else (where, name)
            raise InferometerError(
                f"{under} ran under emulation and {real} did not: their speeds cannot be compared; "
                "merge emulated runs among themselves"
            )


def _same_machine(one: Document, other: Document) -> bool:
    """By the machine's id where both have one, else by the facts of their headings."""
    if one["machine"] is not None and other["machine"] is not None:
        return bool(one["machine"] == other["machine"])
    return bool(one["host"] == other["host"])
