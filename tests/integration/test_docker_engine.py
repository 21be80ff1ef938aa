"""The real Docker Engine with the double's image: shut-off containers, honest rows, nothing left behind.

Takes about 25 seconds.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.artifacts import cache_root
from orchestrator.domain import Status, Trial, TrialRecord
from orchestrator.engines.base_images import native
from orchestrator.engines.docker import LABEL, DockerEngine
from orchestrator.engines.images import Image
from orchestrator.engines.launch import MAX_LOG_BYTES, Handle, Launch, Outcome, Target, split_cores
from orchestrator.execute import execute
from orchestrator.files import sha256_file
from orchestrator.session import header
from orchestrator.store import Run
from orchestrator.wire import MAX_LINE_BYTES
from tests.support import doubles

pytestmark = [pytest.mark.docker, pytest.mark.slow]

# No bench and no other test run uses this device: their containers are not ours to count or to remove.
DEVICE = f"test-{os.getpid()}"
LIMIT_BYTES = 96 << 20
WINDOW = "in phase settle or measure"
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

# What the runner itself may do; run beside it in its container, as its user.
LOOK = r"""
import glob, json, os, time
def runner():
    for name in os.listdir("/proc"):
        try:
            words = open("/proc/%s/cmdline" % name).read().split("\0")
        except OSError:
            continue
        if "/runner/runner.py" in words and "python3" in words[0]:
            return name
while not runner():
    time.sleep(0.05)
def writable(folder):
    try:
        open(folder + "/probe", "w").close()
        return True
    except OSError:
        return False
status = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/%s/status" % runner()))
print(json.dumps({
    "status": status,
    "init": open("/proc/1/comm").read().strip(),
    "links": os.listdir("/sys/class/net"),
    "writable": [name for name in ("/", "/runner", "/data/model", "/usr", "/dev", "/tmp") if writable(name)],
    "mounted": sorted(os.listdir("/data")),
    "devices": sorted(name for name in os.listdir("/dev") if not os.path.isdir("/dev/" + name)),
}))
"""


class Watched(DockerEngine):
    """The engine; keeps what a living container is, by the Engine and seen from inside."""

    def __init__(self, arguments: dict[str, Any] | None = None) -> None:
        super().__init__(doubles.ROOT, cache_root(), DEVICE, native(), arguments or {})
        self.pids: list[int] = []
        self.facts: dict[str, Any] = {}
        self.inside: dict[str, Any] = {}

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """Launch, and look at it while it waits for its request."""

        def look(handle: Handle) -> None:
            on_started(handle)
            self.pids.append(handle.pid)
            self.facts = self._client.api.inspect_container(launch.name)
            code, said = self._client.containers.get(launch.name).exec_run(["python3", "-c", LOOK])
            assert code == 0, said
            self.inside = json.loads(said)

        return super().launch(launch, look)


def left(client: Any, device: str = DEVICE) -> list[str]:
    """The names of a device's containers, ended ones too."""
    found = client.containers.list(all=True, filters={"label": f"{LABEL}={device}"})
    return [container.name for container in found]


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
    engine = DockerEngine(doubles.ROOT, cache_root(), DEVICE, native(), {})
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


@pytest.fixture(scope="module")
def watched(double_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """What was seen of a container whose runner hangs until it is killed."""
    engine = Watched()
    record = one(engine, tmp_path_factory.mktemp("hang"), double_image.tag, behaviour="hang", at="load")
    assert record.status is Status.TIMEOUT, record.reason
    return engine


def one(engine: DockerEngine, raw: Path, target: str, **script: str) -> TrialRecord:
    """One trial of the double with one thread and a limit of memory."""
    conditions = doubles.conditions_of(engine, memory_bytes=LIMIT_BYTES)
    return execute(Trial(doubles.case(**script), 0), doubles.load(), Target("fake", target), conditions, raw)


def test_the_engine_was_asked_for_a_shut_off_container(watched: Watched) -> None:
    host, config = watched.facts["HostConfig"], watched.facts["Config"]
    cores, _ = split_cores(doubles.available_cores(), 1)
    assert host["NetworkMode"] == "none"
    assert host["ReadonlyRootfs"] is True
    assert list(host["Tmpfs"]) == ["/tmp"]
    assert {"nosuid", "nodev"} <= set(host["Tmpfs"]["/tmp"].split(","))
    assert config["User"] == "10001:10001"
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["Privileged"] is False
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["PidsLimit"] == 512
    assert host["Memory"] == host["MemorySwap"] == LIMIT_BYTES
    assert host["CpusetCpus"] == ",".join(map(str, cores))
    assert host["Init"] is True
    assert not host["Devices"]
    assert not host["DeviceRequests"]
    assert {mount["Destination"]: mount["RW"] for mount in watched.facts["Mounts"]} == {"/data/model": False}
    assert config["Labels"][LABEL] == DEVICE


def test_the_runner_finds_itself_shut_off(watched: Watched) -> None:
    status, cores = watched.inside["status"], split_cores(doubles.available_cores(), 1)[0]
    assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"  # the Engine's own filter stays on
    assert status["Cpus_allowed_list"] == str(cores[0])
    assert watched.inside["init"] == "docker-init"
    assert watched.inside["links"] == ["lo"]
    assert watched.inside["writable"] == ["/tmp"]
    assert watched.inside["mounted"] == ["model"]


def test_a_hanging_runner_is_gone_after_its_time(watched: Watched, engine_client: Any) -> None:
    (pid,) = watched.pids
    assert not psutil.pid_exists(pid)
    assert left(engine_client) == []


def test_only_the_devices_that_the_profile_names_are_there(
    watched: Watched, double_image: Image, tmp_path: Path
) -> None:
    engine = Watched({"devices": ["/dev/zero:/dev/accelerator:r"]})
    assert one(engine, tmp_path, double_image.tag).status is Status.OK
    assert set(engine.inside["devices"]) - set(watched.inside["devices"]) == {"accelerator"}


def test_an_image_that_is_not_there_is_a_row(double_image: Image, engine_client: Any, tmp_path: Path) -> None:
    engine = DockerEngine(doubles.ROOT, cache_root(), DEVICE, native(), {})
    record = one(engine, tmp_path, "inferometer/fake:nowhere")
    assert record.status is Status.LAUNCH
    assert record.reason is not None
    assert "inferometer/fake:nowhere" in record.reason
    assert left(engine_client) == []


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

    engine = Interrupted(doubles.ROOT, cache_root(), DEVICE, native(), {})
    with doubles.children_end(), pytest.raises(KeyboardInterrupt):
        one(engine, tmp_path, double_image.tag, behaviour="hang")
    assert left(engine_client) == []


def test_cleaning_removes_this_devices_containers_and_no_other(
    double_image: Image, engine_client: Any
) -> None:
    names = {device: f"inferometer-{device}" for device in (DEVICE, f"{DEVICE}-other")}
    for device, name in names.items():
        engine_client.containers.create(double_image.tag, ["run"], name=name, labels={LABEL: device})
    try:
        assert DockerEngine(doubles.ROOT, cache_root(), DEVICE, native(), {}).clean() == [names[DEVICE]]
        assert left(engine_client) == []
        assert left(engine_client, f"{DEVICE}-other") == [names[f"{DEVICE}-other"]]
    finally:
        engine_client.containers.get(names[f"{DEVICE}-other"]).remove(force=True)
