"""``inferometer run-status``, ``report`` and ``merge``: what is in results folders."""

from __future__ import annotations

import gc
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import click

_SHOWN = 500  # cases; a longer table is for files, not for a terminal
_FOLDER = click.Path(path_type=Path)
FORMATS = ["table", "json", "csv", "md", "tex", "html"]


@click.command("run-status", short_help="Say how far a bench is.")
@click.argument("folder", type=_FOLDER)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def run_status(folder: Path, as_json: bool) -> None:
    """Say how far a bench is: from another terminal, without touching the measurement.

    \b
    Example:
      inferometer run-status results/20261120T201500Z-x86-4711
    """
    from orchestrator.report.progress import progress
    from orchestrator.store import Run

    state = progress(Run.open(folder))
    if as_json:
        click.echo(json.dumps(state, indent=1))
        return
    beyond = f" and {state['extended']} of the budget" if state["extended"] else ""
    click.echo(
        f"{state['done']} of {state['planned']} trials{beyond}, {state['failed']} failed, {state['state']}"
    )
    if state["last"]:
        click.echo(f"last: {state['last']}")


@click.command(short_help="Write a run's report; or print it: table, json, csv, md, tex, html.")
@click.argument("folder", type=_FOLDER, required=False)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Print this and write nothing.")
@click.option("--out", type=_FOLDER, help="Folder for the files; default: report/ in the results folder.")
def report(folder: Path | None, format_: str | None, out: Path | None) -> None:
    """Write the report of a run: report.html, and its tables as Markdown, CSV, LaTeX and Parquet.

    All of it is computed again from raw data. The table is printed too, and the path of report.html on the
    last line. Without FOLDER it is the newest finished run below results/. Of a merged comparison's file
    the table is printed, and with --out its files are written.

    \b
    Examples:
      inferometer report results/DIR
      inferometer report results/DIR --format csv > table.csv
      inferometer report comparison.json --out comparison
    """
    from orchestrator.report.document import load

    if format_ and out:
        raise click.UsageError("--format prints and --out writes; give one of them")
    # What a large run is read into lives until the end: looking for garbage in it takes a tenth of the time.
    gc.disable()
    click.get_current_context().call_on_close(gc.enable)
    source = folder or _newest()
    page = _Page(source) if format_ in (None, "html") else None
    document = load(source, page.seen if page else None)
    _print(document, format_ or "table", page)
    if page and not format_:
        _write(document, page, out)


def _newest() -> Path:
    from orchestrator.report.newest import finished

    found = finished(Path("results"))
    click.echo(f"report of {found}", err=True)
    return found


def _write(document: dict[str, Any], page: _Page, out: Path | None) -> None:
    from orchestrator.report import files
    from orchestrator.verify.manifest import refresh

    folder = page.folder
    target = out or (folder and folder / files.FOLDER)
    if target:
        written = files.write(document, folder, target, page)
        if folder:
            refresh(folder)
        if target / files.PARQUET not in written:
            click.echo(files.NO_PARQUET, err=True)
        click.echo(str(written[-1]))


class _Page:
    """Renders a page from what was ``seen`` of the launches of a folder; of a comparison's file from that."""

    def __init__(self, source: Path) -> None:
        # By their names: the terminal's table must not pay for the page's program and styles.
        self._render = import_module("orchestrator.verify.page").render
        self.folder = source if source.is_dir() else None
        self.seen: Any = None
        if self.folder:
            self.seen = import_module("orchestrator.report.page.gathered").Gathered(source)

    def __call__(self, document: Any, folder: Path | None) -> str:
        return str(self._render(document, folder, self.seen))


def _print(document: dict[str, Any], format_: str, page: _Page | None) -> None:
    from orchestrator.report import comma, latex, markdown
    from orchestrator.report.terminal import show

    if format_ == "table":
        show(document)
    elif format_ == "json":
        click.echo(json.dumps(document, indent=1, sort_keys=True))
    elif page and format_ == "html":
        click.echo(page(document, page.folder), nl=False)
    else:
        click.echo({"csv": comma, "md": markdown, "tex": latex}[format_].render(document), nl=False)


@click.command(short_help="Join the results of several machines.")
@click.argument("folders", nargs=-1, required=True, type=_FOLDER)
@click.option("--out", required=True, type=_FOLDER, help="The comparison's file, e.g. comparison.json.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True)
def merge(folders: tuple[Path, ...], out: Path, format_: str) -> None:
    """Join the results folders of several machines into one comparison.

    Conflicts are refused by name: the same case measured twice, one device id on two machines, one
    model with two artifacts.

    \b
    Example:
      inferometer merge results/pi5 results/nuc --out comparison.json
    """
    from orchestrator.report.comparison import merge_folders
    from orchestrator.report.document import load

    total = merge_folders(folders, out)
    if total <= _SHOWN:
        _print(load(out), format_, _Page(out) if format_ == "html" else None)
    else:
        click.echo(f"{total} cases; inferometer report {out} --format csv prints them")
    click.echo(str(out))
