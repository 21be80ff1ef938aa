"""``inferometer watch``: a live page of a running bench."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.watch.follow import Follower

HERE = "127.0.0.1:8765"


@click.command(short_help="Show a running bench live, in this terminal or a browser.")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--serve",
    "at",
    is_flag=False,
    flag_value=HERE,
    metavar="[HOST:PORT]",
    help=f"A page for browsers instead; without an address at {HERE}, for other machines 0.0.0.0:8765.",
)
@click.option("--json", "as_json", is_flag=True, help="What is known now, once, machine-readable.")
def watch(folder: Path | None, at: str | None, as_json: bool) -> None:
    """Show a running bench live: progress, time left, cases, last trials, findings, temperatures.

    It reads the results folder and touches nothing else; q or Ctrl+C ends it and not the bench. Without
    FOLDER it is the unfinished run below results/ that grew last. It ends when the run is finished.

    \b
    Examples:
      inferometer watch
      inferometer watch results/DIR
      inferometer watch --serve 0.0.0.0:8765
    """
    from orchestrator.watch.follow import Follower, newest

    follower = Follower(folder or newest(Path("results")))
    if as_json:
        _tell(follower)
    else:
        _show(follower, at)


def _tell(follower: Follower) -> None:
    import json
    import time
    from dataclasses import asdict

    follower.look()
    state = follower.state
    left_s = state and state.left_s(time.time())
    known = state and {**asdict(state), "findings": [[*key, n] for key, n in state.findings.items()]}
    click.echo(json.dumps({"folder": str(follower.folder), "left_s": left_s, "state": known}, indent=1))


def _show(follower: Follower, at: str | None) -> None:
    from orchestrator.domain import InferometerError

    if at:
        from orchestrator.watch.serve import address, serve

        serve(follower, address(at), lambda line: click.echo(line, err=True))
    elif sys.stdin.isatty() and sys.stdout.isatty():
        from orchestrator.watch.terminal import show

        show(follower, sys.stdin, sys.stdout)
    else:
        raise InferometerError("watch fills a terminal, and this is none; use --serve, or --json for scripts")
    if follower.state and follower.state.finished:
        click.echo(f"{follower.folder} is finished; inferometer report {follower.folder}")
