"""The clause about a run in which something else than the runner says when an inference begins."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.conformance.answers import refused
from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.launches import Launches, NotProvoked

_SINCE = 3  # minor version of protocol 1


def driven(launches: Launches) -> Iterator[str]:
    """C20: LoadGen drives the window and its own words come back; who has none of it says so."""
    if launches.finished("run").minor < _SINCE:
        raise NotProvoked(f"the runner speaks no version from 1.{_SINCE}.0 on, which came with drivers")
    yield from refused(launches.take("run under an unknown driver"), "unsupported")
    evidence = launches.take("run under LoadGen")
    if evidence.finished:
        yield from _told(evidence)
        return
    yield from refused(evidence, "unsupported")
    raise NotProvoked(evidence.ending)


def _told(evidence: Evidence) -> Iterator[str]:
    where, asked = f"{evidence.scenario}: ", evidence.asked["driver"]
    messages, end = evidence.numbered("loadgen"), evidence.mark("measure", "end")
    if len(messages) != 1:
        yield f"{where}{len(messages)} loadgen messages, expected 1, or error/unsupported"
    for line, told in messages:
        if end and line < end.line:
            yield f"{where}line {line}: loadgen before the end of measure"
        if told.get("scenario") != asked["scenario"]:
            yield f"{where}scenario is {told.get('scenario')!r}, the request said {asked['scenario']!r}"
        empty = [name for name in ("settings", "summary", "detail") if not told.get(name)]
        if empty:
            yield f"{where}{' and '.join(empty)} of loadgen: empty"
    least = asked["min_query_count"]
    count, told_count = len(evidence.values_ns("measure")), evidence.of("done")[0].get("iterations")
    if count < least:
        yield f"{where}{count} latencies of measure, asked for at least {least} queries"
    if count != told_count:
        yield f"{where}done.iterations is {told_count}, but {count} latencies of measure came"
