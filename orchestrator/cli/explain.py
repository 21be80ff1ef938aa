"""``inferometer explain``: what the figures of a run show, each with its evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.command(short_help="Say what a run's figures show, with the evidence.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--case", "part", default="", help="Cases with this in their id, e.g. tflite/resnet50.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def explain(folder: Path, part: str, as_json: bool) -> None:
    """Say in plain sentences what the figures of a run show, each with its evidence.

    int8 that is not faster, fp16 computed in fp32, nodes that ran elsewhere, threads that do not help,
    memory or arithmetic as the limit and how near it is, heat, other programs, the instrument's own cost.

    \b
    Examples:
      inferometer explain results/DIR
      inferometer explain results/DIR --case tflite/mobilenet-v2/fiq --json
    """
    from orchestrator.report.document import load
    from orchestrator.report.explained import case_lines, of_cases

    rows = of_cases(load(folder), part)
    click.echo(_json(rows) if as_json else "\n".join(line for row in rows for line in case_lines(row)))


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=1, sort_keys=True)
