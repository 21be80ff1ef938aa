"""``inferometer study``: a published comparison redone with one command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.bench import listed


@click.command(short_help="Redo a published comparison; list them.")
@click.argument("name", required=False)
@click.option("--scale", type=click.Choice(["smoke"]), help="smoke: the whole way in minutes, on digits.")
@click.option("--budget", help="Time for all of it, like 2h: trainings end early and say so.")
@click.option("--device", default="", help="Device id; left out, this machine is recognised.")
@click.option("--models", default="", callback=listed, help="Only these networks of the study.")
@click.option("--variants", default="", callback=listed, help="Only these variants (and nq).")
@click.option("--runtimes", default="", callback=listed, help="Only these runtimes of the study.")
@click.option("--data", default="", callback=listed, help="Data in place of the study's own.")
@click.option("--engine", type=click.Choice(["auto", "docker", "process"]), default="auto")
@click.option("--host", help="ssh://user@board: train and export here, measure there.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where data sets lie already (DATA_DIR).")
@click.option("--plan", "as_plan", is_flag=True, help="Show the steps; do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def study(name: str | None, as_json: bool, **given: Any) -> None:
    """Train, compress, export, bench and report what a paper did, in its layout, its figures beside ours.

    An interrupted study goes on when the same command is given again: finished trainings, exports and
    trials are kept. Exit status 0: every row has its figures; 3: some have a reason instead; 2: refused.

    \b
    Examples:
      inferometer study                                the studies there are
      inferometer study dlmo --scale smoke             the whole way in minutes; compares to nothing
      inferometer study dlmo --plan
      inferometer study qat-edge --budget 12h --data-dir ~/data
      inferometer study boards --device rpi5 --host ssh://pi@raspberrypi.local
      inferometer study boards --data imagenet --data-dir ~/data     with its accuracy table
    """
    if name is None:
        _list(as_json)
    elif given["as_plan"]:
        _plan(name, given, as_json)
    else:
        sys.exit(_perform(name, given, as_json))


def _list(as_json: bool) -> None:
    from orchestrator.catalog import suite_root
    from orchestrator.study.reading import read_all

    found = read_all(suite_root())
    if as_json:
        entries = [
            {
                "study": item.id,
                "title": item.title,
                "paper": str(item.citation),
                "published": len(item.published),
            }
            for item in found.values()
        ]
        click.echo(json.dumps(entries, indent=1))
        return
    for item in found.values():
        at_hand = f"{len(item.published)} published values" if item.published else item.need()
        click.echo(f"{item.id}: {item.title}\n  {item.citation}\n  {at_hand}")


def _way(name: str, given: dict[str, Any]) -> Any:
    from orchestrator.catalog import Catalog, suite_root
    from orchestrator.study import reading, steps

    if given["data_dir"]:
        os.environ["DATA_DIR"] = str(given["data_dir"])
    catalog = Catalog(suite_root())
    found = reading.find(catalog.root, name)
    reading.check(found, catalog)
    request = steps.Request(
        given["scale"],
        given["models"],
        given["variants"],
        given["runtimes"],
        given["device"],
        steps.seconds(given["budget"]) if given["budget"] else None,
        given["engine"],
        given["host"],
        given["data"],
    )
    return catalog, request, steps.way(found, request, catalog)


def _plan(name: str, given: dict[str, Any], as_json: bool) -> None:
    from orchestrator.study import steps

    _, _, way = _way(name, given)
    click.echo(json.dumps(steps.to_json(way), indent=1) if as_json else "\n".join(steps.lines(way)))


def _perform(name: str, given: dict[str, Any], as_json: bool) -> int:
    from orchestrator.artifacts import cache_root
    from orchestrator.cli.perform import interrupt
    from orchestrator.cli.progress import watcher
    from orchestrator.study import perform, terminal, words

    catalog, request, way = _way(name, given)
    signal.signal(signal.SIGTERM, interrupt)
    with watcher() as watching:
        try:
            place = perform.prepare(catalog, cache_root(), request, way.models, watching.say)
            folder, document = perform.perform(place, way, request, watching)
        except KeyboardInterrupt:
            click.echo("interrupted; the same command goes on, what is finished is kept", err=True)
            return 130
    if as_json:
        click.echo(json.dumps(document, indent=1, sort_keys=True))
    else:
        width = max(40, shutil.get_terminal_size((120, 24)).columns)
        click.echo("\n".join(terminal.render(document, width)))
        click.echo(str(folder))
    return 3 if words.failures(document) else 0
