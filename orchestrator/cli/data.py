"""``inferometer data``: which data sets there are, where they lie, and fetching them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from orchestrator import data as store
from orchestrator.artifacts import cache_root
from orchestrator.catalog import Catalog, suite_root
from orchestrator.cli.catalog import print_table


@click.command(short_help="List the data sets; fetch them.")
@click.option("--fetch", "names", default="", help="Fetch these now, comma-separated.")
@click.option(
    "--data-dir", envvar="DATA_DIR", type=click.Path(path_type=Path), help="Your data.  [env: DATA_DIR]"
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def data(names: str, data_dir: Path | None, as_json: bool) -> None:
    """List the data sets and where they lie; with --fetch, download and verify them now.

    \b
    A folder of class folders, a .zip of them or a .npz (inputs, labels) in DATA_DIR needs no card.
    Examples:
      inferometer data --fetch cifar10,cifar100
      inferometer data --data-dir ~/data
    """
    folder = data_dir.expanduser().absolute() if data_dir else None
    reasons = [_fetch(name, folder) for name in filter(None, names.split(","))]
    print_table([_state(name, folder) for name in store.ids(suite_root(), folder)], as_json)
    failed = [reason for reason in reasons if reason]
    for reason in failed:
        click.echo(f"inferometer: {reason}", err=True)
    if failed:
        raise click.exceptions.Exit(2)


def _fetch(name: str, folder: Path | None) -> str | None:
    _, reason = store.fetch(suite_root(), cache_root(), name, folder, lambda text: click.echo(text, err=True))
    return reason


def _state(name: str, folder: Path | None) -> dict[str, Any]:
    card = Catalog(suite_root()).data().get(name)
    found: Path | None = None
    if card is None:
        found, _ = store.fetch(suite_root(), cache_root(), name, folder, lambda text: None)
        return {
            "data": name,
            "title": None,
            "classes": None,
            "state": "yours",
            "path": _text(found),
            "licence": None,
        }
    found = store.lies_at(cache_root(), card, folder)
    size = sum(file.bytes or 0 for file in card.files)
    state = "to download" + (f", {size / 1e6:.3g} MB" if size else "") if card.files else "to get by hand"
    if card.bundled or found:
        state = "bundled" if card.bundled else "here"
    return {
        "data": name,
        "title": card.title,
        "classes": card.classes,
        "state": state,
        "path": _text(found) or (None if card.bundled else card.homepage),
        "licence": card.licence,
    }


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
