"""What a variant's accuracy is below that of nq in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain import Case, CaseSummary, Size

BASELINE = "nq"


def with_drops(rows: Sequence[CaseSummary]) -> list[CaseSummary]:
    """The rows with ``artifact.accuracy_drop_points``, or the reason why there is none.

    The same place: device, runtime, accelerator, options, batch and threads.
    """
    baselines = {_place(row.case): row for row in rows if row.case.variant == BASELINE}
    return [
        replace(row, artifact=_with_drop(row, row.artifact, baselines.get(_place(row.case))))
        if row.artifact
        else row
        for row in rows
    ]


def _place(case: Case) -> Case:
    return replace(case, variant=BASELINE)


def _with_drop(row: CaseSummary, size: Size, baseline: CaseSummary | None) -> Size:
    if row.accuracy is None:
        return replace(size, accuracy_drop_reason="no accuracy: this case has none")
    if baseline is None:
        return replace(size, accuracy_drop_reason=f"{BASELINE} was not measured beside it")
    if baseline.accuracy is None:
        return replace(size, accuracy_drop_reason=f"{BASELINE} has no accuracy beside it")
    before, after = baseline.accuracy, row.accuracy
    points = 100 * (before.correct * after.total - after.correct * before.total)
    return replace(size, accuracy_drop_points=points / (before.total * after.total))
