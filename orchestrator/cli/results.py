"""``inferometer run-status``, ``report`` and ``merge``: what is in results folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

_SHOWN = 500  # cases; a longer table is for files, not for a terminal
_FOLDER = click.Path(path_type=Path)


@click.command("run-status", short_help="Say how far a bench is.")
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def run_status(folder: Path, as_json: bool) -> None:
    """Say how far a bench is: from another terminal, without touching the measurement.

    \b
    Example:
      inferometer run-status results/20261120T201500Z-x86-4711
    """
    from orchestrator.report.document import progress
    from orchestrator.store import Run

    state = progress(Run.open(folder))
    if as_json:
        click.echo(json.dumps(state, indent=1))
        return
    click.echo(f"{state['done']} of {state['planned']} trials, {state['failed']} failed, {state['state']}")
    if state["last"]:
        click.echo(f"last: {state['last']}")


@click.command(short_help="Print results again: table, json, csv, md, html.")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "md", "html"]),
    default="table",
    show_default=True,
)
def report(folder: Path, format_: str) -> None:
    """Print the results of a run or of a merged comparison, computed again from raw data.

    \b
    Examples:
      inferometer report results/DIR
      inferometer report results/DIR --format csv > table.csv
      inferometer report results/DIR --format html > report.html
    """
    from orchestrator.report.document import load

    document = load(folder)
    if format_ == "html":
        _print_page(document, folder)
    else:
        _print(document, format_)


def _print_page(document: dict[str, Any], source: Path) -> None:
    from orchestrator.report import page

    click.echo(page.render(document, source if source.is_dir() else None), nl=False)


def _print(document: dict[str, Any], format_: str) -> None:
    from orchestrator.report import comma, markdown
    from orchestrator.report.terminal import show

    if format_ == "table":
        show(document)
    elif format_ == "json":
        click.echo(json.dumps(document, indent=1, sort_keys=True))
    else:
        click.echo({"csv": comma, "md": markdown}[format_].render(document), nl=False)


@click.command(short_help="Join the results of several machines.")
@click.argument("folders", nargs=-1, required=True, type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The comparison's file, e.g. comparison.json.")
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv", "md"]), default="table")
def merge(folders: tuple[Path, ...], out: Path, format_: str) -> None:
    """Join the results folders of several machines into one comparison.

    Conflicts are refused by name: the same case measured twice, one device id on two machines, one
    model with two artifacts.

    \b
    Example:
      inferometer merge results/pi5 results/nuc --out comparison.json
    """
    from orchestrator.report.document import load, merge_folders

    total = merge_folders(folders, out)
    if total <= _SHOWN:
        _print(load(out), format_)
    else:
        click.echo(f"{total} cases; inferometer report {out} --format csv prints them")
    click.echo(str(out))
