"""``inferometer conformance``: does a runner keep PROTOCOL.md?"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.bench import seconds

if TYPE_CHECKING:
    from orchestrator.conformance.suite import Result

_SHOWN = 5  # violations of one check on the terminal; --json has all


def _pairs(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    for value in values:
        if not all(value.partition("=")):
            raise click.BadParameter(f"{value!r}: write NAME=VALUE")
    return dict(value.split("=", 1) for value in values)


@click.command(short_help="Check a runner against the protocol.")
@click.option("--runtime", help="A runtime of this suite: the name of its folder in runners/.")
@click.option("--image", help="Any ready image that this Docker Engine has.")
@click.option("--command", help="A program and its arguments; the protocol's command is appended.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "docker", "process"]),
    default="auto",
    help="Where a --runtime runs; auto: Docker if it answers.",
)
@click.option(
    "--model", type=click.Path(path_type=Path), help="A model file; default: the shipped digits-cnn."
)
@click.option("--inputs", type=click.Path(path_type=Path), help="Its inputs: .npy of shape [K, ...].")
@click.option("--format", help="Its format, a word the runner knows; alone: digits-cnn in that format.")
@click.option(
    "--option", "options", multiple=True, callback=_pairs, help="Runtime option NAME=VALUE. Repeatable."
)
@click.option("--toml", type=click.Path(path_type=Path), help="runner.toml of an --image or --command.")
@click.option("--clause", "clauses", multiple=True, help="Check this clause (C6) or check only. Repeatable.")
@click.option(
    "--timeout",
    "timeout_s",
    type=float,
    callback=seconds,
    default=120.0,
    help="Seconds a launch may take.",
)
@click.option(
    "--keep", type=click.Path(path_type=Path), help="New folder that keeps every request, transcript, log."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def conformance(as_json: bool, **given: Any) -> None:
    """Check a runner against runners/PROTOCOL.md and name each broken clause.

    A line a check: ok, VIOLATED, skipped (for the reason its runner.toml gives under [skip]), or not
    provoked, where nothing from outside brings it about. Clauses without a number go by their section:
    S2. Exit status 0: nothing violated; 3: violations; 2: refused; 130: interrupted.

    \b
    Examples:
      inferometer conformance --runtime onnxruntime
      inferometer conformance --runtime pytorch --engine process --option mode=aot
      inferometer conformance --image registry.example/my-runner:2
      inferometer conformance --command "python3 my/runner.py" --clause C6 --keep /tmp/seen
      inferometer conformance --image my --model m.bin --inputs x.npy --format mine --json
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(_perform(given, as_json))
    except KeyboardInterrupt:
        sys.exit(130)


def _perform(given: dict[str, Any], as_json: bool) -> int:
    """Make ready, judge, print; returns the exit status."""
    from orchestrator.artifacts import cache_root
    from orchestrator.catalog import Catalog, suite_root
    from orchestrator.choices import likely_engine
    from orchestrator.conformance import ready, suite

    keep, checks = given.pop("keep"), suite.select(given.pop("clauses"))
    if given["runtime"]:
        given["engine"] = likely_engine(given["engine"])
    subject = ready.ready(ready.Wish(**given), Catalog(suite_root()), cache_root(), _say)
    launches, results = suite.run(subject, checks, keep, _say)
    document = suite.document(launches, results)
    if as_json:
        click.echo(json.dumps(document, indent=1))
    else:
        for result in results:
            for line in _lines(result):
                click.echo(line)
        click.echo(_verdict(document, results))
    return 3 if document["violations"] else 0


def _say(text: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        click.echo(f"  {text}", err=True)


def _lines(result: Result) -> list[str]:
    """One line a check, and one more for each violation after the first."""
    head = f"{result.state.value} {result.clause} {result.name}: "
    if not result.details:
        return [head + result.title]
    first, *more = result.details
    left = len(more) - _SHOWN + 1
    lines = [head + first, *(f"    {text}" for text in more[: _SHOWN - 1])]
    return lines + ([f"    and {left} more"] if left > 0 else [])


def _verdict(document: dict[str, Any], results: list[Result]) -> str:
    counts = {state: sum(result.state.value == state for result in results) for state in ("ok", "VIOLATED")}
    told = f"{document['subject']} ({document['engine']}, {document['format']})"
    rest = len(results) - sum(counts.values())
    found = f"{counts['ok']} ok, {counts['VIOLATED']} violated, {rest} not checked"
    return f"{told}: {found}, in {document['launches']} launches"
