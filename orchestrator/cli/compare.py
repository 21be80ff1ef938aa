"""``inferometer compare``: what became faster or slower from one set of results to another."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from orchestrator.compare import Comparison
    from orchestrator.compare.condition import Answer

_PLACE = click.Path(path_type=Path)


def _words(ctx: click.Context, param: click.Parameter, values: Sequence[str]) -> frozenset[str]:
    return frozenset(word.strip() for value in values for word in value.split(",") if word.strip())


def _share(ctx: click.Context, param: click.Parameter, value: str) -> float:
    try:
        found = float(value.strip().removesuffix("%")) / 100
    except ValueError:
        raise click.BadParameter(f"{value!r} is no percentage; write 1% or 0.5%") from None
    if 0 <= found < 1:  # nan passes no comparison
        return found
    raise click.BadParameter(f"{value!r}: give a percentage from 0 to below 100")


@click.command(short_help="Say what became faster or slower, for people and for CI.")
@click.argument("a", type=_PLACE)
@click.argument("b", type=_PLACE)
@click.option("--fail-if", "conditions", multiple=True, help='"p50 > +5%", "failed" ...; repeatable.')
@click.option("--strict", is_flag=True, help="A point estimate beyond the limit suffices to fail.")
@click.option("--least", default="1%", show_default=True, callback=_share, help="Less is no difference.")
@click.option("--allow", multiple=True, callback=_words, help="Fields that may differ: kernel,machine.")
@click.option("--same", multiple=True, callback=_words, help="Fields that must not: image,runtime.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "md", "json"]),
    default="table",
    show_default=True,
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable: --format json.")
@click.option("--out", type=_PLACE, help="Write into this file instead of printing.")
def compare(
    a: Path,
    b: Path,
    conditions: tuple[str, ...],
    strict: bool,
    least: float,
    allow: frozenset[str],
    same: frozenset[str],
    format_: str,
    as_json: bool,
    out: Path | None,
) -> None:
    """Compare results B with results A, case by case: results folders, summary.json or merged files.

    p50 is faster, slower, no difference, or not comparable (the field in which both were measured
    differently is named). A difference is called one where the 95 % interval of B/A over launches lies
    beyond --least, also when the number of cases is counted, and Mann-Whitney agrees.

    \b
    Conditions: METRIC > or < PERCENT, or the word failed (worked in A, gives no figure in B).
    Metrics: p50 p90 p99 mean first load peak_memory process_memory bytes energy, in %;
    accuracy in percentage points (pp). A condition holds where the interval lies beyond it.
    Exit status: 0 no condition holds, 1 one does, 2 refused, 125 none could be judged in any case,
    141 whoever read the output left before its end: nothing is said of any condition.
    Under `make` an exit status of 1 or 125 is Make's own 2.

    \b
    Obstacles (hinder, unless in --allow): device machine processor microcode kernel governor turbo
    power_mode clocks_locked smt swap aslr preemption isolated_cores tuned engine emulated forced
    threads cores artifact settings; and invalid rows ("invalid").
    Subjects (told; hinder where in --same): image runtime sdk protocol suite commit placement os telemetry.

    \b
    Examples:
      inferometer compare results/before results/after
      inferometer compare main.json results/pr --fail-if "p50 > +5%" --fail-if failed
      inferometer compare A B --format md >> "$GITHUB_STEP_SUMMARY"
    A regression is found with git bisect and docs/bisect.sh:
      cp docs/bisect.sh /tmp && git bisect start BAD GOOD
      git bisect run /tmp/bisect.sh results/good "p50 > +5%" make bench MODELS=digits-cnn
    """
    from orchestrator.compare import Wish
    from orchestrator.compare import compare as read_and_judge
    from orchestrator.compare.condition import ask, exit_status, parse

    asked = [parse(text) for text in conditions]
    comparison = read_and_judge(a, b, Wish(least, allow, same))
    answers = [ask(condition, comparison, strict) for condition in asked]
    status = exit_status(answers)
    _tell(comparison, answers, status, "json" if as_json else format_, out)
    sys.exit(status)


def _tell(
    comparison: Comparison, answers: Sequence[Answer], status: int, format_: str, out: Path | None
) -> None:
    from orchestrator.compare import markdown, terminal
    from orchestrator.compare.document import to_json

    if format_ == "table" and out is None:
        terminal.show(comparison, answers)
        return
    if format_ == "table":
        text = terminal.text(comparison, answers)
    elif format_ == "json":
        text = json.dumps(to_json(comparison, answers, status), indent=1, sort_keys=True) + "\n"
    else:
        text = markdown.render(comparison, answers)
    if out is None:
        click.echo(text, nl=False)
    else:
        from orchestrator.files import write_atomic

        write_atomic(out, text.encode())
