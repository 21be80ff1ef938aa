"""A living container by the real Docker Engine: what it was asked for, and what its runner can reach.

Takes about 10 seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from orchestrator.domain import Status
from orchestrator.engines.cores import split_cores
from orchestrator.engines.docker import LABEL, DockerEngine
from orchestrator.engines.images import Image
from orchestrator.engines.launch import Handle, Launch, Outcome, available_cores
from tests.support import containers
from tests.support.containers import DEVICE, LIMIT_BYTES, left, one

pytestmark = [pytest.mark.docker, pytest.mark.slow]

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

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
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


@pytest.fixture(scope="module")
def watched(double_image: Image, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """What was seen of a container whose runner hangs until it is killed."""
    engine = containers.engine(Watched)
    record = one(engine, tmp_path_factory.mktemp("hang"), double_image.tag, behaviour="hang", at="load")
    assert record.status is Status.TIMEOUT, record.reason
    return engine


def test_the_engine_was_asked_for_a_shut_off_container(watched: Watched) -> None:
    host, config = watched.facts["HostConfig"], watched.facts["Config"]
    cores, _ = split_cores(available_cores(), 1)
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
    status, cores = watched.inside["status"], split_cores(available_cores(), 1)[0]
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
    engine = containers.engine(Watched, devices=["/dev/zero:/dev/accelerator:r"])
    assert one(engine, tmp_path, double_image.tag).status is Status.OK
    assert set(engine.inside["devices"]) - set(watched.inside["devices"]) == {"accelerator"}
