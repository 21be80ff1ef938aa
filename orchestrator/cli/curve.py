"""``inferometer curve``: the picture of a sustained case."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Draw a sustained case minute by minute (SVG).")
@click.argument("results", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="The picture's file; default: curve.svg in the folder."
)
@click.option(
    "--case", "wanted", default="", metavar="TEXT", help="Part of the case's id, where there are several."
)
def curve(results: Path, out: Path | None, wanted: str) -> None:
    """Draw latency, clock and temperature of a bench with --sustained over its minutes.

    \b
    Examples:
      inferometer curve results/DIR
      inferometer curve results/DIR --case tflite --out tflite.svg
    """
    from orchestrator.files import write_atomic
    from orchestrator.report.curve import chosen, render
    from orchestrator.report.document import load
    from orchestrator.verify.manifest import refresh

    row = chosen(load(results), wanted)
    path = out or (results if results.is_dir() else results.parent) / "curve.svg"
    write_atomic(path, render(row.summary, row.run).encode())
    if results.is_dir():
        refresh(results)
    click.echo(str(path))
