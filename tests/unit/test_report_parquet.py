"""The Parquet file against the CSV of the same document."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as reader

from orchestrator.domain import (
    CaseEnergy,
    MlperfResult,
    Note,
    Part,
    Quantile,
    Roofline,
    Scatter,
    Skip,
    SpeedMode,
)
from orchestrator.merge import summary_document
from orchestrator.report import comma, parquet
from tests.support.results import artifact, case, document, header, summary


def rich() -> dict[str, Any]:
    """A row in which every kind of column has a value."""
    judged: dict[str, Any] = {
        "stability": "MULTIMODAL",
        "modes": (SpeedMode(9e6, 3, 0.6, 0.23, 0.88, 8.9e6, 9.1e6), SpeedMode(1.2e7, 2, 0.4, 0.12, 0.77)),
        "scatter": Scatter(0.031, 0.012, 0.25, 812.5, Quantile(1.9e7)),
        "roofline": Roofline(3e9, 2.5, 1.25e10, 0.24, "memory", "fp32"),
        "notes": (Note("int8_not_faster", "it is not", {"x": 1}), Note("memory_bound", "so", {"y": 2})),
        "mlperf": MlperfResult(
            "Offline", "INVALID", "samples per second", value_per_s=81.5, reasons=("few",)
        ),
    }
    parts = (Part("h2d", 3, 1.2e6), Part("compute", 3, 9e7))
    row = replace(summary(case(mode="eager"), 1e7, parts=parts), **judged).to_json()
    energy = CaseEnergy("rapl", "cpu_package", "counter", 5, 0.5, 0.4, 0.6, rate_hz=10.0, calibrated=True)
    row["energy"] = [vars(energy), {**vars(energy), "source": "plug", "gross_low_j": None}]
    row["temperatures_c"], row["clocks_hz"] = {"thermal.cpu": 61.5}, {"cpu0": 2.4e9}
    made = summary_document(header(), [], [artifact()], [Skip(case(mode="aot"), "needs g++")])
    return {**made, "cases": [row]}


def table(what: dict[str, Any]) -> Any:
    return reader.read_table(io.BytesIO(parquet.render(what)))


@pytest.mark.parametrize("make", [document, rich])
def test_rows_and_values_are_those_of_the_csv(make: Any) -> None:
    rows = list(csv.DictReader(io.StringIO(comma.render(make()))))
    found = table(make())
    assert found.num_rows == len(rows)
    for name in comma.COLUMNS:
        for line, value in zip(rows, found[name].to_pylist(), strict=True):
            text = line[name]
            if not isinstance(value, list):
                told = {True: "true", False: "false", None: ""}.get(value, value) if text != "1" else value
                assert text == str(told) or float(text) == value, name
            elif text:  # name=value pairs: source and value, six digits in the CSV
                pairs = [pair.split("=", 1) for pair in text.split(" ")]
                assert [pair[0] for pair in pairs] == [key for key, _ in value], name
                for (_, told), (_, exact) in zip(pairs, value, strict=True):
                    assert (
                        told == str(exact).lower()
                        if isinstance(exact, bool | str)
                        else float(told) == (pytest.approx(exact, rel=1e-5))
                    ), name
            else:
                assert not value, name


def test_every_number_of_the_csv_is_a_number() -> None:
    """A new column of the CSV gets its type here, or this says so."""
    schema = table_schema()
    for row in [
        row for make in (document, rich) for row in csv.DictReader(io.StringIO(comma.render(make())))
    ]:
        for name, text in row.items():
            kind = schema.field(name).type
            is_number = text.replace(".", "", 1).replace("e-", "", 1).replace("e+", "", 1).isdigit()
            assert not (is_number and kind == pa.string()), name


def table_schema() -> Any:
    return table(rich()).schema


def test_units_stand_in_the_fields() -> None:
    schema = table_schema()
    for name, unit in {
        "p50_ns": b"ns",
        "rate_hz": b"1/s",
        "artifact_bytes": b"bytes",
        "gross_per_inference_j": b"J",
        "temperatures_c": b"degrees Celsius",
        "accuracy_drop_points": b"percentage points",
    }.items():
        assert schema.field(name).metadata == {b"unit": unit}
    assert schema.field("model").metadata is None


def test_the_verdicts_of_the_analysis_are_columns() -> None:
    (line, _) = csv.DictReader(io.StringIO(comma.render(rich())))
    assert (line["stability"], line["notes"]) == ("MULTIMODAL", "int8_not_faster memory_bound")
    assert (line["mode_p50_ns"], line["mode_launches"]) == ("1=9000000 2=12000000", "1=3 2=2")
    assert (line["mode_low_ns"], line["mode_share_high"]) == ("1=8900000", "1=0.88 2=0.77")
    assert (line["p999_ns"], line["roof_share"], line["bound"]) == ("19000000.0", "0.24", "memory")
    assert (line["mlperf_verdict"], line["mlperf_value_per_s"]) == ("INVALID", "81.5")
    assert "mlperf_verdict: few" in line["reasons"]
    found = table(rich())
    assert dict(found["mode_share"].to_pylist()[0]) == {"1": 0.6, "2": 0.4}
    units = {name: parquet.unit_of(name) for name in ("flop_per_s", "mlperf_value_per_s", "mlperf_value_ns")}
    assert units == {"flop_per_s": "FLOP/s", "mlperf_value_per_s": "1/s", "mlperf_value_ns": "ns"}


def test_launch_medians_are_a_list() -> None:
    found = table(document())
    by_case = {
        (row["case"]["model"], row["case"]["runtime"], str(row["case"]["options"])): row["launch_p50_ns"]
        for row in document()["cases"]
    }
    lists = found["launch_p50_ns"].to_pylist()
    assert sorted(filter(None, lists)) == sorted(filter(None, by_case.values()))
    assert lists[-1] is None  # a skip


def test_the_file_says_where_it_is_from() -> None:
    about = json.loads(table(document()).schema.metadata[b"inferometer"])
    assert about["runs"] == [document()["run"]]
    assert about["artifacts"] == document()["artifacts"]


def test_bytes_are_the_same_each_time() -> None:
    assert parquet.render(document()) == parquet.render(document())


def test_a_run_without_cases_has_the_same_columns() -> None:
    empty = table(summary_document(header(), [], [], []))
    assert empty.num_rows == 0
    assert empty.schema.names == table_schema().names
