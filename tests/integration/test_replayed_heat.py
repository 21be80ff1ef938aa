"""A board that heats, throttles and cools while a session runs: what its trials record and its report says.

Takes about 40 seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.artifacts import cache_root
from orchestrator.catalog import Cooldown
from orchestrator.cli import main
from orchestrator.domain import Status, Trial, TrialRecord
from orchestrator.engines.launch import Watch
from orchestrator.engines.place import Place, here
from orchestrator.engines.process import ProcessEngine
from orchestrator.session import header
from orchestrator.store import Run
from tests.support import doubles
from tests.support import replayed_board as replayed
from tests.support.replayed_board import Board, Firmware

pytestmark = [pytest.mark.slow, pytest.mark.quiet]

POLICY = Cooldown(band_c=3, timeout_s=12)
SETTINGS = replace(doubles.SHORT, launches=3, min_duration_ns=4_000_000_000, timeout_s=30.0)
SOURCES = ("vcgencmd@0.5", "thermal@0.5", "cpufreq@0.5")
SLEEPING = {"latency_ns": "4000000", "wait": "sleep"}
BASE_C, HOT_C, COOLS_C_PER_S = 46.0, 62.0, 2.0
FULL_HZ, LOW_HZ = 2_400_000_000, 1_500_000_000
THROTTLED, STICKY = 0x4, 0x40000
CPU = "sys/devices/system/cpu/cpufreq/policy0"


class Course(doubles.Quiet):
    """The board's fate, trial by trial: cool; hot before and slowed within; hot for ever."""

    def __init__(self, board: Board, firmware: Firmware) -> None:
        super().__init__()
        self.board, self.firmware = board, firmware
        self.heat(lambda t_s: BASE_C)
        self.slow(lambda t_s: (0, FULL_HZ))
        for file in ("cur", "min", "max"):
            board.write(f"{CPU}/scaling_{file}_freq", f"{FULL_HZ // 1000}\n")

    def heat(self, celsius: Callable[[float], float]) -> None:
        """Both thermometers follow this."""
        self.board.play(
            "sys/class/thermal/thermal_zone0/temp", replayed.whole(lambda t_s: celsius(t_s) * 1e3)
        )
        self.firmware.play("measure_temp", lambda t_s: b"temp=%04.1f'C\n" % celsius(t_s))

    def slow(self, state: Callable[[float], tuple[int, int]]) -> None:
        """The firmware's bits, and its clock in Hz."""
        self.firmware.play("get_throttled", lambda t_s: b"throttled=0x%05x\n" % state(t_s)[0])
        self.firmware.play("measure_clock_arm", lambda t_s: b"frequency(0)=%010d\n" % state(t_s)[1])

    def trial_starts(self, number: int, total: int, trial: Trial) -> None:
        """What happens in the second launch begins in its window, which is 4 s long and 1 s away."""
        if number == 1:
            at_s = self.board.now() + 2.5
            self.slow(lambda t_s: (STICKY | THROTTLED, LOW_HZ) if t_s >= at_s else (0, FULL_HZ))

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """The board is hot after a trial; after the second it stays so."""
        super().trial_ended(number, total, record)
        at_s = self.board.now()
        if number == 1:
            self.heat(lambda t_s: max(BASE_C, HOT_C - COOLS_C_PER_S * (t_s - at_s)))
        elif number == 2:
            self.heat(lambda t_s: HOT_C)
            self.slow(lambda t_s: (STICKY, FULL_HZ))


@dataclass(frozen=True)
class Ran:
    """The session's folder and records."""

    folder: Path
    records: list[TrialRecord]

    def message(self, number: int, code: str) -> str | None:
        """A finding of a trial."""
        return next((one.message for one in self.records[number].findings if one.code == code), None)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    """Three launches of the double."""
    folder = tmp_path_factory.mktemp("heat")
    board = Board("rpi5", folder)
    firmware = Firmware(board)
    engine = replayed.Rooted(ProcessEngine(doubles.ROOT, cache_root()), board.root)
    conditions = replace(
        doubles.conditions_of(engine, SETTINGS),
        place=Place(board.root, "aarch64", here().cores),
        watch=Watch(1.0, SOURCES),
        cooldown=POLICY,
    )
    plan = doubles.plan_of([doubles.case(**SLEEPING)], SETTINGS)
    session = doubles.session_of(plan, conditions, folder)
    identity = {"suite": "0", "device": "board", "machine": "m", "engine": "process", "emulated": False}
    content = header(plan, {**identity, "forced": None}, {})
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    run = Run.create(folder / "run", {**content, "created_utc": now, "least_launches": 3})
    with pytest.MonkeyPatch.context() as patch, board:
        patch.setenv("PATH", f"{firmware.folder}:/usr/bin:/bin")
        session.watcher = Course(board, firmware)
        session.run(run)
    records = list(run.records())
    assert [record.status for record in records] == [Status.OK] * 3
    yield Ran(run.folder, records)


def test_a_cool_board_waits_for_nothing_and_is_accused_of_nothing(ran: Ran) -> None:
    cooldown = ran.records[0].cooldown
    assert cooldown and cooldown["baseline_c"] == {
        "thermal.cpu-thermal": BASE_C,
        "vcgencmd.temperature": BASE_C,
    }
    assert cooldown["waited_ns"] < 4e9 and cooldown["hot"] is None
    for code in ("throttled", "clock_drop", "hot_start", "under_voltage"):
        assert ran.message(0, code) is None


def test_a_cooling_board_is_waited_for(ran: Ran) -> None:
    cooldown = ran.records[1].cooldown
    # From 62 to 49 C at 2 C a second, asked every two seconds.
    assert cooldown and 6e9 < cooldown["waited_ns"] < 10.5e9
    assert cooldown["hot"] is None
    assert all(BASE_C <= start_c <= BASE_C + POLICY.band_c for start_c in cooldown["start_c"].values())
    assert ran.message(1, "hot_start") is None


def test_a_board_that_stays_hot_is_measured_at_the_timeout_and_marked(ran: Ran) -> None:
    cooldown = ran.records[2].cooldown
    assert cooldown and 12e9 <= cooldown["waited_ns"] < 16e9
    assert set(cooldown["start_c"].values()) == {HOT_C}
    message = ran.message(2, "hot_start")
    assert message and "62.0 C after waiting 12 s, 16.0 C above the run's baseline, limit 3 C" in message


def test_throttling_and_a_lost_clock_are_seen_in_their_own_trial_alone(ran: Ran) -> None:
    throttled, drop = ran.message(1, "throttled"), ran.message(1, "clock_drop")
    assert throttled and "throttled" in throttled and "bits 0x40004" in throttled
    assert drop and "vcgencmd.clock_arm at 1.50 GHz" in drop and "limit of 2.28 GHz" in drop
    # The bit that firmware keeps since then says nothing about the next window.
    assert ran.message(2, "throttled") is None and ran.message(2, "clock_drop") is None


def test_the_report_says_it_again(ran: Ran) -> None:
    printed = CliRunner().invoke(main, ["report", str(ran.folder)], catch_exceptions=False)
    assert printed.exit_code == 0, printed.output
    text = " ".join(printed.output.split())
    for words in ("throttled", "clock_drop", "hot_start", "1.50 GHz", "62.0 C after waiting 12 s"):
        assert words in text, printed.output
    document = CliRunner().invoke(main, ["report", str(ran.folder), "--format", "json"])
    (row,) = json.loads(document.stdout)["cases"]
    assert row["verdict"] == "invalid"
    assert {"throttled", "clock_drop", "hot_start"} <= {one["code"] for one in row["findings"]}
