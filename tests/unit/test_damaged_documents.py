"""A field changed by hand, at any depth of a document: a normal end, or one line that names it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cli.results import FORMATS
from orchestrator.domain import CaseEnergy, MlperfResult, Skip
from orchestrator.merge import join, summary_document
from tests.support.curves import hot
from tests.support.damage import ANYTHING, Place, changed, paths, told
from tests.support.explained import ceiling, document, row
from tests.support.results import artifact, case, header, summary


def whole() -> dict[str, Any]:
    """A run with modes, joules, a long window, curves, ceilings, LoadGen's verdict, a failure and a skip."""
    rich = replace(
        summary(case("tflite"), 1e7, modes=(1, 1.3)),
        energy=(CaseEnergy("rapl", "package", "counter", 5, 1.0, 0.9, 1.1, reason=None, mean_w=3.0),),
        sustained=hot(3),
        mlperf=MlperfResult(
            "SingleStream", "VALID", "90th percentile", 1e7, settings={"min_duration_ms": 60}
        ),
    )
    curve = document(*(row(threads=threads, p50_ns=30e6 / threads) for threads in (1, 2)))["curves"]
    head = header(
        budget={"asked_s": 60, "spent_s": 50, "width": 0.02, "ended": None, "extended": {}},
        isolation={"governors": {"cpu0": "performance"}, "load_average": [0.1, 0.2, 0.3], "swaps": []},
        observer={
            "case": case().to_json(),
            **dict.fromkeys(("on_ns", "off_ns"), 1e6),
            **dict(zip(("shift", "low", "high", "reason"), (0.0, -0.1, 0.1, None), strict=True)),
            "rounds": 3,
        },
        power={"asked": True, "readable": ["rapl"], "refused": ["x: y"]},
        ceilings=[ceiling()],
        versions={"tflite": "2.1.0"},
    )
    rows = [rich, summary(case("pytorch"), None), row(threads=1), row(threads=2)]
    made = summary_document(head, rows, [artifact()], [Skip(case("armnn"), "no Arm")])
    return json.loads(json.dumps({**made, "curves": curve}))


def merged() -> dict[str, Any]:
    """The same as a comparison."""
    pieces: list[str] = []
    join([("here", whole())], pieces.append)
    return json.loads("".join(pieces))


DOCUMENTS = {"summary.json": whole(), "merged.json": merged()}
PLACES = [(name, path) for name, made in DOCUMENTS.items() for path in paths(made)]


def commands(place: Path, name: str, form: str) -> Iterator[tuple[str, ...]]:
    """What reads a document: each is given it as ``place/name``."""
    path = str(place / name)
    yield "report", path, "--format", form
    yield "explain", path
    yield "compare", path, path
    if name == "summary.json":
        yield "merge", str(place), "--out", str(place / "out.json"), "--format", form


@given(st.sampled_from(PLACES), ANYTHING, st.sampled_from(FORMATS))
@settings(max_examples=60, deadline=None)
def test_any_value_anywhere(place: tuple[str, Place], value: object, form: str) -> None:
    name, path = place
    with tempfile.TemporaryDirectory() as folder:
        text = json.dumps(changed(DOCUMENTS[name], path, value))
        (Path(folder) / name).write_text(text)
        for words in commands(Path(folder), name, form):
            told(*words)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("curves",), [{}], 'field curves[0]: "kind" is a required property'),
        (
            ("cases", 3, "modes", 0, "p50_ns"),
            "x",
            'field cases[3].modes[0].p50_ns: "x" is not of type "number"',
        ),
        (("cases", 3, "modes"), [3], 'field cases[3].modes[0]: 3 is not of type "object"'),
        (("cases", 0, "notes"), 3, 'field cases[0].notes: 3 is not of type "array"'),
        (("cases", 0, "roofline"), [], 'field cases[0].roofline: [] is not of type "null"'),
        (
            ("cases", 3, "mlperf", "verdict"),
            1,
            'field cases[3].mlperf.verdict: 1 is not one of "VALID", "INVALID" or null',
        ),
        (
            ("cases", 0, "p50_ns"),
            float("nan"),
            "field cases[0].p50_ns is nan, which no figure of a machine is",
        ),
        (("cases", 0, "p50_ns"), 10**400, "field cases[0].p50_ns is 1000"),
        (("cases", 0, "case", "batch"), True, 'field cases[0].case.batch: true is not of type "integer"'),
        (("run", "engines"), "docker", 'field run.engines: "docker" is not of type "array"'),
        (("run", "name"), "\ud800", 'field run.name is "\\ud800", which has half a character'),
    ],
)
def test_the_line_names_file_field_and_fix(tmp_path: Path, path: Place, value: Any, complaint: str) -> None:
    (tmp_path / "summary.json").write_text(json.dumps(changed(whole(), path, value)))
    for words in commands(tmp_path, "summary.json", "table"):
        line = told(*words)
        assert line, words
        assert f"{tmp_path / 'summary.json'}: {complaint}" in line
        assert line.endswith("; restore the file from a copy, or make it again\n")


def test_a_row_of_no_run(tmp_path: Path) -> None:
    path = tmp_path / "merged.json"
    path.write_text(json.dumps(changed(merged(), ("cases", 1, "run"), "elsewhere")))
    line = told("report", str(path), "--format", "html")
    assert line and 'field cases[1].run is "elsewhere", and no run here has that name; restore' in line
