"""How far a row is from what its board can do: measured peak and bandwidth make the roof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.domain import CaseSummary, Note, Roofline
from orchestrator.explain import told
from orchestrator.explain.table import Table, execution_of, is_int8

# Two measurements of one limit differ by some per cent; more than this is more than chance.
BEYOND = 1.1


def roofline(table: Table, row: CaseSummary) -> Roofline | None:
    """The row under the roof of its runtime, accelerator and threads; None where it has no speed.

    Each figure that cannot be had is None and the reason says why.
    """
    if not row.p50_ns or row.emulated:
        return None
    if row.artifact is None or not row.artifact.macs:
        return Roofline(reason="the multiply-accumulates of this network are not known")
    flop = 2 * row.artifact.macs * row.case.batch
    flop_per_s = flop / (row.p50_ns / 1e9)
    moved_bytes = _moved_bytes(row)
    if not moved_bytes:
        return Roofline(flop_per_s, reason="the size of the file that was loaded is not known")
    intensity = flop / moved_bytes
    ceiling = _ceiling(table, row)
    if isinstance(ceiling, str):
        return Roofline(flop_per_s, intensity, reason=ceiling)
    peak, bandwidth = ceiling
    limit = min(peak, intensity * bandwidth)
    bound = "memory" if intensity * bandwidth < peak else "compute"
    return Roofline(flop_per_s, intensity, limit, flop_per_s / limit, bound, "fp32")


def _moved_bytes(row: CaseSummary) -> int | None:
    """What must come from memory once an inference where no cache keeps it: weights, inputs, outputs.

    A file holds more than weights, and a compiled one code as well: no more is counted than the exported
    file's bytes, or four bytes a parameter.
    """
    size = row.artifact
    four = 4 * size.parameters if size and size.parameters else None
    known = [value for value in (row.artifact_bytes, size.bytes if size else None, four) if value]
    if not known:
        return None
    execution = execution_of(row)
    # What is unknown is left out: less is moved, so that the intensity stays an upper bound.
    return min(known) + (execution.input_bytes or 0) + (execution.output_bytes or 0)


def _ceiling(table: Table, row: CaseSummary) -> tuple[float, float] | str:
    """Peak (FLOP/s) and bandwidth (bytes/s) of the row's place, or why they are not known."""
    case = row.case
    wanted = {"runtime": case.runtime, "accelerator": case.accelerator, "threads": case.threads}
    for item in table.ceilings:
        if all(item.get(name) == value for name, value in wanted.items()):
            peak, bandwidth = item.get("flop_per_s"), item.get("bandwidth_bytes_per_s")
            if peak and bandwidth:
                return float(peak), float(bandwidth)
            return str(item.get("reason") or "peak and bandwidth could not be measured")
    place = f"{case.runtime} on {case.accelerator} with {told.threads(case.threads)}"
    return f"peak and bandwidth of {place} were not measured"


def bound(table: Table, row: CaseSummary) -> Iterator[Note]:
    """A note on rows that memory limits, and on those beyond a measured limit with what that means."""
    found = row.roofline
    if found is None or found.share is None:
        return
    if found.share > BEYOND:
        yield _beyond(row, found, found.share)
    elif found.bound == "memory":
        yield Note(
            "memory_bound",
            f"Memory limits it before arithmetic does: {_intensity(row, found)}, so at most "
            f"{told.amount(found.limit_flop_per_s or 0, 'FLOP/s')} here, "
            f"of which it reaches {found.share:.0%}.",
            _figures(found),
        )


def _beyond(row: CaseSummary, found: Roofline, share: float) -> Note:
    rate = told.amount(found.flop_per_s or 0, "OP/s" if is_int8(row.case) else "FLOP/s")
    if found.bound == "memory":
        text = (
            f"Faster than memory alone would allow ({share:.1f} times its limit; {_intensity(row, found)}): "
            "its data must stay in caches from one inference to the next."
        )
        return Note("memory_cached", text, _figures(found))
    if is_int8(row.case):
        text = (
            f"Its {rate} are {share:.1f} times the fp32 peak measured in its container: fp32 could not do it."
        )
        return Note("above_fp32_peak", text, _figures(found))
    text = (
        f"Its {rate} are {share:.1f} times the measured peak: the probe fell short, so read no share from it."
    )
    return Note("peak_too_low", text, _figures(found))


def _intensity(row: CaseSummary, found: Roofline) -> str:
    moved = told.amount(_moved_bytes(row) or 0, "B")
    return f"{found.intensity_flop_per_byte:.3g} operations a byte at most, {moved} an inference at least"


def _figures(found: Roofline) -> dict[str, float | str]:
    names = ("flop_per_s", "intensity_flop_per_byte", "limit_flop_per_s", "share", "bound")
    figures: dict[str, Any] = {name: getattr(found, name) for name in names}
    return figures
