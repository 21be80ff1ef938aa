"""What a bench says of a trial that ended, on a terminal and in a log."""

from __future__ import annotations

import pytest

from orchestrator.cli.progress import Bar, PlainLines, describe
from orchestrator.domain import Status, TrialRecord
from tests.support.results import case, failed, record


def ended(p50_ns: int, emulated: bool = False) -> TrialRecord:
    """A good trial of three inferences."""
    return record(case(), 0, [p50_ns] * 3, emulated=emulated)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (ended(812_000_000), "p50 812 ms, n=3"),
        (ended(6_620), "p50 6.62 us, n=3"),
        (ended(812_000_000, emulated=True), "p50 (812 ms, emulated), n=3"),
        (ended(6_620, emulated=True), "p50 (6.62 us, emulated), n=3"),
        (failed(case(), 0, Status.TIMEOUT, "no end within 3 s"), "timeout: no end within 3 s"),
    ],
)
def test_a_trial_in_a_few_words(made: TrialRecord, text: str) -> None:
    assert describe(made) == text


@pytest.mark.parametrize("listener", [PlainLines, Bar])
def test_no_speed_of_an_emulator_stands_bare(
    listener: type[PlainLines] | type[Bar], capsys: pytest.CaptureFixture[str]
) -> None:
    listener().trial_ended(1, 2, ended(812_000_000, emulated=True))
    assert "(812 ms, emulated)" in capsys.readouterr().err
