"""The summary document (``summary.json``): written, checked and read. Its schema is ``summary.schema.json``.

``{"schema", "run", "artifacts", "cases", "skips"}``: everything a report needs. Cases are
:class:`CaseSummary` as JSON objects; a merged comparison has ``runs`` in place of ``run``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator import shape
from orchestrator.domain import (
    Case,
    CaseEnergy,
    CaseSummary,
    Execution,
    Finding,
    InferometerError,
    Interval,
    Minute,
    MlperfResult,
    Note,
    Parity,
    Part,
    PowerCourse,
    Quantile,
    Roofline,
    Scatter,
    Score,
    Severity,
    Size,
    Skip,
    SpeedMode,
    Sustained,
    Verdict,
)
from orchestrator.migrations import SCHEMA, current

RUN_FIELDS = (
    "name",
    "suite",
    "protocol",
    "created_utc",
    "device",
    "machine",
    "host",
    "engines",
    "seed",
    "quick",
    "findings",
)
OPTIONAL = (  # not in older runs
    "observer",
    "isolation",
    "power",
    "versions",
    "reproduces",
    "processor",
    "scenario",
    "budget",
    "ceilings",
)


def summary_document(
    run: Mapping[str, Any],
    cases: Iterable[CaseSummary],
    artifacts: Iterable[Mapping[str, Any]],
    skips: Iterable[Skip],
) -> dict[str, Any]:
    """The content of ``summary.json``.

    ``run`` holds RUN_FIELDS: ``name`` of the results folder; versions ``suite`` and ``protocol``;
    ``created_utc``; ``device`` id; ``machine``, an opaque stable id or None; ``host``, short facts for
    the heading (text or None); ``engines``; ``seed``; ``quick``; ``findings`` of the run as a whole; and
    ``observer``, what watching costs, ``isolation``, how the machine was set, ``power``, which sources
    of it answered, ``versions`` of the runtimes, ``processor``, what its cores can do, ``scenario``, what was
    asked for by that name, ``budget``, what became of one, ``ceilings``, what each container could do at
    most, where they are known; and ``reproduces``, the run whose plan it repeats.
    An artifact is ``{model, variant, batch, format, sha256, bytes, weights}``. Raises ValueError on a
    missing field.
    """
    missing = [name for name in RUN_FIELDS if name not in run]
    if missing:
        raise ValueError(f"the run's header has no {', '.join(missing)}")
    document = {
        "schema": SCHEMA,
        "run": {name: run.get(name) for name in (*RUN_FIELDS, *OPTIONAL)},
        "artifacts": sorted(
            (dict(item) for item in artifacts), key=lambda item: json.dumps(item, sort_keys=True)
        ),
        "cases": [case.to_json() for case in sorted(cases, key=lambda case: case.case.id)],
        "skips": [{"case": skip.case.to_json(), "reason": skip.reason} for skip in skips],
    }
    plain: dict[str, Any] = json.loads(json.dumps(document))  # tuples and enums as a reader will see them
    return plain


def read_document(name: str, text: str | bytes) -> dict[str, Any]:
    """A summary document or a merged comparison, whatever schema it was written in, in today's.

    Raises InferometerError naming ``name`` and the field.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InferometerError(
            f"{name}: not JSON ({problem}); restore it, or delete it and make it again"
        ) from None
    if not isinstance(document, Mapping):
        raise InferometerError(f"{name}: not a JSON object; expected a summary document")
    found = current("summary", name, document)
    wrong = (
        shape.problem("merged", text, found) or _stray(found)
        if "runs" in found
        else shape.problem("summary", text, found)
    )
    if wrong:
        raise InferometerError(f"{name}: {wrong}; restore the file from a copy, or make it again")
    return found


def _stray(comparison: Mapping[str, Any]) -> str | None:
    """The first row whose run is none of the comparison's."""
    names = {run["name"] for run in comparison["runs"]}
    for position, row in enumerate(comparison["cases"]):
        if row["run"] not in names:
            return f"field cases[{position}].run is {json.dumps(row['run'])}, and no run here has that name"
    return None


def check_document(name: str, document: object) -> None:
    """Refuse what is no document of today's schema; its fields were checked by whoever read it.

    Raises InferometerError naming the file.
    """
    if not isinstance(document, Mapping):
        raise InferometerError(f"{name}: not a JSON object; expected a summary document")
    if document.get("schema") != SCHEMA:
        raise InferometerError(
            f"{name}: field schema is {document.get('schema')!r}, not {SCHEMA}; read it from its file"
        )


def runs_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The headers of the runs a document describes: one, or several in a merged comparison."""
    runs: Sequence[Mapping[str, Any]] = document["runs"] if "runs" in document else [document["run"]]
    return runs


def case_summary(data: Mapping[str, Any]) -> CaseSummary:
    """The inverse of :meth:`CaseSummary.to_json`. Raises InferometerError naming the field."""

    def build(kind: Any, value: Any) -> Any:
        return None if value is None else kind(**value)

    fields = {name: value for name, value in data.items() if name != "run"}  # which run: merged ones only
    try:
        return CaseSummary(
            **{
                **fields,
                "case": Case.from_json(fields["case"]),
                "verdict": Verdict(fields["verdict"]),
                "findings": tuple(
                    Finding(**{**item, "severity": Severity(item["severity"])}) for item in fields["findings"]
                ),
                "interval": build(Interval, fields["interval"]),
                "p90": Quantile(**fields["p90"]),
                "p99": Quantile(**fields["p99"]),
                "accuracy": build(Score, fields["accuracy"]),
                "parity": build(Parity, fields["parity"]),
                "launch_p50_ns": tuple(fields["launch_p50_ns"]),
                "parts": tuple(Part(**part) for part in fields["parts"]),
                "energy": tuple(CaseEnergy(**figure) for figure in fields.get("energy", ())),
                "sustained": _sustained(fields.get("sustained")),
                "artifact": build(Size, fields.get("artifact")),
                "execution": build(Execution, fields.get("execution")),
                "notes": tuple(Note(**note) for note in fields.get("notes", ())),
                "roofline": build(Roofline, fields.get("roofline")),
                "mlperf": _mlperf(fields.get("mlperf")),
                "modes": tuple(SpeedMode(**mode) for mode in fields.get("modes", ())),
                "scatter": _scatter(fields.get("scatter")),
            }
        )
    except (KeyError, TypeError, ValueError) as problem:
        case = data.get("case")
        raise InferometerError(f"case {case}: not a summary of this version ({problem!r})") from None


def _mlperf(data: Mapping[str, Any] | None) -> MlperfResult | None:
    return None if data is None else MlperfResult(**{**data, "reasons": tuple(data["reasons"])})


def _scatter(data: Mapping[str, Any] | None) -> Scatter | None:
    return None if data is None else Scatter(**{**data, "p999": Quantile(**data["p999"])})


def _sustained(data: Mapping[str, Any] | None) -> Sustained | None:
    if data is None:
        return None
    return Sustained(
        **{
            **data,
            "minutes": tuple(Minute(**minute) for minute in data["minutes"]),
            "power": tuple(PowerCourse(**{**one, "mean_w": tuple(one["mean_w"])}) for one in data["power"]),
        }
    )
