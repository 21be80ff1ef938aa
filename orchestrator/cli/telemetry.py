"""``inferometer telemetry``: what this machine's sensors say, live."""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

import click

from orchestrator.cli.bench import listed

if TYPE_CHECKING:
    from orchestrator.live import Row, Stream

_TITLES = ("source", "value", "scope", "method", "rate", "why not")


@click.command(short_help="Show live what this machine's sensors say.")
@click.option(
    "--device", metavar="ID", default="", help="Its sources; default: the one that this machine is."
)
@click.option("--sources", default="", callback=listed, help="These instead, comma-separated.")
@click.option("--interval", metavar="SECONDS", default=1.0, show_default=True, help="Between readings.")
@click.option(
    "--meter", metavar="URL", help="A smart plug besides: http://192.168.1.5, or tasmota=http://..."
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
    show = _pass if as_json else _repaint if sys.stdout.isatty() else _table if once else _append
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
    from orchestrator.live import Picture

    picture = Picture()
    for batch in stream.batches():
        for row in filter(None, map(picture.take, map(json.loads, batch))):
            click.echo(f"{row.time_s:9.3f} s  " + "  ".join(filter(None, _cells(row))))


def _table(stream: Stream, once: bool) -> None:
    from orchestrator.live import Picture

    picture = Picture()
    for batch in stream.batches():
        list(map(picture.take, map(json.loads, batch)))
        stream.end()
    cells = [_TITLES, *map(_cells, picture.rows())]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _repaint(stream: Stream, once: bool) -> None:
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    from orchestrator.live import Picture

    picture = Picture()
    with Live(auto_refresh=False) as live:
        for batch in stream.batches():
            list(map(picture.take, map(json.loads, batch)))
            table = Table(*_TITLES, box=None, header_style="bold")
            for row in picture.rows():
                table.add_row(*map(Text, _cells(row)), style="dim" if row.note else "")
            live.update(table, refresh=True)
            if once:
                stream.end()


def _cells(row: Row) -> tuple[str, ...]:
    return row.source, row.value, row.scope, row.method, row.rate, row.note
