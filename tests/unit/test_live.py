"""Telemetry's lines as people read them, and which sources are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines.place import Place
from orchestrator.live import Picture, Row, wished
from orchestrator.live.reasons import phrase
from orchestrator.live.units import human, human_rate
from orchestrator.telemetry.reading import REASONS

CATALOG = Catalog(suite_root())
TREES = Path(__file__).parent.parent / "fixtures" / "sys"
PI = Place(TREES / "rpi5", "aarch64", (0, 1, 2, 3))
STRANGER = Place(TREES / "rpi5", "riscv64", (0,))


def reading(value: Any, at_s: float, **more: Any) -> dict[str, Any]:
    line = {"type": "reading", "source": "rapl.package-0", "scope": "cpu_package", "method": "counter"}
    times = {"t0_ns": int(at_s * 1e9), "t1_ns": int(at_s * 1e9) + 1000}
    reason = None if value is not None else "permission"
    return {**line, "unit": "j", "value": value, "reason": reason, **times, **more}


def shown(*lines: dict[str, Any]) -> Row:
    picture = Picture()
    for line in lines:
        picture.take(line)
    [row] = picture.rows()
    return row


def test_a_counter_shows_how_it_grows() -> None:
    row = shown(
        {"type": "clock", "t_ns": 10_000_000_000},
        reading(65997.25, 11),
        reading(66009.75, 12),
        reading(66021, 13),
    )
    assert (row.source, row.value, row.scope, row.method) == (
        "rapl.package-0",
        "66.02 kJ (11.25 W)",
        "cpu_package",
        "counter",
    )
    assert (row.rate, row.note, row.time_s) == ("1 Hz", "", 3.0)


def test_a_counter_that_fell_or_was_read_twice_at_once_shows_no_growth() -> None:
    assert shown(reading(5, 1), reading(1, 2)).value == "1 J"
    assert shown(reading(1, 1), reading(5, 1.01)).value == "5 J"
    assert shown(reading(1, 1), reading(1, 1.09), reading(5, 1.1)).value == "5 J (40 W)"


def test_the_rate_is_measured_and_needs_three_values() -> None:
    assert shown(reading(1, 1), reading(2, 2)).rate == "-"
    assert shown(*[reading(n, n * 0.125) for n in range(40)]).rate == "8 Hz"
    assert shown(*[reading(None, n) for n in range(40)]).rate == "-"


def test_a_missing_value_has_its_reason_and_what_would_help() -> None:
    bare = shown(reading(None, 1))
    assert (bare.value, bare.note, bare.reason, bare.fix) == ("-", "closed to us", "permission", "")
    fix = {"type": "fix", "source": "rapl.package-0", "reason": "permission", "fix": "sudo chmod a+r FILE"}
    assert shown(fix, reading(None, 1)).fix == "sudo chmod a+r FILE"
    assert shown(fix, reading(None, 1, reason="eagain")).fix == ""
    mended = shown(fix, reading(None, 1), reading(3, 2))
    assert (mended.note, mended.fix) == ("", "")


def test_a_meter_that_tells_its_power_shows_no_power_of_its_steps() -> None:
    picture, power = Picture(), {"source": "shelly.power", "method": "sampled", "unit": "w", "scope": "wall"}
    energy = {"source": "shelly.energy", "scope": "wall"}
    for second, joules in enumerate((3600, 3643, 3643, 3693)):
        picture.take(reading(46.5, second, **power))
        row = picture.take(reading(joules, second, **energy))
        assert row and row.value == f"{joules / 1000:.4g} kJ"
    picture.take(reading(None, 5, **power))
    row = picture.take(reading(3743, 5, **energy))
    assert row and row.value == "3.743 kJ (25 W)"  # what else would tell


def test_every_reason_has_a_phrase() -> None:
    phrases = {code: phrase(code) for code in REASONS}
    assert all(words != code for code, words in phrases.items())
    assert len(set(phrases.values())) == len(REASONS)
    assert phrase("something_new") == "something_new"


def test_other_lines_are_no_rows() -> None:
    picture = Picture()
    for kind in ("clock", "end", "back_off", "block", "something new"):
        assert picture.take({"type": kind, "t_ns": 1}) is None
    assert picture.rows() == []


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("hz", 4_800_000_000, "4.8 GHz"),
        ("hz", 600_000_000, "600 MHz"),
        ("w", 1.76670654, "1.767 W"),
        ("w", 0.0404, "40.4 mW"),
        ("w", 0, "0 W"),
        ("j", 0.00001, "1e-05 J"),
        ("v", 0.8749, "874.9 mV"),
        ("c", 46.6, "46.6 °C"),
        ("bytes", 28123456 * 1024, "26.82 GiB"),
        ("bytes", 512, "512 B"),
        ("ns", 5_380_000_000, "5.38 s"),
        ("bits", 0x50005, "0x50005"),
        ("count", 12, "12"),
        ("text", "schedutil", "schedutil"),
    ],
)
def test_units_of_people(unit: str, value: float | str, text: str) -> None:
    assert human(unit, value) == text


def test_growth_of_counters() -> None:
    assert human_rate("ns", 5e8) == "50 % of a core"
    assert human_rate("count", 5) is None


def test_the_device_says_what_is_looked_at() -> None:
    profile = CATALOG.device("rpi5").sources
    assert wished(CATALOG, "", (), None, PI) == profile
    assert wished(CATALOG, "nuc", (), None, PI) == CATALOG.device("nuc").sources
    assert wished(CATALOG, "", ("thermal", "rapl@0.1"), None, PI) == ("thermal", "rapl@0.1")
    assert wished(CATALOG, "", (), None, STRANGER) == ()


def test_a_plug_comes_besides() -> None:
    plug = "shelly=http://192.168.1.5"
    assert wished(CATALOG, "", ("thermal",), plug, PI) == ("thermal", plug)
    everything = wished(CATALOG, "", (), plug, STRANGER)
    assert everything[-1] == plug
    heads = [source.partition("=")[0].partition("@")[0] for source in everything]
    assert len(heads) == len(set(heads))
    assert set(CATALOG.device("x86").sources) <= set(everything)


def test_an_unknown_device_is_refused() -> None:
    with pytest.raises(InferometerError, match="rpi6"):
        wished(CATALOG, "rpi6", (), None, PI)
