"""Stability, modes and scatter of a case reach its row, its document and whoever reads that."""

from __future__ import annotations

import json

import pytest

from orchestrator.domain import Quantile
from orchestrator.merge import Facts
from orchestrator.merge.documents import case_summary
from orchestrator.statistics.quantiles import quantile
from tests.support.results import case, summary, window


def test_a_quiet_case_is_stable_and_its_scatter_is_known() -> None:
    row = summary(case(), 1e7, count=1000)
    assert (row.stability, row.modes) == ("STABLE", ())
    assert row.scatter.within_cv == pytest.approx(0.022, abs=0.005)
    assert 0 < row.scatter.between_cv < 0.03
    assert row.scatter.autocorrelation == pytest.approx(0, abs=0.05)
    assert 4000 < row.scatter.effective_iterations <= 5000
    assert row.scatter.p999 == Quantile(None, "n too small: 5000 of 6636")


def test_the_last_percentile_needs_6636_iterations() -> None:
    row = summary(case(), 1e7, count=1400)
    pool = sorted(value for launch in range(5) for value in window(1e7, launch, 1400))
    assert row.scatter.p999.value_ns == pytest.approx(quantile(pool, 0.999))


def test_a_moded_case_has_modes_with_shares_in_place_of_an_interval() -> None:
    row = summary(case(), 1e7, launches=6, modes=(1.0, 1.3))
    assert (row.stability, row.interval) == ("MULTIMODAL", None)
    assert [(mode.launches, mode.share) for mode in row.modes] == [(3, 0.5), (3, 0.5)]
    for mode, centre_ns in zip(row.modes, (1e7, 1.3e7), strict=True):
        assert mode.p50_ns == pytest.approx(centre_ns, rel=0.05)
        assert mode.low_ns < mode.p50_ns < mode.high_ns
        assert mode.share_low < 0.5 < mode.share_high


def test_two_launches_and_an_emulator_say_nothing_of_stability() -> None:
    assert summary(case(), 1e7, launches=2).stability is None
    assert summary(case(), 1e7, facts=Facts(emulated=True)).stability is None
    assert summary(case(), None).scatter is None


@pytest.mark.parametrize("modes", [(1.0,), (1.0, 1.3)])
def test_a_row_is_read_as_it_was_written(modes: tuple[float, ...]) -> None:
    row = summary(case(), 1e7, modes=modes)
    assert case_summary(json.loads(json.dumps(row.to_json()))) == row


def test_a_row_of_an_older_version_has_none_of_them() -> None:
    data = summary(case(), 1e7).to_json()
    for name in ("stability", "modes", "scatter"):
        del data[name]
    old = case_summary(json.loads(json.dumps(data)))
    assert (old.stability, old.modes, old.scatter) == (None, (), None)
