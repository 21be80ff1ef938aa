"""Rows with chosen figures, and documents of them as a run concludes them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orchestrator import scaling
from orchestrator.domain import (
    Case,
    CaseSummary,
    Execution,
    Finding,
    Interval,
    Note,
    Severity,
    Size,
    Verdict,
)
from orchestrator.explain import explained, notes
from orchestrator.merge import summary_document
from tests.support.results import header

NO_INSTRUCTIONS = {"arch": "x86_64", "cores": 4, "dot_product": [], "dot_product_reason": None}
MACS, PARAMETERS, FILE_BYTES = 300_000_000, 3_500_000, 14_000_000


def row(
    variant: str = "nq",
    p50_ns: float | None = 30e6,
    width: float | None = 0.02,
    findings: tuple[str, ...] = (),
    execution: Execution | None = None,
    macs: int | None = MACS,
    **case: Any,
) -> CaseSummary:
    """A row whose interval is ``p50_ns`` more and less the share ``width``; None: no interval."""
    interval = Interval(p50_ns * (1 - width), p50_ns * (1 + width), "made") if p50_ns and width else None
    which = replace(Case("x86", "onnxruntime", "mobilenet-v2", variant), **case)
    return CaseSummary(
        which,
        Verdict.VALID,
        tuple(Finding(code, Severity.SUSPECT, f"seen: {code} 87 C", "") for code in findings),
        launches=5,
        failed=0,
        count=500,
        p50_ns=p50_ns,
        interval=interval,
        mean_ns=p50_ns,
        rate_hz=which.batch * 1e9 / p50_ns if p50_ns else None,
        artifact_bytes=FILE_BYTES,
        artifact=Size(
            "onnx", FILE_BYTES, parameters=PARAMETERS, macs=macs, accuracy_drop_reason="no accuracy"
        ),
        execution=execution,
    )


def document(*rows: CaseSummary, **run: Any) -> dict[str, Any]:
    """A document of these rows; ``run`` are fields of its header."""
    made = summary_document({**header(), **{k: v for k, v in run.items() if k != "ceilings"}}, rows, [], [])
    if "ceilings" in run:
        made["run"]["ceilings"] = run["ceilings"]
    return {**made, "curves": scaling.curves(made["cases"])}


def noted(which: CaseSummary, *others: CaseSummary, **run: Any) -> list[Note]:
    """The notes of one row among others."""
    return notes(document(which, *others, **run))[which.case.id]


def only(code: str, found: list[Note]) -> Note | None:
    """The one note of a code, or None."""
    same = [note for note in found if note.code == code]
    assert len(same) < 2
    return same[0] if same else None


def placed(which: CaseSummary, *others: CaseSummary, **run: Any) -> Any:
    """A row's roofline as the document has it."""
    cases = explained(document(which, *others, **run))["cases"]
    return next(case["roofline"] for case in cases if Case.from_json(case["case"]) == which.case)


def ceiling(flop_per_s: float | None = 70e9, bandwidth: float | None = 10e9, **place: Any) -> dict[str, Any]:
    """What a container could do at most."""
    return {
        "runtime": "onnxruntime",
        "accelerator": "cpu",
        "threads": 1,
        "flop_per_s": flop_per_s,
        "bandwidth_bytes_per_s": bandwidth,
        "flop_kernel": "sgemm 512",
        "bandwidth_kernel": "add",
        "reason": None if flop_per_s and bandwidth else "numpy is not in this image",
        **place,
    }
