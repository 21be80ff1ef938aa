"""``python -m benchmarks``: one line per figure; exit status 1 when one misses its limit.

Everything is measured here and now, ours and its peer side by side; keep the machine quiet meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from types import ModuleType

from benchmarks import (
    bench_time,
    converted,
    coverage,
    figure,
    help_time,
    image_size,
    launch_overhead,
    lockstep,
    merge_size,
    meters,
    observer,
    observer_effect,
    page_time,
    remote_overhead,
    report_size,
    same,
    sdk_null,
    telemetry_cost,
    watch_cost,
)
from benchmarks.place import Place
from orchestrator.cli.progress import PlainLines
from orchestrator.domain import InferometerError

MODULES: tuple[ModuleType, ...] = (
    help_time,
    sdk_null,
    lockstep,
    converted,
    observer,
    observer_effect,
    telemetry_cost,
    meters,
    launch_overhead,
    remote_overhead,
    bench_time,
    image_size,
    merge_size,
    same,
    report_size,
    coverage,
    watch_cost,
    page_time,
)


def main() -> int:
    """Measure what was asked for; returns the exit status."""
    known = [name for module in MODULES for name in module.FIGURES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = f"one of: {', '.join(known)}; repeatable"
    parser.add_argument("--only", metavar="NAME", action="append", choices=known, help=names)
    choices = {module.__name__.rpartition(".")[2]: module for module in MODULES}
    parser.add_argument(
        "modules", metavar="MODULE", nargs="*", help=f"all its figures; of: {', '.join(choices)}"
    )
    parser.add_argument("--tries", type=int, metavar="N", default=same.TRIES, help=f"of {same.FIGURES[0]}")
    parser.add_argument("--resume", action="store_true", help=f"go on with the tries of {same.FIGURES[0]}")
    style = parser.add_mutually_exclusive_group()
    style.add_argument("--json", action="store_true", help="one JSON object a line")
    style.add_argument("--markdown", action="store_true", help="a table for a document, and where it is from")
    given = parser.parse_args()
    if unknown := set(given.modules) - set(choices):
        parser.error(f"unknown {', '.join(sorted(unknown))}; modules are {', '.join(choices)}")
    if given.tries < 1:
        parser.error("--tries: give one or more")
    place, found = Place(PlainLines(), given.tries, given.resume), []
    if not (given.json or given.markdown):
        print(figure.line(figure.HEADINGS))
    begun = place.describe() if given.markdown else ""
    wanted = [
        *(given.only or ()),
        *(name for word in given.modules for name in choices[word].FIGURES),
    ] or [name for name in known if name not in same.FIGURES]  # a quarter of an hour: only when asked for
    for module in MODULES:
        for one in _measured(module, place, wanted):
            found.append(one)
            if given.json:
                print(json.dumps({**asdict(one), "ratio": one.ratio}), flush=True)
            elif not given.markdown:
                print(figure.line(one.cells()), flush=True)
    if given.markdown:
        print(f"{begun}\n\n{figure.markdown(found)}")
    return 1 if any(one.ok is False for one in found) else 0


def _measured(module: ModuleType, place: Place, wanted: Sequence[str]) -> Iterator[figure.Figure]:
    """The wanted figures of a module, each as soon as it is known; where they cannot be, a miss."""
    left = [name for name in module.FIGURES if name in wanted]
    if not left:
        return
    try:
        for one in module.measure(place):
            if one.name in left:
                left.remove(one.name)
                yield one
            if not left:
                return
    except InferometerError as problem:
        for name in left:
            yield figure.Figure(name, "", None, None, "", False, str(problem))


if __name__ == "__main__":
    sys.exit(main())
