"""Subjects for the conformance checks, and one way to judge them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
import pytest

from orchestrator.conformance import suite
from orchestrator.conformance.subject import Material, Subject, material
from orchestrator.conformance.suite import Result, State
from orchestrator.engines.process import ProcessEngine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path: Path) -> Material:
    """A model that the puppet and the scripted double load, with three input tensors."""
    model, inputs = tmp_path / "m.puppet", tmp_path / "x.npy"
    model.write_bytes(b"PUPPET " + bytes(100) + b" END")
    np.save(inputs, np.zeros((3, 1, 4), np.float32))
    return material(model, "puppet", inputs)


Judge = Callable[..., dict[str, Result]]


@pytest.fixture
def judge(files: Material, tmp_path: Path) -> Judge:
    """Judges a command; the results by the check's name."""

    def run(
        command: str,
        checks: Collection[str] = (),
        options: Mapping[str, str] | None = None,
        timeout_s: float = 20.0,
        format_: str = "puppet",
    ) -> dict[str, Result]:
        engine = ProcessEngine(ROOT, tmp_path)
        chosen = Material(files.path, format_, files.sha256, files.inputs, files.count, files.shape)
        target = "\0".join([sys.executable, *shlex.split(command)])
        subject = Subject(
            command, engine, target, chosen, options or {}, timeout_s=timeout_s, window_ns=4 * 10**8
        )
        _, results = suite.run(subject, suite.select(tuple(checks)), None, lambda name: None)
        return {result.name: result for result in results}

    return run


def violated(results: Mapping[str, Result]) -> set[str]:
    """The clauses found broken."""
    return {result.clause for result in results.values() if result.state is State.VIOLATED}
