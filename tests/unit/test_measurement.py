"""Readings cut by the runner's window: nothing invented, nothing from outside, absence with a reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import measurement
from orchestrator.measurement import align, cut, fallback, midpoint_ns, observe, read_lines, summarise

SECOND = 1_000_000_000
CLOCK = {"boot_id": "b", "time_namespace": "time:[4026531834]", "t_ns": 1}


def reading(t_ns, value=1.0, source="thermal.cpu", reason=None, width_ns=0, method="sampled", unit="c"):
    return {
        "type": "reading",
        "source": source,
        "scope": "host",
        "method": method,
        "unit": unit,
        "value": value,
        "reason": reason if value is None else None,
        "t0_ns": t_ns,
        "t1_ns": t_ns + width_ns,
    }


readings = st.lists(
    st.builds(
        reading,
        st.integers(0, 1000),
        st.none() | st.floats(-100, 100),
        reason=st.sampled_from(["eagain", "parse"]),
        width_ns=st.integers(0, 50),
    )
)
windows = st.tuples(st.integers(0, 1000), st.integers(1, 500)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(readings, windows)
def test_a_cut_is_a_part_of_what_was_read_in_its_order(lines, window):
    kept = cut(lines, window)
    assert [line for line in lines if any(line is one for one in kept)] == kept
    for line in lines:
        assert (line in kept) == (window[0] <= midpoint_ns(line) <= window[1])


@given(readings.filter(bool), windows, st.integers(1, 300))
def test_a_summary_says_nothing_that_no_reading_inside_said(lines, window, interval_ns):
    lines.sort(key=midpoint_ns)
    inside = cut(lines, window)
    values = [line["value"] for line in inside if line["value"] is not None]
    summary = summarise(lines, window, interval_ns)
    assert summary.count == len(values)
    assert summary.count + sum(summary.reasons.values()) == len(inside)
    assert 0 <= summary.coverage <= 1 + 1e-9
    assert 0 <= summary.max_gap_ns <= window[1] - window[0]
    if values:
        assert (summary.min, summary.max) == (min(values), max(values))
        assert (summary.first, summary.last) == (values[0], values[-1])
        assert summary.min - 1e-9 <= summary.mean <= summary.max + 1e-9
        assert summary.reason is None
    else:
        assert (summary.min, summary.max, summary.mean, summary.first, summary.last) == (None,) * 5
        assert summary.coverage == 0
        assert summary.reason


def test_readings_at_every_tick_cover_the_window():
    lines = [reading(n * SECOND) for n in range(10)]
    summary = summarise(lines, (2 * SECOND, 6 * SECOND), SECOND)
    assert (summary.count, summary.coverage, summary.max_gap_ns) == (5, 1.0, SECOND)


def test_a_gap_lowers_the_coverage_and_is_reported():
    lines = [reading(n * SECOND) for n in (0, 1, 2, 8, 9, 10)]
    summary = summarise(lines, (0, 10 * SECOND), SECOND)
    assert (summary.coverage, summary.max_gap_ns) == (0.5, 6 * SECOND)


def test_readings_without_a_value_do_not_cover():
    lines = [reading(n * SECOND, None if n in (4, 5, 6) else 40.0, reason="eagain") for n in range(11)]
    summary = summarise(lines, (0, 10 * SECOND), SECOND)
    assert (summary.count, summary.reasons, summary.max_gap_ns) == (8, {"eagain": 3}, 4 * SECOND)
    assert summary.coverage == 0.7


def test_a_window_without_values_has_the_reason_given_most():
    lines = [
        reading(1, None, reason="eagain"),
        reading(2, None, reason="parse"),
        reading(3, None, reason="parse"),
    ]
    assert summarise(lines, (0, 10), 1).reason == "parse"
    assert summarise([reading(11)], (0, 10), 1).reason == "no reading inside the window"


def test_words_and_counters_have_no_mean():
    words = [reading(1, "powersave", unit="text", method="setting"), reading(2, "performance", unit="text")]
    summary = summarise(words, (0, 3), 1)
    assert (summary.first, summary.last, summary.min, summary.mean) == (
        "powersave",
        "performance",
        None,
        None,
    )
    counter = summarise([reading(1, 10, method="counter"), reading(2, 30, method="counter")], (0, 3), 1)
    assert (counter.last - counter.first, counter.mean) == (20, None)


def test_an_empty_window_divides_nothing_by_zero():
    assert summarise([reading(5)], (5, 5), 1).coverage == 0


@pytest.mark.parametrize(
    "changed, words",
    [
        ({}, None),
        ({"t_ns": 99}, None),
        ({"boot_id": "other"}, "boot id differs: runner b, telemetry other"),
        ({"boot_id": None}, "boot id unknown"),
        ({"time_namespace": "time:[1]"}, "time namespace differs"),
        ({"time_namespace": None}, "time namespace differs"),
    ],
)
def test_clocks_that_differ_are_not_aligned(changed, words):
    reason = align(CLOCK, {**CLOCK, **changed})
    assert reason is None if words is None else words in reason


def test_a_kernel_without_time_namespaces_is_aligned():
    old = {**CLOCK, "time_namespace": None}
    assert align(old, old) is None


def test_two_unknown_boot_ids_are_not_equal():
    unknown = {**CLOCK, "boot_id": None}
    assert align(unknown, unknown)


START = {"type": "clock", **CLOCK, "interval_ns": 10}
END = {
    "type": "end",
    "cause": "eof",
    "cpu_ns": 5,
    "startup_cpu_ns": 3,
    "max_rss_bytes": 7,
    "ticks": 2,
    "missed": 1,
}


def test_a_record_gets_each_source_and_the_programs_own_cost():
    lines = [START, reading(10, 40.0), reading(10, 8, "host.memory_available"), reading(99, 60.0), END]
    found = observe(lines, CLOCK, (0, 50))
    assert set(found) == {"telemetry", "thermal.cpu", "host.memory_available"}
    assert found["thermal.cpu"]["max"] == 40.0
    assert found["telemetry"]["reason"] is None
    assert found["telemetry"]["missed"] == 1
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    "lines, clock, window, reason",
    [
        ([], CLOCK, (0, 9), "no telemetry was taken"),
        ([reading(1)], CLOCK, (0, 9), "no telemetry was taken"),
        ([START, reading(1)], CLOCK, None, "not reached or not closed"),
        ([START, reading(1)], {}, (0, 9), "boot id unknown"),
        ([START, reading(1)], {**CLOCK, "boot_id": "x"}, (0, 9), "boot id differs"),
    ],
)
def test_without_alignment_there_are_no_summaries(lines, clock, window, reason):
    found = observe(lines, clock, window)
    assert list(found) == ["telemetry"]
    assert reason in found["telemetry"]["reason"]


def test_lines_of_a_killed_process_end_in_the_middle(tmp_path):
    path = tmp_path / "telemetry.jsonl"
    path.write_bytes(json.dumps(START).encode() + b"\n" + b'{"type":"reading","val')
    assert read_lines(path) == [START]
    path.write_bytes(b"\xff\n7\n[]\n")
    assert read_lines(path) == []
    assert read_lines(tmp_path / "absent") == []


@pytest.mark.parametrize(
    "requested, executed, words",
    [
        ("cpu", {"CPUExecutionProvider": 9}, None),
        ("cpu", {"XNNPACK": None}, None),
        ("cuda", {"CUDAExecutionProvider": 9, "CPUExecutionProvider": 1}, None),
        ("cuda", {"CUDAExecutionProvider": None}, None),
        ("cuda", {"CPUExecutionProvider": 10}, "cuda was asked for, executed on CPUExecutionProvider"),
        ("cuda", {"CUDAExecutionProvider": 0, "cpu": 3}, "cuda was asked for"),
        ("cuda", {}, "executed on nothing"),
    ],
)
def test_a_silent_fallback_is_found(requested, executed, words):
    reason = fallback({"requested": requested, "executed": executed})
    assert reason is None if words is None else words in reason


def test_the_room_stays_pure():
    assert not {"subprocess", "os", "time"} & set(vars(measurement))
