"""``report.csv``: one line a network, variant and runtime in raw units, for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.report.cells import plain

COLUMNS = (
    "study",
    "scale",
    "model",
    "network",
    "data",
    "variant",
    "device",
    "runtime",
    "accelerator",
    "options",
    "threads",
    "format",
    "float_accuracy_correct",
    "float_accuracy_total",
    "accuracy_correct",
    "accuracy_total",
    "bytes",
    "deflated_bytes",
    "parameters",
    "nonzero_parameters",
    "macs",
    "unique_weights",
    "unique_weights_factor",
    "p50_ns",
    "low_ns",
    "high_ns",
    "peak_bytes",
    "peak_kind",
    "epochs",
    "epochs_done",
    "emulated",
    "verdict",
    "findings",
    "reason",
)


def render(document: Mapping[str, Any]) -> str:
    """CSV (RFC 4180) with a header line; an empty field is unknown, ``reason`` says why a row failed."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, restval="", extrasaction="ignore")
    writer.writeheader()
    for row in document["rows"]:
        for fields in _lines(row):
            full = {**fields, "study": document["study"]["id"], "scale": document["scale"] or "full"}
            writer.writerow({name: "" if value is None else value for name, value in full.items()})
    return stream.getvalue()


def _lines(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    accuracy, training = row["accuracy"] or {}, row["training"] or {}
    common = {
        **row,
        "float_accuracy_correct": accuracy.get("correct"),
        "float_accuracy_total": accuracy.get("total"),
        "epochs": training.get("epochs"),
        "epochs_done": training.get("epochs_done"),
    }
    for one in row["measured"]:
        score = one["accuracy"] or {}
        yield {
            **common,
            **one,
            "options": " ".join(f"{name}={value}" for name, value in sorted(one["options"].items())),
            "accuracy_correct": score.get("correct"),
            "accuracy_total": score.get("total"),
            "emulated": str(one["emulated"]).lower(),
            "findings": " ".join(one["findings"]),
            "reason": plain(one["reason"]) if one["reason"] else None,
        }
    if not row["measured"]:
        yield {**common, "reason": plain(row["failure"] or "was not run")}
