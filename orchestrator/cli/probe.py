"""``inferometer probe``: this machine's sensors in one file that names nobody."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click

from orchestrator.domain import InferometerError


@click.command(short_help="Write what this machine's sensors say into one anonymous file.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The file; default: inferometer-probe-DEVICE-DATE.tar.gz."
)
@click.option(
    "--device", metavar="ID", default="", help="What to call it; default: the device that this machine is."
)
@click.option("--yes", is_flag=True, help="Write without asking.")
def probe(out: Path | None, device: str, yes: bool) -> None:
    """Write what this machine's sensors say into one anonymous file, to be sent to whoever lacks the board.

    It reads for ten seconds or so, shows what goes in, and asks. Names, addresses, serial numbers and ids are
    replaced by made-up values; manifest.json in the file says which and how often. As root it sees more.

    \b
    Examples:
      inferometer probe
      sudo .venv/bin/inferometer probe --yes --out pi5.tar.gz
    """
    if not (yes or (sys.stdin and sys.stdin.isatty())):  # None: it was closed
        raise InferometerError("probe asks before it writes, and nobody is there to answer; give --yes")
    try:
        _probe(out, device, yes)
    except (click.Abort, KeyboardInterrupt):
        click.echo("inferometer: nothing was written", err=True)
        sys.exit(130)


def _probe(out: Path | None, device: str, yes: bool) -> None:
    from orchestrator import probe as work
    from orchestrator.catalog import Catalog, suite_root

    name = work.name_of(Catalog(suite_root()), device)
    path = work.destination(out, name)
    archive = work.take(name)
    click.echo("\n".join(archive.listing()), err=True)
    if not (yes or click.confirm(f"Write {path}?", err=True)):
        raise InferometerError("nothing was written; the same command asks again, --yes does not ask")
    work.save(archive, path)
    click.echo(str(path))
    click.echo(f"look inside: tar tzf {shlex.quote(str(path))}", err=True)
