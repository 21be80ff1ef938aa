"""``inferometer telemetry``: what this machine's sensors say, live."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.bench import listed

if TYPE_CHECKING:
    from orchestrator.live import Stream


def _given(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """What is empty was meant to be something: a script's variable that is not set."""
    if value is not None and not value.strip(" ,"):
        raise click.BadParameter("is empty; leave it out or say which")
    return value


def _sources(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[str, ...]:
    return listed(ctx, param, _given(ctx, param, value) or "")


@click.command(short_help="Show live what this machine's sensors say.")
@click.option(
    "--device", metavar="ID", default="", help="Its sources; default: the one that this machine is."
)
@click.option("--sources", callback=_sources, help="These instead, comma-separated.")
@click.option("--interval", metavar="SECONDS", default=1.0, show_default=True, help="Between readings.")
@click.option(
    "--meter",
    metavar="URL",
    callback=_given,
    help="A smart plug besides: http://192.168.1.5, or tasmota=http://...",
)
@click.option("--json", "as_json", is_flag=True, help="The readings as JSON Lines.")
@click.option("--once", is_flag=True, help="Look once and end.")
def telemetry(
    device: str, sources: tuple[str, ...], interval: float, meter: str | None, as_json: bool, once: bool
) -> None:
    """Show live what this machine's sensors say, and why others say nothing; Ctrl-C ends it.

    On a terminal the table stays in place; elsewhere each reading is a line.

    \b
    Examples:
      inferometer telemetry
      inferometer telemetry --once
      inferometer telemetry --sources thermal,cpufreq --interval 0.2
      inferometer telemetry --meter http://192.168.1.5 --json > readings.jsonl
    """
    from orchestrator.catalog import Catalog, suite_root
    from orchestrator.live import Stream, wished

    wanted = wished(Catalog(suite_root()), device, sources, meter)
    show = _pass if as_json else _table if once else _repaint if sys.stdout.isatty() else _append
    with Stream(interval, wanted) as stream:
        signal.signal(signal.SIGINT, lambda *_: _leave(stream))
        show(stream, once)


def _leave(stream: Stream) -> None:
    """Ctrl-C is how this command ends; a second one ends it the hard way."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stream.end()


def _pass(stream: Stream, once: bool) -> None:
    for batch in stream.batches():
        click.echo("\n".join(batch))
        if once:
            stream.end()


def _append(stream: Stream, once: bool) -> None:
    from orchestrator.live import Picture, cells

    picture, told = Picture(), set()
    for batch in stream.batches():
        for row in filter(None, map(picture.take, map(json.loads, batch))):
            fix = f"to read it: {row.fix}" if row.fix and row.fix not in told else ""
            told.add(row.fix)
            click.echo(f"{row.time_s:9.3f} s  " + "  ".join(filter(None, (*cells(row), fix))))


def _table(stream: Stream, once: bool) -> None:
    from orchestrator.live import Picture, lines

    picture = Picture()
    for batch in stream.batches():
        list(map(picture.take, map(json.loads, batch)))
        stream.end()
    for line in lines(picture.rows(), shutil.get_terminal_size().columns if sys.stdout.isatty() else None):
        click.echo(line.text)


def _repaint(stream: Stream, once: bool) -> None:
    from rich.live import Live
    from rich.text import Text

    from orchestrator.live import Picture, lines

    picture = Picture()
    with Live(auto_refresh=False) as live:
        for batch in stream.batches():
            list(map(picture.take, map(json.loads, batch)))
            text = Text()
            for line in lines(picture.rows(), live.console.width):
                text.append(f"{line.text}\n", style=line.style)
            live.update(text, refresh=True)
