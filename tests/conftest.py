"""What all tests share: one answer to whether Docker is there, and a loud word where it is not."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import hypothesis
import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.domain import InferometerError
from orchestrator.engines import buildx, images
from orchestrator.engines.connection import connect

SKIPPED = "no Docker: "

# Started in the background by a shell, we would hand "SIGINT is ignored" down to what tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


# How long an example takes says nothing about the code on a busy machine. A run that decides over a change
# finds the same every time; new examples are looked for everywhere else.
hypothesis.settings.register_profile("found", deadline=None)
hypothesis.settings.register_profile("decided", deadline=None, derandomize=True)
hypothesis.settings.load_profile("decided" if os.environ.get("CI") == "true" else "found")


@cache
def missing_docker() -> str | None:
    """Why tests marked ``docker`` cannot run here, or None where they can."""
    reason = None
    try:
        connect(timeout_s=10).close()
    except InferometerError as problem:
        reason = str(problem)
    with warnings.catch_warnings():
        # The SDK forgets the socket of a connection that failed: it goes here, not in somebody's test.
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    if reason:
        return reason
    return None if buildx.find_buildx() else f"no docker command with buildx on PATH; fix: {buildx.FIX}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what needs Docker where none answers; where CI promises one, fail."""
    if item.get_closest_marker("docker") is None:
        return
    reason = missing_docker()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI is set, and {reason}", pytrace=False)
    if reason:
        pytest.skip(SKIPPED + reason)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> Any:
    """How several workers share the tests; unknown where pytest-xdist is not installed."""
    from tests.support.lanes import Lanes

    return Lanes(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Nobody shall take a run without containers for a whole one."""
    reports = terminalreporter.stats.get("skipped", [])
    count = sum(SKIPPED in str(report.longrepr) for report in reports)
    if count:
        text = f"{count} DOCKER TESTS WERE SKIPPED: {missing_docker()}"
        terminalreporter.write_sep("!", f"{count} Docker tests skipped", red=True, bold=True)
        terminalreporter.write_line(text, red=True, bold=True)


@pytest.fixture(scope="session")
def engine_client() -> Iterator[Any]:
    """A client of the Docker Engine, for tests marked ``docker``."""
    client = connect()
    yield client
    client.close()


@pytest.fixture(scope="session")
def double_image() -> images.Image:
    """The image of the scripted double, built where it is not there; for tests marked ``docker``."""
    return images.ensure("fake", suite_root(), cache_root(), None, print)
