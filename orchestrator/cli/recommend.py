"""``inferometer recommend``: what a measured table says about a user's limits."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

NONE_QUALIFIES = 3


def _points(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    if value is None or 0 <= value <= 100:  # not click.FloatRange: nan passes it
        return value
    raise click.BadParameter(f"{value:g}: give points from 0 to 100")


@click.command(short_help="Name the variants within your limits, and the Pareto set.")
@click.argument("results", required=False, type=click.Path(path_type=Path))
@click.option("--max-accuracy-drop", "drop", type=float, callback=_points, help="Points below nq, e.g. 1.")
@click.option("--max-size", "size", help="Of the file, e.g. 5MB (10^6) or 5MiB (2^20).")
@click.option("--max-latency", "latency", help="Median, e.g. 20ms, 1.5s or 800us.")
@click.option("--max-memory", "memory", help="Peak during inference, e.g. 200MB.")
@click.option("--runtime", help="Only what was measured in this one, e.g. tflite.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def recommend(
    results: Path | None,
    drop: float | None,
    size: str | None,
    latency: str | None,
    memory: str | None,
    runtime: str | None,
    as_json: bool,
) -> None:
    """Name the variants of a measured table that are within limits, why others are not, and the Pareto set.

    RESULTS is a study's folder, a bench's folder or a merged comparison; left out, the newest study.
    Exit status 0: some qualify; 3: none does, and the nearest miss is named; 2: refused.

    \b
    Examples:
      inferometer recommend --max-accuracy-drop 1 --max-size 5MB --max-latency 20ms
      inferometer recommend results/study-dlmo-full-rpi5-... --max-memory 200MB --runtime tflite
    """
    from orchestrator.bench import RESULTS
    from orchestrator.study import candidates, limits
    from orchestrator.study.recommend import advise, lines, to_json

    most = limits.Limits(
        drop,
        limits.size_bytes(size) if size else None,
        limits.time_ns(latency) if latency else None,
        limits.size_bytes(memory) if memory else None,
    )
    folder = results or candidates.newest(RESULTS)
    advice = advise(candidates.read(folder), most, runtime)
    if as_json:
        click.echo(json.dumps(to_json(advice, most), indent=1))
    else:
        click.echo("\n".join([f"{folder}", *lines(advice, most)]))
    sys.exit(0 if advice.qualifying else NONE_QUALIFIES)
