"""The study's document (``report.json``): all that its tables, figures and advice are made from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from orchestrator.study.candidates import SCHEMA, share
from orchestrator.study.gain import gain
from orchestrator.study.rows import Key, rows
from orchestrator.study.steps import Way

Manifests = Mapping[Key, Mapping[str, Any] | str]  # by (model id, variant); a string: why there is none


def build(
    way: Way,
    made: Manifests,
    repeated: Mapping[int, Manifests],
    summary: Mapping[str, Any] | None,
    formats: Mapping[str, Sequence[str]],
    planned: Collection[str],
) -> dict[str, Any]:
    """A JSON object valid under ``schemas/study.schema.json``.

    ``made``: exports of the tables (seed 0); ``repeated``: by seed those of repeated trainings;
    ``summary``: the bench's summary document, None where nothing could be benched; ``planned``: ids of
    cases of which no launch was planned.
    """
    study = way.study
    settings = summary["run"] if summary else None
    return {
        "schema": SCHEMA,
        "study": {
            "id": study.id,
            "title": study.title,
            "file": "/".join(study.path.parts[-3:]),
            "citation": {
                "text": str(study.citation),
                "parts": study.citation.parts,
                "doi": study.citation.doi,
            },
            "devices": list(study.devices),
            "runtimes": list(way.runtimes),
            "tables": [_lists(asdict(table)) for table in study.tables],
            "figures": [asdict(figure) for figure in study.figures],
            "published": [asdict(value) for value in study.published],
        },
        "scale": way.scale,
        "data": list(way.data),
        "launches": max((row["launches"] for row in summary["cases"]), default=0) if summary else 0,
        "run": settings,
        "rows": rows(way.keys(), made, summary, formats, planned),
        "gains": _gains(way, made, repeated),
    }


def _lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


def _gains(way: Way, made: Manifests, repeated: Mapping[int, Manifests]) -> list[dict[str, Any]]:
    repeats = way.study.repeats
    if repeats is None:
        return []
    every = {0: made, **repeated}
    found = []
    for model in dict.fromkeys(step.model for step in way.repeated):
        pairs = [
            (seed, _accuracy(of_seed, model, repeats.variant), _accuracy(of_seed, model, repeats.against))
            for seed, of_seed in sorted(every.items())
        ]
        found.append(gain(model, repeats.variant, repeats.against, pairs))
    return found


def _accuracy(made: Manifests, model: str, variant: str) -> float | None:
    manifest = made.get((model, variant))
    if manifest is None or isinstance(manifest, str):
        return None
    return share(manifest.get("accuracy"))
