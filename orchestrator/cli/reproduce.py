"""``inferometer reproduce``: the same plan, images and artifacts once more, on this machine."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.bench import listed

if TYPE_CHECKING:
    from orchestrator.compare import Comparison
    from orchestrator.reproduce.perform import Ready


@click.command(short_help="Measure a run again and compare.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--results", type=click.Path(path_type=Path), help="Exactly this new folder.")
@click.option("--dry-run", is_flag=True, help="Say what would run and what differs; measure nothing.")
@click.option(
    "--allow", default="", callback=listed, metavar="KINDS", help="What may differ: device, image, artifact."
)
@click.option("--host", metavar="URL", help="ssh://user@board, for a run that was measured there.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def reproduce(**given: Any) -> None:
    """Measure the plan of a results folder again: same cases, order, launches, images and artifacts.

    What is not the same here is refused by name with its fix, or allowed with --allow and told in the new
    run's header. Ends with the comparison of both, as inferometer compare prints it.

    \b
    Examples:
      inferometer reproduce results/DIR --dry-run
      inferometer reproduce results/DIR --allow image
    """
    sys.exit(_perform(given))


def _perform(given: Mapping[str, Any]) -> int:
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root, user_models
    from orchestrator.cli.perform import interrupt
    from orchestrator.cli.progress import watcher
    from orchestrator.plan import known
    from orchestrator.reproduce import means, perform
    from orchestrator.session import exit_code

    known("kind to --allow", given["allow"], means.KINDS)
    catalog, cache = Catalog(suite_root(), own=user_models()), cache_root()
    signal.signal(signal.SIGTERM, interrupt)
    with watcher() as watching:
        export = None if given["dry_run"] else watching.say
        ready = perform.look(catalog, cache, given["folder"], given["results"], given["host"], export)
        if given["dry_run"]:
            click.echo(_preview(ready, given["as_json"]))
            means.refuse(ready.differs, given["allow"])
            return 0
        try:
            run, session, comparison = perform.reproduce(catalog, cache, ready, given["allow"], watching)
        except KeyboardInterrupt:
            click.echo("interrupted; the same command resumes, every finished trial is kept", err=True)
            return 130
    _show(comparison, ready, given["as_json"], run.folder)
    return exit_code(list(run.records()), session.skips)


def _preview(ready: Ready, as_json: bool) -> str:
    trials, differs = ready.order.trials, ready.differs
    if as_json:
        told = [{**one.to_json(), "fix": one.fix} for one in differs]
        return json.dumps({"trials": [trial.id for trial in trials], "differs": told}, indent=1)
    lines = [one.line() for one in differs]
    cases = len({trial.case.id for trial in trials})
    return "\n".join([*lines, f"{len(trials)} trials of {cases} cases with engine {ready.order.engine}"])


def _show(comparison: Comparison, ready: Ready, as_json: bool, folder: Path) -> None:
    from orchestrator.compare import terminal
    from orchestrator.compare.document import to_json

    if as_json:
        told = [one.to_json() for one in ready.differs]
        content = {"folder": str(folder), "differs": told, "comparison": to_json(comparison, [], 0)}
        click.echo(json.dumps(content, indent=1, sort_keys=True))
        return
    for one in ready.differs:
        click.echo(f"differs: {one.line()}")
    terminal.show(comparison)
    click.echo(str(folder))
