"""Measured tables of any kind as candidates to choose from: a study's report, a run, a comparison."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.domain import Case, InferometerError
from orchestrator.report.document import load
from orchestrator.study.card import BASELINE
from orchestrator.study.limits import Candidate
from orchestrator.study.rows import peak

SCHEMA = 1
REPORT = "report.json"


def newest(results: Path) -> Path:
    """The newest finished study below a results folder. Raises InferometerError if there is none."""
    found = sorted(results.glob(f"study-*/{REPORT}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise InferometerError(f"{results}: holds no study yet; run one, or name a results folder")
    return found[-1].parent


def read_report(path: Path) -> dict[str, Any]:
    """A study's ``report.json``. Raises InferometerError naming the file and what is wrong."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as problem:
        raise InferometerError(f"{path}: cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise InferometerError(f"{path}: no JSON ({problem}); restore it from a copy") from None
    if not isinstance(document, dict) or "study" not in document:
        raise InferometerError(f"{path}: is no study's report; give a study's results folder")
    if document.get("schema") != SCHEMA:
        raise InferometerError(
            f"{path}: field schema is {document.get('schema')!r}, this version reads {SCHEMA}"
        )
    return document


def read(path: Path) -> list[Candidate]:
    """Every measured case of a results folder or file. Raises InferometerError if none was measured."""
    report = path / REPORT if path.is_dir() else path
    if report.name == REPORT and report.exists():
        found = list(of_study(read_report(report)))
    else:
        found = of_summary(load(path))
    if not found:
        raise InferometerError(f"{path}: nothing was measured in it, so nothing can be recommended")
    return found


def of_study(document: Mapping[str, Any]) -> Iterator[Candidate]:
    """The candidates of a study's report."""
    for row in document["rows"]:
        for one in row["measured"]:
            base = _baseline(document, row["model"], one)
            yield _candidate(row["model"], row["variant"], one, base)


def _baseline(document: Mapping[str, Any], model: str, one: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for row in document["rows"]:
        if (row["model"], row["variant"]) == (model, BASELINE):
            for other in row["measured"]:
                if all(other[name] == one[name] for name in ("device", "label", "threads")):
                    return dict(other)
    return None


def _candidate(model: str, variant: str, one: Mapping[str, Any], base: Mapping[str, Any] | None) -> Candidate:
    accuracy = share(one["accuracy"])
    before = share(base["accuracy"]) if base else None
    why = one["reason"]
    if not why and one["verdict"] == "invalid":
        why = f"its measurement is invalid ({', '.join(one['findings'])})"
    return Candidate(
        model,
        variant,
        one["label"],
        one["device"],
        accuracy,
        None if accuracy is None or before is None else 100 * (before - accuracy),
        one["bytes"],
        one["deflated_bytes"],
        None if one["emulated"] else one["p50_ns"],  # an emulator's is no speed of any device
        None if one["emulated"] else one["high_ns"],
        one["peak_bytes"],
        why,
    )


def share(score: Mapping[str, int] | None) -> float | None:
    """Right answers of all, 0 to 1; None where nothing was scored."""
    return score["correct"] / score["total"] if score and score["total"] else None


def of_summary(document: Mapping[str, Any]) -> list[Candidate]:
    """The candidates of a run's summary or of a merged comparison."""
    bases = {_place(row["case"]): row for row in document["cases"] if row["case"]["variant"] == BASELINE}
    return [
        _candidate(
            row["case"]["model"],
            row["case"]["variant"],
            _of_row(row),
            _of_row(bases[_place(row["case"])]) if _place(row["case"]) in bases else None,
        )
        for row in document["cases"]
    ]


def _place(case: Mapping[str, Any]) -> str:
    return Case.from_json({**case, "variant": BASELINE}).id


def _of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    case, artifact, interval = row["case"], row.get("artifact") or {}, row["interval"] or {}
    return {
        "label": Case.from_json(case).runtime_label,
        "device": case["device"],
        "accuracy": row["accuracy"],
        "bytes": row["artifact_bytes"],
        "deflated_bytes": artifact.get("deflated_bytes"),
        "p50_ns": row["p50_ns"],
        "high_ns": interval.get("high_ns"),
        "peak_bytes": peak(row)[0],
        "emulated": row["emulated"],
        "verdict": row["verdict"],
        "findings": [finding["code"] for finding in row["findings"]],
        "reason": row["failure"],
    }
