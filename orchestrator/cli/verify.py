"""``inferometer verify``: whether a results folder is what was measured."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.verify.check import Outcome

_LARGE_BYTES = 20 * 2**20  # computing the figures of this takes a few seconds


@click.command(short_help="Check that a results folder is what was measured.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
@click.option("--seal", is_flag=True, help="Add the manifest that a folder of an older version lacks.")
def verify(folder: Path, as_json: bool, seal: bool) -> None:
    """Check every hash of a results folder and compute its figures once more from the raw data.

    Exit status: 0 all is as it was written, 1 something differs (the file is named), 2 no results folder.

    \b
    Examples:
      inferometer verify results/DIR
      inferometer verify results/DIR --json
      inferometer verify --seal results/DIR
    """
    from orchestrator.verify import check

    with _progress(folder) as step:
        outcome = check.seal(folder) if seal else check.verify(folder, step)
    click.echo(json.dumps(outcome.to_json(), indent=1) if as_json else _text(outcome, seal))
    sys.exit(1 if outcome.differences else 0)


@contextmanager
def _progress(folder: Path) -> Iterator[Callable[[int], None]]:
    from orchestrator.verify.check import size

    total = size(folder) if sys.stderr.isatty() else 0
    if total < _LARGE_BYTES:
        yield lambda count: None
        return
    with click.progressbar(length=total, label="reading", file=sys.stderr) as bar:
        yield bar.update


def _text(outcome: Outcome, sealed: bool) -> str:
    lines = [f"{one.path}: {one.what}" for one in outcome.differences]
    lines += [f"note: {note}" for note in outcome.notes]
    what = f"{outcome.files} files, {outcome.trials} trials"
    if outcome.recomputed:
        what += f"; made again: {', '.join(outcome.recomputed)}"
    if outcome.differences:
        lines.append(f"{len(outcome.differences)} differences in {what}{'; not sealed' if sealed else ''}")
    else:
        lines.append(f"{'sealed' if sealed else 'all is as it was written'}: {what}")
        if outcome.data_sha256:
            lines.append(f"raw data sha256:{outcome.data_sha256}")
    return "\n".join(lines)
