"""The picture on terminals of any width: what is readable, what is not here, what would help."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.live import Row, lines
from orchestrator.live.reasons import phrase


def row(source: str, value: str = "41 °C", reason: str | None = None, fix: str = "") -> Row:
    shown, note = ("-", phrase(reason)) if reason else (value, "")
    return Row(source, shown, "thermal_zone", "sampled", "1 Hz", note, reason, fix, 1.0)


ROWS = [
    row("thermal.cpu"),
    row("rapl", reason="no_sensor"),
    row("nvml.0.power", reason="no_sensor", fix="load the driver"),
    row("nvml.0.energy", reason="no_sensor", fix="load the driver"),
    row("host.load", reason="no_sensor"),
    row("host.busy"),
    row("perf_energy.pkg", reason="permission", fix="sudo sysctl x"),
]


def texts(rows: list[Row], width: int | None) -> list[str]:
    return [line.text for line in lines(rows, width)]


@pytest.mark.parametrize("width", [None, 100])
def test_what_is_not_here_is_one_line_and_a_fix_is_told_once(width: int | None) -> None:
    assert texts(ROWS, width) == [
        "source           value  scope         method   rate  why not",
        "thermal.cpu      41 °C  thermal_zone  sampled  1 Hz",
        "host.load        -      thermal_zone  sampled  1 Hz  no sensor here",
        "host.busy        41 °C  thermal_zone  sampled  1 Hz",
        "perf_energy.pkg  -      thermal_zone  sampled  1 Hz  closed to us",
        "no sensor here: rapl, nvml",
        "to read nvml: load the driver",
        "to read perf_energy: sudo sysctl x",
    ]
    styles = [line.style for line in lines(ROWS, width)]
    assert styles == ["bold", "", "dim", "", "dim", "", "", ""]


def test_a_narrow_terminal_drops_scope_and_method_and_then_the_rate() -> None:
    assert texts(ROWS, 99)[0] == "source           value  rate  why not"
    assert texts(ROWS, 45)[0] == "source           value  rate  why not"
    assert texts(ROWS, 44)[0] == "source           value  rate  why not"
    assert texts(ROWS, 43)[0] == "source           value  why not"


def test_names_are_cut_in_their_middle() -> None:
    rows = [row(f"thermal.a-very-long-name-of-a-zone-{end}") for end in ("cpu", "gpu")]
    table = texts(rows, 40)
    assert [line.split()[0] for line in table[1:]] == [
        "thermal.a-v..-a-zone-cpu",
        "thermal.a-v..-a-zone-gpu",
    ]
    assert max(map(len, table)) <= 40


@given(st.lists(st.from_regex(r"[a-c]{1,3}\.[a-c]{0,40}", fullmatch=True), unique=True), st.integers(20, 120))
def test_names_can_always_be_told_apart(names: list[str], width: int) -> None:
    first = [text.split()[0] for text in texts([row(name) for name in names], width)[1:]]
    assert len(set(first)) == len(names)


def test_nothing_yet_is_the_titles_alone() -> None:
    assert len(texts([], 80)) == 1
