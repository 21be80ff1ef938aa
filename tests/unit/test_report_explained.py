"""The sections under the tables that tell of modes and curves, also of a comparison of several runs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from orchestrator import merge
from orchestrator.domain import SpeedMode
from orchestrator.report import markdown
from orchestrator.report.page import model
from tests.support import explained


def joined(*rows: Any) -> dict[str, Any]:
    pieces: list[str] = []
    merge.join([("one", explained.document(*rows))], pieces.append)
    found: dict[str, Any] = json.loads("".join(pieces))
    return found


def test_each_mode_stands_with_its_figures_and_intervals() -> None:
    modes = (SpeedMode(9e6, 3, 0.6, 0.23, 0.88, 8.9e6, 9.1e6), SpeedMode(1.2e7, 2, 0.4, 0.12, 0.77))
    text = markdown.render(explained.document(replace(explained.row(width=None), modes=modes)))
    assert (
        "- mobilenet-v2 onnxruntime: 9.000 ms (8.900–9.100) in 3 of 5 launches, 60% (23% to 88%); "
        "12.00 ms in 2 of 5 launches, 40% (12% to 77%)"
    ) in text
    assert "Speed modes" not in markdown.render(explained.document(explained.row()))


def test_a_comparison_has_the_curves_of_its_rows() -> None:
    whole = joined(explained.row(threads=1), explained.row(threads=2, p50_ns=15e6))
    assert "over threads: 1 33.33/s, 2 66.67/s (median x 2.00)" in markdown.render(whole)
    (curve,) = model.build(whole)["curves"]
    assert [point["x"] for point in curve["points"]] == [1, 2]
