"""From a results folder to the same measurement made again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orchestrator
from orchestrator import bench, choices, environment, lock
from orchestrator.cases import Order
from orchestrator.catalog import Catalog, Device
from orchestrator.compare import Comparison, Wish, compare
from orchestrator.engines.place import Place
from orchestrator.engines.ssh import Link
from orchestrator.report.document import conclude
from orchestrator.reproduce import means
from orchestrator.reproduce.means import Differs
from orchestrator.reproduce.original import Original, order_of, read
from orchestrator.session import Session, Watcher
from orchestrator.store import Run
from orchestrator.verify.finish import finish

_TOLD = ("machine_id_sha256", "cpu_model", "kernel", "git_commit")  # facts of a run that refuse nothing
# What another machine of the same device has of its own: told by the comparison, but no reason against it.
_ELSEWHERE = ("machine", "microcode", "kernel")


@dataclass(frozen=True)
class Ready:
    """What would be measured, and what is another one than then."""

    original: Original
    order: Order
    differs: tuple[Differs, ...]


def look(
    catalog: Catalog,
    cache: Path,
    folder: Path,
    results: Path | None,
    host: str | None,
    export: Callable[[str], None] | None,
) -> Ready:
    """Compare this machine with the run's. Raises InferometerError for what is no run that can be repeated.

    ``export`` says what is exported anew because it is missing; None exports nothing.
    """
    original = read(folder)
    with choices.reach(host) as (place, link):
        device, found = means.device_of(catalog, place, original)
        found += _differing(
            choices.on_board(catalog, device, place.root), cache, original, device, place, link
        )
    if export is not None and link is None:
        with lock.hold(f"what {folder} needs"):  # an export disturbs whoever measures
            found += means.differing_artifacts(catalog, cache, original, export)
    else:
        found += means.differing_artifacts(catalog, cache, original, export)
    order = order_of(original, device.id, results, host)
    return Ready(original, replace(order, reproduces=_told(original, found)), tuple(found))


def _differing(
    catalog: Catalog, cache: Path, original: Original, device: Device, place: Place, link: Link | None
) -> list[Differs]:
    engine = original.identity["engine"]
    known = catalog.runtimes()
    used = {(record.case.runtime, record.case.accelerator) for record in original.records}
    runtimes = [(known[name], at) for name, at in sorted(used) if name in known]
    marks = bench.identity(catalog.root, device, engine, runtimes, place)
    found = [*means.differing_contents(marks["runtimes"], original)]
    found += means.differing_images(catalog, device, original, link)
    then, now = original.header["environment"], environment.facts(catalog.root, place.root, arch=place.arch)
    for name in _TOLD:
        if then.get(name) != now.get(name):
            found.append(Differs(name, "", str(then.get(name)), str(now.get(name))))
    if original.identity["suite"] != orchestrator.__version__:
        found.append(Differs("suite", "", original.identity["suite"], orchestrator.__version__))
    return found


def _told(original: Original, differs: list[Differs]) -> dict[str, Any]:
    """What the header of the reproduction says of its original."""
    return {
        "run": original.run.folder.resolve().name,
        "created_utc": original.header["created_utc"],
        "data_sha256": original.data_sha256,
        "differs": [one.to_json() for one in differs],
    }


def reproduce(
    catalog: Catalog, cache: Path, ready: Ready, allowed: Collection[str], watcher: Watcher
) -> tuple[Run, Session, Comparison]:
    """Measure, conclude, set beside the original. Raises InferometerError for what must not differ."""
    means.refuse(ready.differs, allowed)
    run, session = bench.perform(catalog, cache, ready.order, watcher)
    document = conclude(run, session.skips)
    finish(run, document)
    wish = Wish(allow=frozenset((*_ELSEWHERE, *allowed)))
    return run, session, compare(ready.original.run.folder, run.folder, wish)
