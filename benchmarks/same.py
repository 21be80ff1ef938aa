"""How often two honest runs of the same thing are said not to differ.

One try is two runs as somebody would make them, one after the other: five launches of A, then five of B,
of the same file in the same runtime with the same settings, judged by the very function that judges the
p50 of ``inferometer compare`` with its usual limit of 1 %. The harder way: launches of A and B in turns
would let a drift of the machine cancel. Windows are short (50 ms are still thousands of inferences), so
that a try takes some four seconds; launches are fresh processes under the process engine, without
telemetry and without outputs. The share of ``no difference`` stands with its exact interval
(Clopper-Pearson); there is no peer. Each try is kept as soon as it is there, so that ``--resume`` goes on
with what ``--tries`` left out or an interruption cut off, on the same boot of the same machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from orchestrator import environment
from orchestrator.compare.comparison import LEAST
from orchestrator.compare.judgement import NONE
from orchestrator.compare.metrics import BY_NAME, of_launches
from orchestrator.compare.moded import judge
from orchestrator.domain import InferometerError
from orchestrator.engines.launch import Target
from orchestrator.engines.process import ProcessEngine
from orchestrator.execute import Conditions, Load, execute
from orchestrator.plan import FULL
from orchestrator.statistics.stability import between_launch_cv

FIGURES = ("same",)
RUNTIME, MODEL, FORMAT = "tflite", "digits-cnn", "tflite"
TRIES, LAUNCHES, LIMIT = 200, 5, 0.95
LIMIT_TEXT = ">= 95 % no difference"
SETTINGS = replace(
    FULL,
    launches=LAUNCHES,
    min_duration_ns=50_000_000,
    warmup_max_ns=1_000_000_000,
    idle_ns=0,
    idle_after_ns=0,
    observer_rounds=0,
)

Try = tuple[list[float], list[float]]  # medians (ns) of the launches of A and B


def measure(place: Place) -> Iterator[Figure]:
    """The one figure."""
    load = place.load(MODEL, FORMAT)
    if load is None:
        yield absent(FIGURES[0], LIMIT_TEXT, f"{MODEL} is not there")
        return
    engine = ProcessEngine(place.root, place.cache)
    target = engine.prepare(place.catalog.runtimes()[RUNTIME], place.watcher.say)
    # What it answers is none of this figure's business, and scoring takes longer than a window.
    silent = replace(load.artifact, reference=None, labels=None, images=())
    conditions = place.conditions(SETTINGS, engine, watched=False)
    path, head = place.cache / "benchmarks" / "same.jsonl", _head(place)
    tries = kept(path, head) if place.resume else []
    if not tries:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(head) + "\n", "utf-8")
    with place.alone():
        while len(tries) < place.tries:
            tries.append(_try(place, replace(load, artifact=silent), target, conditions))
            with path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(tries[-1]) + "\n")
            if len(tries) % 20 == 0:
                place.watcher.say(f"{len(tries)} of {place.tries} tries")
    yield conclude(tries)


def conclude(tries: list[Try]) -> Figure:
    """The share of tries (at least one) in which A and B are said not to differ."""
    from scipy import stats

    verdicts = Counter(
        judge(BY_NAME["p50"], of_launches(a, ""), of_launches(b, ""), LEAST).verdict for a, b in tries
    )
    same, total = verdicts[NONE], len(tries)
    exact = stats.binomtest(same, total).proportion_ci(method="exact")
    spread = median(between_launch_cv(side) or 0.0 for pair in tries for side in pair)
    told = ", ".join(f"{count} {word}" for word, count in sorted(verdicts.items()))
    note = (
        f"of {total} tries: {told}; exact 95 % interval {exact.low:.1%} to {exact.high:.1%}; {LAUNCHES} "
        f"launches then {LAUNCHES}, {RUNTIME}, {MODEL}, engine process, median CV of launches {spread:.1%}"
    )
    return Figure(FIGURES[0], "%", 100 * same / total, None, LIMIT_TEXT, same >= LIMIT * total, note)


def kept(path: Path, head: dict[str, Any]) -> list[Try]:
    """The tries of an earlier measurement under the same head; none where there is no such."""
    try:
        whole = path.read_text("utf-8").rpartition("\n")[0]  # a torn last line is no try
        found = [json.loads(line) for line in whole.splitlines()]
    except (OSError, ValueError):
        return []
    return [(a, b) for a, b in found[1:]] if found and found[0] == head else []


def _head(place: Place) -> dict[str, Any]:
    """What must be the same for tries to belong together."""
    boot = environment.facts(place.root)["boot_id"]
    return {"runtime": RUNTIME, "model": MODEL, "boot_id": boot, "settings": asdict(SETTINGS)}


def _try(place: Place, load: Load, target: Target, conditions: Conditions) -> Try:
    """Five launches, then five more."""
    found = [_p50_ns(place, load, target, conditions) for _ in range(2 * LAUNCHES)]
    return found[:LAUNCHES], found[LAUNCHES:]


def _p50_ns(place: Place, load: Load, target: Target, conditions: Conditions) -> float:
    with scratch() as raw:
        record = execute(place.trial(RUNTIME, load), load, target, conditions, raw)
    if record.latency is None:
        raise InferometerError(f"the trial: {record.reason}")
    return record.latency.p50_ns
