"""What was made and measured, joined: one row a network and variant, with every runtime that ran it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from orchestrator.domain import Case

Key = tuple[str, str]  # model id, variant


def rows(
    keys: Iterable[Key],
    made: Mapping[Key, Mapping[str, Any] | str],
    summary: Mapping[str, Any] | None,
    formats: Mapping[str, Sequence[str]],
    planned: Collection[str],
) -> list[dict[str, Any]]:
    """JSON objects valid under ``schemas/study.schema.json``, in the order of ``keys``.

    ``made``: the manifest of each export, or the reason there is none; ``summary``: the bench's summary
    document; ``formats``: by runtime, those it loads; ``planned``: ids of the cases that no launch was
    planned of, because a runtime cannot run them.
    """
    found = []
    for model, variant in keys:
        manifest = made.get((model, variant), "was not exported")
        failure = manifest if isinstance(manifest, str) else None
        facts = {} if isinstance(manifest, str) else manifest
        network, _, rest = model.partition("@")
        found.append(
            {
                "model": model,
                "network": network.partition("~")[0],
                "data": rest.partition("~")[0] or None,
                "variant": variant,
                "failure": failure,
                "accuracy": facts.get("accuracy"),
                **{name: facts.get(name) for name in ("parameters", "nonzero_parameters", "macs")},
                **_unique(facts),
                "training": facts.get("training"),
                "techniques": facts.get("techniques", []),
                "measured": _measured(model, variant, facts, summary, formats, planned),
            }
        )
    return found


def _unique(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Distinct values summed over the clustered tensors, and how many times fewer than before."""
    for technique in facts.get("techniques", []):
        if technique["code"] == "wcl":
            told = technique["facts"]
            return {
                "unique_weights": told.get("unique_after"),
                "unique_weights_factor": told.get("reduction"),
            }
    return {"unique_weights": None, "unique_weights_factor": None}


def _measured(
    model: str,
    variant: str,
    facts: Mapping[str, Any],
    summary: Mapping[str, Any] | None,
    formats: Mapping[str, Sequence[str]],
    planned: Collection[str],
) -> list[dict[str, Any]]:
    if summary is None:
        return []
    found = [
        _case(row, _file(facts, formats.get(row["case"]["runtime"], ())))
        for row in summary["cases"]
        if (row["case"]["model"], row["case"]["variant"]) == (model, variant)
    ]
    found += [
        {
            **_nothing(skip["case"]),
            "reason": skip["reason"],
            "planned": Case.from_json(skip["case"]).id not in planned,
        }
        for skip in summary["skips"]
        if (skip["case"]["model"], skip["case"]["variant"]) == (model, variant)
    ]
    return found


def _file(facts: Mapping[str, Any], formats: Sequence[str]) -> Mapping[str, Any]:
    """The artifact a runtime loads: the first of its formats that was made, as a bench chooses it."""
    made = {item["format"]: item for item in facts.get("artifacts", [])}
    return next((made[name] for name in formats if name in made), {})


def _nothing(case: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: case[name] for name in ("device", "runtime", "accelerator", "options", "threads")},
        "label": Case.from_json(case).runtime_label,
        "format": None,
        "bytes": None,
        "deflated_bytes": None,
        "accuracy": None,
        "p50_ns": None,
        "low_ns": None,
        "high_ns": None,
        "peak_bytes": None,
        "peak_kind": None,
        "emulated": False,
        "verdict": None,
        "findings": [],
        "reason": None,
        "planned": True,
    }


def peak(row: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """Peak memory during inference in bytes, and of what: the process, else its container.

    The container's counts the pages of files for whichever launch read them first, so that two launches of
    one file differ by more than two variants do.
    """
    if row["inference_vm_hwm_bytes"] is not None:
        return row["inference_vm_hwm_bytes"], "process"
    value = row["inference_container_peak_bytes"]
    return value, None if value is None else "container"


def _case(row: Mapping[str, Any], file: Mapping[str, Any]) -> dict[str, Any]:
    interval, (peak_bytes, kind) = row["interval"] or {}, peak(row)
    return {
        **_nothing(row["case"]),
        "format": file.get("format"),
        "bytes": file.get("bytes", row["artifact_bytes"]),
        "deflated_bytes": file.get("deflated_bytes"),
        "accuracy": row["accuracy"],
        "p50_ns": row["p50_ns"],
        "low_ns": interval.get("low_ns"),
        "high_ns": interval.get("high_ns"),
        "peak_bytes": peak_bytes,
        "peak_kind": kind,
        "emulated": row["emulated"],
        "verdict": row["verdict"],
        "findings": [finding["code"] for finding in row["findings"]],
        "reason": row["failure"],
    }
