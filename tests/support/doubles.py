"""Sessions of the scripted double: the real engine, short windows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from orchestrator.artifacts import open_artifact
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import Case, Trial, TrialRecord
from orchestrator.engines.launch import Engine, Watch
from orchestrator.engines.place import here
from orchestrator.execute import Conditions, Load
from orchestrator.plan import QUICK, Plan, Settings, Wish
from orchestrator.session import Session

ROOT = suite_root()
MODEL = "digits-cnn"
# Long enough for every part of a trial to happen, short enough for many trials.
SHORT = replace(
    QUICK,
    launches=1,
    min_duration_ns=5_000_000,
    min_iterations=10,
    warmup_cap=10,
    timeout_s=3.0,
    idle_ns=10**6,
    observer_rounds=0,
    probe_ns=0,
)


class Quiet:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.ended: list[TrialRecord] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def trial_starts(self, number: int, total: int, trial: Trial) -> None:
        pass

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        self.ended.append(record)


def case(**options: str) -> Case:
    """One case of the double, with its script."""
    return Case("board", "fake", MODEL, options=tuple(sorted(options.items())))


def plan_of(cases: list[Case], settings: Settings = SHORT) -> Plan:
    """The cases in the order given, all launches of one after the other."""
    trials = [Trial(case, launch) for case in cases for launch in range(settings.launches)]
    return Plan(Wish("board"), settings, tuple(trials), ())


def conditions_of(
    engine: Engine,
    settings: Settings = SHORT,
    interval_s: float | None = 0.05,
    memory_bytes: int | None = None,
) -> Conditions:
    """All cores of this machine, telemetry fast enough for a short window."""
    return Conditions(engine, settings, here(), memory_bytes, Watch(interval_s) if interval_s else None)


def session_of(plan: Plan, conditions: Conditions, cache: Path) -> Session:
    """A session on the real catalogue."""
    catalog = Catalog(ROOT)
    return Session(ROOT, cache, plan, conditions, catalog.runtimes(), catalog.models(), Quiet())


def load() -> Load:
    """The artifact that ships, as the double loads it."""
    artifact = open_artifact(ROOT / "models/artifacts" / MODEL / "nq/b1", "onnx")
    assert artifact is not None
    return Load(artifact, artifact.path, artifact.format, artifact.sha256)


@contextmanager
def children_end() -> Iterator[None]:
    """Whatever is started inside is gone at the end, helpers of helpers too."""
    before = descendants()
    yield
    assert descendants() <= before, f"left behind: {descendants() - before}"


def descendants() -> set[tuple[int, str]]:
    """(pid, command line) of every process below this one that is alive."""
    return set(filter(None, map(_alive, psutil.Process().children(recursive=True))))


def running(mark: str) -> list[tuple[int, str]]:
    """(pid, command line) of every living process with these words in its command line."""
    found = filter(None, map(_alive, psutil.process_iter()))
    return [(pid, command) for pid, command in found if mark in command and pid != os.getpid()]


def _alive(process: psutil.Process) -> tuple[int, str] | None:
    try:
        # A zombie is dead; only its parent has not looked yet.
        return (
            None if process.status() == psutil.STATUS_ZOMBIE else (process.pid, " ".join(process.cmdline()))
        )
    except psutil.Error:
        return None
