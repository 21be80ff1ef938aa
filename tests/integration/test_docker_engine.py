"""The real Docker Engine with the double's image: shut-off containers, honest rows, nothing left behind.

Takes about 25 seconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import suite_root
from orchestrator.domain import InferometerError, Status, TrialRecord
from orchestrator.engines import base_images, images
from orchestrator.engines.docker import LABEL, DockerEngine
from orchestrator.engines.images import Image
from orchestrator.engines.launch import MAX_LOG_BYTES, Handle, Launch, Outcome
from orchestrator.files import sha256_file
from orchestrator.session import header
from orchestrator.store import Run
from orchestrator.wire import MAX_LINE_BYTES
from tests.support import containers, doubles
from tests.support.containers import DEVICE, LIMIT_BYTES, left, one

pytestmark = [pytest.mark.docker, pytest.mark.slow]

WINDOW = "in phase settle, measure or idle_after"
# What the script says -> status and the reason, as a regular expression.
SCRIPTS: list[tuple[dict[str, str], Status, str | None]] = [
    ({"behaviour": "ok"}, Status.OK, None),
    ({"behaviour": "crash"}, Status.CRASHED, f"exit status 70 without a last line {WINDOW}"),
    ({"behaviour": "signal"}, Status.CRASHED, f"killed by SIGSEGV {WINDOW}"),
    (
        {"behaviour": "signal", "signal": "KILL", "at": "first"},
        Status.CRASHED,
        "killed by SIGKILL in phase first",
    ),
    (
        {"behaviour": "hang"},
        Status.TIMEOUT,
        f"no end within 3 s {WINDOW}; raise --timeout or look at its log",
    ),
    ({"behaviour": "slow-term", "at": "load"}, Status.TIMEOUT, "no end within 3 s in phase load; .*"),
    (
        {"behaviour": "oom"},
        Status.OOM,
        f"killed for lack of memory {WINDOW}, limit of {LIMIT_BYTES} bytes; .*",
    ),
    ({"behaviour": "flood"}, Status.OK, None),
    ({"behaviour": "flood", "at": "load", "bytes": "30000000"}, Status.OK, None),
    ({"behaviour": "garbage"}, Status.PROTOCOL, r"stdout line \d+: not JSON: .*"),
    ({"behaviour": "truncate"}, Status.PROTOCOL, r"stdout line \d+: cut off: .*latencies.*"),
    ({"behaviour": "oversized"}, Status.PROTOCOL, f"a line of more than {MAX_LINE_BYTES} bytes on stdout"),
    ({"behaviour": "error"}, Status.ERROR, "x-fake: the script asked for this error"),
    ({"behaviour": "ok", "seed": "2"}, Status.OK, None),
]
NAMES = ["-".join(script.values()) for script, _, _ in SCRIPTS]


@dataclass
class Ends(doubles.Quiet):
    """Notes what containers are there after each trial."""

    client: Any
    said: list[str] = field(default_factory=list)
    left: list[list[str]] = field(default_factory=list)

    def trial_ended(self, number: int, total: int, record: TrialRecord) -> None:
        """Look at once."""
        self.left.append(left(self.client))


@dataclass(frozen=True)
class Ran:
    """A run with a trial of every script, and the containers that were there after each."""

    run: Run
    records: list[TrialRecord]
    left: list[list[str]]


@pytest.fixture(scope="module")
def ran(engine_client: Any, double_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("docker")
    engine = containers.engine()
    plan = doubles.plan_of([doubles.case(**script) for script, _, _ in SCRIPTS])
    session = doubles.session_of(plan, doubles.conditions_of(engine, memory_bytes=LIMIT_BYTES), folder)
    session.watcher = ends = Ends(engine_client)
    with doubles.children_end():
        run = Run.create(folder / "run", header(plan, {}, {}))
        session.run(run)
    assert session.skips == []
    return Ran(run, list(run.records()), ends.left)


@pytest.mark.parametrize("number", range(len(SCRIPTS)), ids=NAMES)
def test_status_and_reason(ran: Ran, number: int) -> None:
    script, status, reason = SCRIPTS[number]
    record = ran.records[number]
    assert dict(record.case.options) == script
    assert (record.status, record.reason is None) == (status, reason is None), record.reason
    if reason is not None:
        assert record.reason is not None
        assert re.fullmatch(reason, record.reason), record.reason


def test_after_every_trial_no_container_is_left(ran: Ran, engine_client: Any) -> None:
    assert ran.left == [[]] * len(SCRIPTS)
    assert left(engine_client) == []


def test_a_good_trial_has_its_figures_and_its_image(ran: Ran, double_image: Image) -> None:
    record = ran.records[0]
    assert (record.engine, record.exit_code) == ("docker", 0)
    assert record.image == double_image.digest
    assert record.latency is not None
    assert record.latency.count >= doubles.SHORT.min_iterations
    assert record.first_ns is not None
    assert record.memory is not None
    assert record.memory.vm_hwm_bytes is not None
    assert 0 < sum(record.phases_ns.values()) < record.wall_ns
    peak = record.memory.container_peak_bytes
    assert 0 < peak < LIMIT_BYTES if peak is not None else "container_peak_bytes" in record.memory.reasons
    for name, sha256 in record.files.items():
        assert sha256_file(ran.run.raw(0) / name) == sha256


def test_a_flood_of_standard_error_is_kept_within_its_limit(ran: Ran) -> None:
    short, long = (
        ran.run.raw(n) / "stderr.log" for n, s in enumerate(SCRIPTS) if s[0]["behaviour"] == "flood"
    )
    assert short.stat().st_size == 10_000_000
    assert MAX_LOG_BYTES < long.stat().st_size < MAX_LOG_BYTES + 100
    note = f"[inferometer: {30_000_000 - MAX_LOG_BYTES} more bytes of stderr dropped]\n"
    assert long.read_bytes().endswith(note.encode())


def test_an_image_that_is_not_there_is_a_row(double_image: Image, engine_client: Any, tmp_path: Path) -> None:
    engine = containers.engine()
    record = one(engine, tmp_path, "inferometer/fake:nowhere")
    assert record.status is Status.LAUNCH
    assert record.reason is not None
    assert "inferometer/fake:nowhere" in record.reason
    assert left(engine_client) == []


def test_an_image_of_another_platform_is_refused(
    double_image: Image, engine_client: Any, tmp_path: Path
) -> None:
    foreign = next(platform for platform in base_images.PLATFORMS if platform != base_images.native())
    tag = images.tag("fake", suite_root(), foreign)
    engine_client.images.get(double_image.tag).tag(tag)
    try:
        with pytest.raises(InferometerError) as caught:
            images.ensure("fake", suite_root(), tmp_path, foreign, print)
    finally:
        engine_client.images.remove(tag)
    native = base_images.native()
    assert str(caught.value).startswith(f"{tag} is an image for {native}, not for {foreign}; remove it")
    assert str(caught.value).endswith(f"docker rmi {tag}")


@pytest.mark.parametrize("request_line", [b"x" * (2 << 20) + b"\n", b""], ids=["too long", "empty"])
def test_a_request_that_is_refused_ends_at_once(
    double_image: Image, tmp_path: Path, request_line: bytes
) -> None:
    """The double reads 1 MiB at most; the Engine keeps an attached stream open over input left unread."""
    engine = containers.engine()
    name, out = f"inferometer-{DEVICE}-refused", tmp_path / "out"
    for _ in range(3):
        launch = Launch(name, double_image.tag, "run", request_line, out, tmp_path / "err", 20.0)
        outcome = engine.launch(launch, lambda handle: None)
        assert (outcome.exit_code, outcome.timed_out, outcome.problem) == (1, False, None)
        assert outcome.ended_ns - outcome.started_ns < 10 * 10**9
        assert json.loads(out.read_bytes().splitlines()[-1])["code"] == "protocol"


def test_an_interrupt_during_a_launch_leaves_no_container(
    double_image: Image, engine_client: Any, tmp_path: Path
) -> None:
    class Interrupted(DockerEngine):
        def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
            def interrupt(handle: Handle) -> None:
                on_started(handle)
                assert left(engine_client) == [launch.name]
                raise KeyboardInterrupt

            return super().launch(launch, interrupt)

    engine = containers.engine(Interrupted)
    with doubles.children_end(), pytest.raises(KeyboardInterrupt):
        one(engine, tmp_path, double_image.tag, behaviour="hang")
    assert left(engine_client) == []


def test_a_container_that_someone_removes_is_a_row(double_image: Image, tmp_path: Path) -> None:
    class Removed(DockerEngine):
        def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
            def remove(handle: Handle) -> None:
                on_started(handle)
                assert containers.engine().clean() == [launch.name]

            return super().launch(launch, remove)

    record = one(containers.engine(Removed), tmp_path, double_image.tag, behaviour="hang")
    assert record.status in (Status.LAUNCH, Status.CRASHED)
    assert record.reason


def test_cleaning_removes_this_devices_containers_and_no_other(
    double_image: Image, engine_client: Any
) -> None:
    names = {device: f"inferometer-{device}" for device in (DEVICE, f"{DEVICE}-other")}
    for device, name in names.items():
        engine_client.containers.create(double_image.tag, ["run"], name=name, labels={LABEL: device})
    try:
        assert containers.engine().clean() == [names[DEVICE]]
        assert left(engine_client) == []
        assert left(engine_client, f"{DEVICE}-other") == [names[f"{DEVICE}-other"]]
    finally:
        engine_client.containers.get(names[f"{DEVICE}-other"]).remove(force=True)
