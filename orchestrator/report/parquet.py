"""Apache Parquet: the lines of the CSV with types, for programs that read tables by column.

What holds ``source=value`` of several sensors in the CSV is a map here, and ``launch_p50_ns`` lists the
median of each launch. Unknown is null, with its reason in ``reasons``. Written by one version of pyarrow the
bytes are the same whenever they are written.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.report import comma, judged
from orchestrator.report.table import Row, content

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

# By the end of a column's name; the longest that fits counts.
UNITS = {
    "_ns": "ns",
    "_s": "s",
    "_j": "J",
    "_w": "W",
    "_c": "degrees Celsius",
    "_hz": "1/s",
    "_bytes": "bytes",
    "_points": "percentage points",
    "_per_s": "1/s",
    "flop_per_s": "FLOP/s",
    "_per_byte": "FLOP/byte",
}
_NUMBERS = {
    *("between_launch_cv", "minute_ratio", "parity_max_abs_difference", "accuracy_drop_points"),
    *("energy_coverage", "energy_uncertainty"),
    *judged.NUMBERS,
}
_COUNTS = {
    *("batch", "threads", "launches", "failed_launches", "iterations", "first_minute", "last_minute"),
    *("parameters", "nonzero_parameters", "macs", "accuracy_correct", "accuracy_total"),
    *("parity_top1_equal", "parity_total", "energy_launches"),
}
_FLAGS = {"emulated", "energy_calibrated"}
# Columns of the CSV that hold name=value pairs.
_MAPS = {*comma.ENERGY, *judged.MODES, "parts_p50_ns", "temperatures_c", "clocks_hz", "options"}
_TEXTS = {"minute_p50_ns", "minute_clock_hz", "minute_mean_c", "minute_max_c", "minute_mean_w"}
LAUNCHES = "launch_p50_ns"


def render(document: Mapping[str, Any]) -> bytes:
    """A summary document or merged comparison as one Parquet file.

    Each field says its unit in its metadata; the file's own holds ``inferometer``: JSON of the runs
    (machine, versions, seed, date) and the artifacts with their SHA-256.
    """
    import pyarrow as pa
    from pyarrow import parquet

    found = content(document)
    rows = [*map(_values, found.rows), *map(comma.skip_fields, found.skips)]
    fields = [_field(name) for name in (*comma.COLUMNS, LAUNCHES)]
    about = {"schema": document["schema"], "runs": found.runs, "artifacts": document["artifacts"]}
    schema = pa.schema(fields, {"inferometer": json.dumps(about, sort_keys=True)})
    columns = [
        pa.array([_typed(row.get(field.name), field) for row in rows], type=field.type) for field in fields
    ]
    stream = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays(columns, schema=schema), stream, compression="zstd")
    return stream.getvalue()


def unit_of(name: str) -> str | None:
    """``ns`` for ``p50_ns``; None for what has no unit."""
    ends = [end for end in UNITS if name.endswith(end)]
    return UNITS[max(ends, key=len)] if ends else None


def _field(name: str) -> pa.Field:
    import pyarrow as pa

    kind: Any = _kind(name)
    if name == LAUNCHES:
        kind = pa.list_(kind)
    elif name in _MAPS:
        kind = pa.map_(pa.string(), kind)
    unit = unit_of(name)
    return pa.field(name, kind, metadata={"unit": unit} if unit else None)


def _kind(name: str) -> Any:
    """The type of a column's single values."""
    import pyarrow as pa

    if name in _FLAGS:
        return pa.bool_()
    if name in _COUNTS or (name.endswith("_bytes") and name not in _MAPS):
        return pa.int64()
    return pa.float64() if name in _NUMBERS or _is_measure(name) else pa.string()


def _is_measure(name: str) -> bool:
    return unit_of(name) is not None and name not in _TEXTS


def _values(row: Row) -> dict[str, Any]:
    summary = row.summary
    maps: dict[str, Iterable[tuple[str, Any]]] = {
        "parts_p50_ns": [(part.name, part.p50_ns) for part in summary.parts],
        "temperatures_c": summary.temperatures_c.items(),
        "clocks_hz": summary.clocks_hz.items(),
        **{name: judged.modes(summary, name) for name in judged.MODES},
    }
    for name in comma.ENERGY:
        field = name.removeprefix("energy_")
        maps[name] = [(one.source, getattr(one, field)) for one in summary.energy]
    return {
        **comma.fields(row),
        **{name: [(key, value) for key, value in pairs if value is not None] for name, pairs in maps.items()},
        "options": summary.case.options,
        LAUNCHES: summary.launch_p50_ns or None,
    }


def _typed(value: Any, field: pa.Field) -> Any:
    if value is None or value == "":
        return None
    if field.name in _FLAGS and not isinstance(value, list):
        return value == "true"
    if field.name == "options" and isinstance(value, str):  # of a skip
        return [tuple(pair.split("=", 1)) for pair in value.split(" ")]
    return value
