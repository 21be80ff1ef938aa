"""One figure as a reader sees it: a unit, four digits, and a reason where it is unknown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.domain import CaseSummary, Quantile
from orchestrator.domain.text import plain as plain
from orchestrator.findings import Code
from orchestrator.statistics.student import LEAST_LAUNCHES

UNKNOWN, FAILED, TOO_SMALL = "–", "failed", "n too small"
UNDER_EMULATION = "under emulation: says nothing about the board"
MIB = 2**20


@dataclass(frozen=True)
class Cell:
    """What stands in a table's cell; ``note`` becomes a footnote (why a value is unknown).

    ``grey``: a number that means nothing; it stands in brackets and, where there are colours, pale.
    """

    text: str
    note: str | None = None
    grey: bool = False


@dataclass(frozen=True)
class Unit:
    """A unit of time for a whole column."""

    name: str
    ns: float

    def cell(self, value_ns: float | None, reason: str) -> Cell:
        """A time in this unit, or unknown for the reason."""
        return Cell(UNKNOWN, reason) if value_ns is None else Cell(number(value_ns / self.ns))


def time_unit(values_ns: Iterable[float | None]) -> Unit:
    """The unit in which the smallest known value has digits before the point."""
    least = min((value for value in values_ns if value), default=1e6)
    if least < 1e6:
        return Unit("us", 1e3)
    return Unit("ms", 1e6) if least < 1e10 else Unit("s", 1e9)


def number(value: float) -> str:
    """Four significant digits without an exponent, at most three decimals: ``12.34``, ``1234``."""
    return f"{value:.{decimals(value)}f}"


def decimals(value: float) -> int:
    """How many decimals :func:`number` gives a value."""
    if value == 0:
        return 0
    return min(3, max(0, 3 - math.floor(math.log10(abs(value)))))


def interval_cell(summary: CaseSummary, unit: Unit) -> Cell:
    """``12.10–12.60``, with as many decimals as the estimate it surrounds."""
    interval = summary.interval
    if interval is None or summary.p50_ns is None:
        return Cell(UNKNOWN, reason(summary, "interval"))
    places = decimals(summary.p50_ns / unit.ns)
    low, high = (f"{end / unit.ns:.{places}f}" for end in (interval.low_ns, interval.high_ns))
    return Cell(f"{low}–{high}")


def quantile_cell(quantile: Quantile, unit: Unit) -> Cell:
    """A percentile, or ``n too small`` with the count it needs in a footnote."""
    if quantile.value_ns is not None:
        return Cell(number(quantile.value_ns / unit.ns))
    said = quantile.reason or "no reason recorded"
    head, _, counts = said.partition(": ")
    if head != TOO_SMALL:
        return Cell(UNKNOWN, said)
    # The count of this row stands in column n: rows then share one footnote.
    return Cell(head, f"{TOO_SMALL}: {counts.partition(' of ')[2]} iterations are needed")


def accuracy_cell(summary: CaseSummary) -> Cell:
    """Share of right top-1 predictions."""
    score = summary.accuracy
    if score is None:
        return Cell(UNKNOWN, reason(summary, "accuracy"))
    return Cell(f"{score.correct / score.total:.1%}")


def parity_cell(summary: CaseSummary) -> Cell:
    """``8/8 5e-06``: inputs whose top-1 equals PyTorch's, and the largest absolute difference."""
    parity = summary.parity
    if parity is None:
        return Cell(UNKNOWN, reason(summary, "parity"))
    equal = f"{parity.top1_equal}/{parity.total}"
    if parity.max_abs_difference is None:
        return Cell(f"{equal} {UNKNOWN}", "an output was missing or not a number")
    return Cell(f"{equal} {parity.max_abs_difference:.0e}")


def reason(summary: CaseSummary, field: str) -> str:
    """Why a field of a case that was measured is None."""
    said: Mapping[str, str] = {finding.code: finding.message for finding in summary.findings}
    if field == "interval" and Code.MULTIMODAL.code in said:
        return f"no interval: {said[Code.MULTIMODAL.code]}"
    if field.endswith("container_peak_bytes") and Code.MEMORY_UNAVAILABLE.code in said:
        return said[Code.MEMORY_UNAVAILABLE.code]
    if field == "stability" and summary.emulated:
        return UNDER_EMULATION
    if field == "accuracy" and (summary.weights or "").startswith("random"):
        return f"no accuracy: weights are {summary.weights}"
    return {
        "interval": f"an interval needs {LEAST_LAUNCHES} launches, there are {summary.launches}",
        "stability": f"stability needs {LEAST_LAUNCHES} launches, there are {summary.launches}",
        "between_launch_cv": "a spread between launches needs two launches",
        "first_ns": "the runner sent no first inference",
        "load_ns": "no load phase was seen",
        "rate_hz": "no mean latency",
        "artifact_bytes": "the artifact's size was not recorded",
        "container_peak_bytes": "no peak was recorded",
        "load_container_peak_bytes": "no peak of load was recorded",
        "inference_container_peak_bytes": "no peak of the inferences was recorded",
        "vm_hwm_bytes": "no VmHWM was recorded",
        "inference_vm_hwm_bytes": "no VmHWM of the inferences was recorded",
        "accuracy": "no accuracy: this model has no labels here",
        "parity": "no parity: this model has no reference outputs",
        "weights": "the origin of the weights was not recorded",
    }.get(field, "not measured")


def greyed(cell: Cell, summary: CaseSummary) -> Cell:
    """The cell of a figure of speed or memory; pale where an emulator made it."""
    if not summary.emulated or cell.text in (UNKNOWN, FAILED, TOO_SMALL):
        return cell
    return Cell(cell.text, UNDER_EMULATION, grey=True)
