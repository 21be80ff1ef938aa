"""LoadGen's summary, whatever of it there is."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.loadgen import Summary, parse

RULER = "================================================\n"
TITLE = f"{RULER}MLPerf Results Summary\n{RULER}SUT name : PySUT\n"
STATISTICS = f"\n{RULER}Additional Stats\n{RULER}Result is : INVALID\n99.9th percentile latency (ns) : 1\n"
EARLY = "Early Stopping Result:\n"

STREAM = (
    TITLE + "Scenario : SingleStream\nMode     : PerformanceOnly\n"
    "90.0th percentile latency (ns) : 1253781\nResult is : VALID\n"
    "  Min duration satisfied : Yes\n  Min queries satisfied : Yes\n  Early stopping satisfied: Yes\n"
    + EARLY
    + " * Processed at least 64 queries (423).\n * Early stopping 90.0th percentile estimate: 1382262\n"
    " * Not enough queries processed for 99.0th percentile\n early stopping estimate (would need to "
    "process at\n least 662 total queries).\n" + STATISTICS
)
OFFLINE = (
    TITLE
    + "Scenario : Offline\nMode     : PerformanceOnly\nSamples per second: 746.877\nResult is : INVALID\n"
    "  Min duration satisfied : NO\n  Min queries satisfied : Yes\n  Early stopping satisfied: Yes\n"
    "Recommendations:\n * Increase expected QPS so the loadgen pre-generates a larger (coalesced) query.\n"
    + STATISTICS
)
MULTI = (
    TITLE + "Scenario : MultiStream\nMode     : PerformanceOnly\n99.0th percentile latency (ns) : 23478195\n"
    "Result is : INVALID\n  Min duration satisfied : Yes\n  Min queries satisfied : Yes\n"
    "  Early stopping satisfied: NO\nRecommendations:\n"
    + EARLY
    + " * Only processed 51 queries.\n * Need to process at least 662 queries for early stopping.\n"
    + STATISTICS
)
READ = {
    STREAM: Summary("SingleStream", "VALID", "90.0th percentile latency", 1253781.0, None, 1382262.0, ()),
    OFFLINE: Summary(
        "Offline",
        "INVALID",
        "Samples per second",
        None,
        746.877,
        None,
        (
            "not satisfied: min duration",
            "Increase expected QPS so the loadgen pre-generates a larger (coalesced) query.",
        ),
    ),
    MULTI: Summary(
        "MultiStream",
        "INVALID",
        "99.0th percentile latency",
        23478195.0,
        None,
        None,
        (
            "not satisfied: early stopping",
            "Only processed 51 queries.",
            "Need to process at least 662 queries for early stopping.",
        ),
    ),
}
NOTHING = Summary(None, None, None, None, None, None, ())


@pytest.mark.parametrize("text", READ)
def test_what_loadgen_wrote_is_read(text: str) -> None:
    assert parse(text) == READ[text]


def test_the_form_of_older_versions_is_read() -> None:
    older = STREAM.replace("90.0th", "90th")
    assert parse(older) == dataclasses.replace(READ[STREAM], metric="90th percentile latency")


def test_what_early_stopping_counted_is_no_reason_where_it_is_satisfied() -> None:
    short = STREAM.replace("Result is : VALID", "Result is : INVALID")
    short = short.replace("Min duration satisfied : Yes", "Min duration satisfied : NO")
    short = short.replace(EARLY, "Recommendations:\n * Increase the duration.\n" + EARLY)
    assert parse(short).reasons == ("not satisfied: min duration", "Increase the duration.")


@pytest.mark.parametrize("figure", ["e.e", "1.2.3", "9" * 400, "1e999", "inf"])
def test_a_rate_that_is_no_number_is_no_figure(figure: str) -> None:
    found = parse(OFFLINE.replace("746.877", figure))
    assert (found.metric, found.value_per_s) == (None, None)


@pytest.mark.parametrize(("figure", "value"), [("0", 0.0), ("1.5e-05", 1.5e-5), ("2.5e+06", 2.5e6)])
def test_a_rate_is_read_as_cpp_writes_it(figure: str, value: float) -> None:
    assert parse(OFFLINE.replace("746.877", figure)).value_per_s == value


@given(st.sampled_from(sorted(READ)), st.integers(0, 2000))
def test_of_a_torn_summary_nothing_wrong_is_read(text: str, length: int) -> None:
    """At a line's end: what is missing is None, what is there is right."""
    torn = text[:length].rpartition("\n")[0] + "\n"
    for one, whole in zip(dataclasses.astuple(parse(torn)), dataclasses.astuple(READ[text]), strict=True):
        assert one in (None, whole) or set(one) <= set(whole)


@given(st.text(alphabet=st.sampled_from("= \n:*thVALIDNOx19."), max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert parse(text).verdict in (None, "VALID", "INVALID")
    assert parse(TITLE + text).scenario is None


@given(st.integers(0, 10**15), st.sampled_from(["VALID", "INVALID"]))
def test_figures_come_back(value_ns: int, verdict: str) -> None:
    text = STREAM.replace("1253781", str(value_ns)).replace("Result is : VALID", f"Result is : {verdict}")
    found = parse(text)
    assert (found.value_ns, found.verdict) == (value_ns, verdict)
    assert parse("") == NOTHING
