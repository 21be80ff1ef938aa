"""``inferometer cite``: how a results folder is cited, and by whose name."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Print how a run is cited; name its authors.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--author", "names", multiple=True, metavar="NAME", help="'Family, Given', or a group's name. Repeatable."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def cite(folder: Path, names: tuple[str, ...], as_json: bool) -> None:
    """Print a finished run as BibTeX and as a sentence; with --author write its CITATION.cff anew.

    \b
    Examples:
      inferometer cite results/DIR
      inferometer cite results/DIR --author 'Lovelace, Ada' --author 'Analytical Engine Group'
    """
    from orchestrator.verify.cite import cite

    told = cite(folder, names)
    click.echo(json.dumps(told, indent=1) if as_json else f"{told['bibtex']}\n\n{told['text']}")
    if not told["authors"]:
        click.echo("no author is named; add yours: --author 'Family, Given'", err=True)
