"""Summary documents: written, valid under their schemas, read again or refused."""

from __future__ import annotations

import copy
import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import ValidationError

from orchestrator.domain import (
    CaseSummary,
    InferometerError,
    Skip,
    TrialRecord,
)
from orchestrator.merge import (
    case_summary,
    join,
    read_document,
    summary_document,
)
from orchestrator.migrations import SCHEMA
from orchestrator.plan import Settings, Wish, to_json
from tests.support import doubles
from tests.support.results import artifact, case, document, failed, header, record, summary, window
from tests.support.schemas import CONTENTS, check


def test_trial_schema_has_exactly_the_fields_of_a_record() -> None:
    content = CONTENTS["trial.schema.json"]
    assert set(content["properties"]) == {field.name for field in fields(TrialRecord)}
    assert set(content["required"]) == set(content["properties"])
    check("trial", json.loads(json.dumps(record(case(mode="aot"), 0, window(1e7, 0)).to_json())))
    check("trial", json.loads(json.dumps(failed(case(), 3).to_json())))


def test_run_schema_has_exactly_the_wishes_and_settings_of_a_plan() -> None:
    plan = CONTENTS["run.schema.json"]["properties"]["plan"]["properties"]
    assert set(plan["wish"]["properties"]) == {field.name for field in fields(Wish)}
    assert set(plan["settings"]["properties"]) == {field.name for field in fields(Settings)}
    made = to_json(doubles.plan_of([doubles.case()]))
    assert set(made) == set(plan)
    check("run", json.loads(json.dumps({"schema": SCHEMA, "plan": made})))


def test_summary_schema_has_exactly_the_fields_of_a_summary() -> None:
    content = CONTENTS["summary.schema.json"]["$defs"]["case_summary"]
    assert set(content["properties"]) == {field.name for field in fields(CaseSummary)}
    assert set(content["required"]) == set(content["properties"])


def test_documents_are_valid_under_their_schemas() -> None:
    whole = document()
    check("summary", whole)
    pieces: list[str] = []
    join([("here", whole)], pieces.append)
    check("merged", json.loads("".join(pieces)))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["cases"][0].pop("p50_ns"),
        lambda d: d["cases"][0].update(invented=1),
        lambda d: d["cases"][0].update(p90={"value_ns": None, "reason": None}),
        lambda d: d["cases"][0].update(container_peak_bytes=0),
        lambda d: d["run"].pop("machine"),
        lambda d: d["skips"][0].update(reason=""),
        lambda d: d.update(schema=1),
    ],
)
def test_the_schema_refuses_what_is_no_summary(spoil: Any) -> None:
    broken = copy.deepcopy(document())
    spoil(broken)
    with pytest.raises(ValidationError):
        check("summary", broken)


def test_rows_survive_their_document() -> None:
    rows = [
        summary(case(), 1e7),
        summary(case(mode="aot"), None),
        summary(case("tflite"), 1e7, modes=(1, 1.3)),
    ]
    whole = summary_document(header(), rows, [artifact()], [Skip(case("pytorch"), "no g++")])
    again = read_document("x", json.dumps(whole))
    assert sorted((case_summary(row) for row in again["cases"]), key=lambda row: row.case.id) == sorted(
        rows, key=lambda row: row.case.id
    )


def test_a_header_without_a_field_is_no_document() -> None:
    with pytest.raises(ValueError, match="no seed"):
        summary_document({k: v for k, v in header().items() if k != "seed"}, [], [], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "file: not JSON"),
        ("[]", "file: not a JSON object"),
        ('{"schema": 3}', "file: field schema is 3, this version reads 1 to 2; update"),
        ('{"schema": true}', "file: field schema is True, this version reads 1 to 2; restore"),
        ("{}", "file: field schema is None"),
        (
            '{"schema": 2, "run": {}, "artifacts": [], "cases": {}, "skips": []}',
            'file: field run: "name" is a required property',
        ),
        (
            '{"schema": 1, "artifacts": [], "cases": [], "skips": []}',
            'file: field document: "run" is a required property',
        ),
        (
            '{"schema": 1, "artifacts": [], "cases": [], "skips": [], "runs": 3}',
            'file: field runs: 3 is not of type "array"',
        ),
    ],
)
def test_a_broken_document_is_refused_in_one_line_naming_the_field(text: str, message: str) -> None:
    with pytest.raises(InferometerError) as caught:
        read_document("file", text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_nothing_but_a_refusal_comes_of_any_other_json(value: object) -> None:
    with pytest.raises(InferometerError):
        read_document("file", json.dumps(value))


@pytest.mark.parametrize("field", ["case", "verdict", "findings", "p90", "interval"])
def test_a_broken_row_is_refused_naming_its_case(field: str) -> None:
    row = document()["cases"][0]
    with pytest.raises(InferometerError, match="not a summary of this version"):
        case_summary({**row, field: "x"})
