"""Trial records to store, and strategies that draw them."""

from __future__ import annotations

from hypothesis import strategies as st

from orchestrator.domain import (
    Case,
    Finding,
    Latency,
    Memory,
    Parity,
    Score,
    Severity,
    Status,
    TrialRecord,
)

finite = st.floats(-1e15, 1e15).map(lambda value: round(value, 9))
counts = st.integers(0, 2**53)
texts = st.text(max_size=12)
plain = st.recursive(
    st.one_of(st.none(), st.booleans(), counts, finite, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(texts, inner, max_size=2)),
    max_leaves=4,
)

cases = st.builds(
    Case,
    texts,
    texts,
    texts,
    texts,
    counts,
    counts,
    st.dictionaries(texts, texts, max_size=2).map(lambda options: tuple(sorted(options.items()))),
)


def record(number: int) -> TrialRecord:
    """A plain record, the ``number``-th of its run."""
    case = Case("board", "alpha", "model")
    return TrialRecord(
        f"{case.id}#{number}", case, number, Status.OK, None, "process", "2026-01-01T00:00:00+00:00", number
    )


records = st.builds(
    TrialRecord,
    trial=texts,
    case=cases,
    launch=counts,
    status=st.sampled_from(Status),
    reason=st.none() | texts,
    engine=texts,
    emulated=st.booleans(),
    started_utc=texts,
    wall_ns=counts,
    exit_code=st.none() | counts,
    versions=st.dictionaries(texts, st.none() | texts, max_size=2),
    image=st.none() | texts,
    cores=st.lists(counts, max_size=2).map(tuple),
    phases_ns=st.dictionaries(texts, counts, max_size=2),
    steady=st.none() | st.booleans(),
    first_ns=st.none() | counts,
    loop_overhead_ns=st.none() | finite,
    latency=st.none() | st.builds(Latency, counts, finite, finite, finite, counts, counts),
    memory=st.none()
    | st.builds(
        Memory,
        container_peak_bytes=counts,
        container_peak_method=st.none() | st.sampled_from(["cgroup_peak", "sampled"]),
        vm_hwm_bytes=st.none() | counts,
        reasons=st.dictionaries(texts, texts, max_size=1),
    ),
    accuracy=st.none() | st.builds(Score, counts, counts),
    parity=st.none() | st.builds(Parity, counts, counts, st.none() | finite),
    placement=st.none() | st.dictionaries(texts, plain, max_size=2),
    telemetry=st.dictionaries(texts, st.dictionaries(texts, plain, max_size=2), max_size=2),
    findings=st.lists(st.builds(Finding, texts, st.sampled_from(Severity), texts, texts), max_size=2).map(
        tuple
    ),
    files=st.dictionaries(texts, texts, max_size=2),
)
