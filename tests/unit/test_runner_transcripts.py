"""What runners write is valid under the published schema, and the golden transcripts are what they write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support import golden, runners

SCHEMA = json.loads((golden.FOLDER / "v1.schema.json").read_bytes())
VALIDATOR = Draft202012Validator(SCHEMA)
NAMES = sorted(golden.SCRIPTS)


def valid_lines(content: bytes) -> list[dict[str, Any]]:
    """The messages before the first line that is none; each is checked."""
    messages = []
    for line in content.splitlines(keepends=True):
        try:
            message = json.loads(line)
        except ValueError:
            break
        VALIDATOR.validate(message)
        messages.append(message)
    return messages


def outline(content: bytes) -> list[tuple[Any, ...]]:
    """What stays the same from run to run: types, phases and edges."""
    return [(m["type"], m.get("name"), m.get("edge"), m.get("phase")) for m in valid_lines(content)]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", NAMES)
def test_golden_transcripts_are_valid_small_and_current(name: str) -> None:
    content = (golden.FOLDER / f"{name}.jsonl").read_bytes()
    assert len(valid_lines(content)) >= 3
    assert len(content) < 10_000
    assert outline(content) == outline(golden.make(name).stdout), "run python -m tests.support.golden"


def test_no_other_transcripts_lie_there() -> None:
    assert sorted(path.stem for path in golden.FOLDER.glob("*.jsonl")) == NAMES


@pytest.mark.parametrize(
    "script",
    [
        {},
        {"distribution": "lognormal", "spread": "0.3", "seed": "7"},
        {"distribution": "normal", "modes": "1.0,1.3", "wait": "sleep", "cold": "20"},
        {"behaviour": "nan"},
        {"behaviour": "import-noise"},
        {"behaviour": "flood", "bytes": "200000"},
        {"behaviour": "error", "code": "accelerator"},
        {"behaviour": "no-done"},
        {"executed": "elsewhere"},
    ],
    ids=lambda script: "-".join(script.values()) or "plain",
)
def test_whatever_the_double_says_is_valid(script: dict[str, str], tmp_path: Path) -> None:
    ended = runners.launch(runners.FAKE, runners.scripted(tmp_path, **script))
    assert len(valid_lines(ended.stdout)) == len(ended.stdout.splitlines())


def test_the_double_inspects_describes_and_refuses(tmp_path: Path) -> None:
    line = runners.request(tmp_path)
    for command in ("inspect", "describe", "compile", "nonsense"):
        ended = runners.launch(runners.FAKE, line, [command])
        assert len(valid_lines(ended.stdout)) == len(ended.stdout.splitlines()) > 0


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "phase", "name": "lunch", "edge": "start", "t_ns": 1},
        {"type": "phase", "name": "load", "edge": "start", "t_ns": 1.5},
        {"type": "latencies", "phase": "measure", "start": 0, "values_ns": []},
        {"type": "latencies", "phase": "measure", "start": 0, "values_ns": [1] * 4097},
        {"type": "harness", "values_ns": [1] * 199},
        {"type": "error", "code": "x-", "message": "m", "details": {}},
        {"type": "error", "code": "model", "message": "", "details": {}},
        {"type": "done"},
        {"type": 1},
        [],
    ],
)
def test_the_schema_refuses_what_is_wrong(broken: Any) -> None:
    assert not VALIDATOR.is_valid(broken)


def test_the_schema_accepts_what_is_new() -> None:
    assert VALIDATOR.is_valid({"type": "x-new", "anything": 1})
    assert VALIDATOR.is_valid({"type": "done", "iterations": 1, "new": []})
