"""Two releases of jetson-stats' real service over a Jetson of files: what we are told, and why not.

The service runs in a container; there our program asks it, as one file, as over ssh on a board. Takes about
half a minute, the first time another half for the image.
"""

from __future__ import annotations

import json
import subprocess
import time
import zipapp
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orchestrator.catalog import suite_root
from orchestrator.engines import buildx
from tests.support import jetson
from tests.support.benches import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.slow]

FOLDER = suite_root() / "tests/fixtures/jtop"
IMAGE = "inferometer-test/jtop"
VERSIONS = {4: "4.3.2", 7: "7.2.2"}
PROCESSES = """
import os, sys
for name in sorted(filter(str.isdigit, os.listdir("/proc")), key=int):
    try:
        with open("/proc/%s/cmdline" % name, "rb") as stream:
            words = stream.read().split(b"\\0")
    except OSError:
        continue
    if sys.argv[1].encode() in words and name != "1" and int(name) != os.getpid():
        print(name)
"""
INVENTED = """
from jtop import jtop
with jtop() as jetson:
    print(jetson.power["tot"])
"""


class Board:
    """A container with the service or without; ``release`` is the client's and the service's."""

    def __init__(self, name: str, release: int):
        self.name, self.release = name, release

    def command(self, *words: str, user: str = "0", detach: bool = False, **environment: str) -> list[str]:
        """The words of a ``docker exec``."""
        options = [f"--env={name}={value}" for name, value in environment.items()]
        options += ["--detach"] if detach else []
        return [str(buildx.find_buildx()), "exec", f"--user={user}", *options, self.name, *words]

    def run(self, *words: str, **options: Any) -> str:
        done = subprocess.run(self.command(*words, **options), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self) -> None:
        """Start the service and wait until users may come."""
        told = {"JTOP_TESTING": "true", "JTOP_SERVICE": "True", "PYTHONPATH": "/board/site"}
        self.run(f"/opt/jtop{self.release}/bin/jtop", "--force", detach=True, **told)
        ready = 'until [ "$(stat -c %a /run/jtop.sock 2>&1)" = 660 ]; do sleep 0.05; done'
        self.run("timeout", "20", "sh", "-c", ready)

    def service(self) -> list[str]:
        """Its processes: the one that was started, the one that answers, the one that reads sensors."""
        return self.run("python3", "-c", PROCESSES, "--force").split()

    def kill(self, signal: str, *pids: str) -> None:
        self.run("sh", "-c", f"kill -{signal} {' '.join(pids)}")

    def question(self, release: int | None = None, deadline_s: float = 15, user: str = "0") -> list[str]:
        path = f"/opt/jtop{release or self.release}/bin:/usr/bin:/bin"
        words = ("python3", "-S", "-E", "-s", "/telemetry.pyz", "--jtop", "--deadline", str(deadline_s))
        return self.command(*words, user=user, PATH=path)

    def ask(self, **options: Any) -> dict[str, Any]:
        done = subprocess.run(self.question(**options), capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, engine_client: Any) -> Iterator[str]:
    """Both releases, each in an environment of its own."""
    log = tmp_path_factory.mktemp("build") / "log"
    buildx.build(IMAGE, FOLDER / "Dockerfile", FOLDER, [], None, {}, log, print)
    yield IMAGE
    engine_client.images.remove(IMAGE, force=True)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as boards get it."""
    path = tmp_path_factory.mktemp("program") / "telemetry.pyz"
    zipapp.create_archive(suite_root() / "orchestrator/telemetry", path)
    path.parent.chmod(0o755)
    path.chmod(0o644)
    return path


@pytest.fixture(scope="module")
def board(image: str, program: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Makes a board: ``with board(release) as made``."""

    @contextmanager
    def make(release: int, bare: bool = False) -> Iterator[tuple[Board, Path]]:
        tree = tmp_path_factory.mktemp("jetson")
        jetson.write(tree, bare)
        volumes = {tree: "/board", tree / "fake_sys": "/fake_sys", program: "/telemetry.pyz"}
        below = [] if bare else ["sys/devices/virtual", "sys/firmware", "etc/nv_tegra_release"]
        below += [] if bare else ["usr/bin/nvpmodel", "usr/bin/jetson_clocks"]
        volumes |= {tree / name: f"/{name}" for name in below}
        # /sys/firmware is hidden from containers otherwise.
        words = ["run", "--detach", "--init", "--network=none", "--security-opt=systempaths=unconfined"]
        words += [f"--volume={here}:{there}:ro" for here, there in volumes.items()]
        name = f"inferometer-test-{tree.name}-{time.monotonic_ns()}"
        docker = str(buildx.find_buildx())
        subprocess.run(
            [docker, *words, f"--name={name}", image, "sleep", "600"], check=True, capture_output=True
        )
        try:
            yield Board(name, release), tree
        finally:
            subprocess.run([docker, "rm", "--force", name], check=True, capture_output=True)

    return make


@pytest.fixture(scope="module", params=[4, 7])
def serving(request: pytest.FixtureRequest, board: Callable[..., Any]) -> Iterator[Board]:
    """A board whose service runs, for tests that only ask."""
    with board(request.param) as (made, _):
        made.serve()
        yield made


def without(told: dict[str, Any], *reasons: str) -> None:
    """Nothing was told, for one of these reasons, with a fix."""
    assert told["reason"] in reasons, told
    assert "\n" not in told["fix"]
    for field in ("hardware", "nvpmodel", "jetson_clocks", "power", "temperature_c", "ram_bytes"):
        assert told[field] is None
        assert told["reasons"][field] == told["reason"]


def test_the_facts_are_those_of_the_board(serving: Board) -> None:
    before_ns = time.monotonic_ns()
    told = serving.ask()
    assert (told["reason"], told["client"]) == (None, VERSIONS[serving.release])
    assert told["service"] == VERSIONS[serving.release].rpartition(".")[0]
    model = "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super"
    assert told["hardware"] == {"Model": model, "L4T": "36.4.3", "Jetpack": "6.2"}
    assert told["nvpmodel"] == {"id": 2, "name": "MAXN_SUPER", "models": list(jetson.MODES)}
    assert told["jetson_clocks"] is False
    assert told["power"] == {
        "total": {"name": "VDD_IN", "w": 4.747},
        "rails": {"VDD_CPU_GPU_CV": 0.831, "VDD_SOC": 1.379},
    }
    assert told["temperature_c"] == {"cpu": 47.031, "gpu": 48.218, "tj": 48.843, "cv0": None}
    assert told["reasons"] == {"temperature_c.cv0": "enodata"}
    ram = told["ram_bytes"]
    assert 0 < ram["used"] < ram["total"] and 0 < ram["free"] < ram["total"]
    # Read after we asked (to 10 ms), not before for somebody else.
    assert before_ns - 20_000_000 < told["t0_ns"] < told["t1_ns"] < time.monotonic_ns()


def test_a_second_question_gets_figures_of_its_own(serving: Board) -> None:
    first, second = serving.ask(), serving.ask()
    assert second["t0_ns"] > first["t1_ns"]


def test_another_release_of_the_client_is_a_mismatch(serving: Board) -> None:
    other = 11 - serving.release
    told = serving.ask(release=other)
    without(told, "not_supported")
    assert (told["client"], told["service"]) == (VERSIONS[other], VERSIONS[serving.release])
    assert "systemctl restart jtop.service" in told["fix"]


def test_a_user_outside_the_group_is_refused(serving: Board) -> None:
    told = serving.ask(user="2000:2000")
    without(told, "permission")
    assert "usermod -aG jtop" in told["fix"]


@pytest.mark.parametrize("release", VERSIONS)
def test_the_sum_of_other_rails_is_no_total(board: Callable[..., Any], release: int) -> None:
    with board(release) as (made, tree):
        made.serve()
        (tree / jetson.INA3221 / "curr1_input").unlink()
        told = made.ask()
        assert told["power"] == {"total": None, "rails": {"VDD_CPU_GPU_CV": 0.831, "VDD_SOC": 1.379}}
        assert told["reasons"]["power.total"] == "not_supported"
        invented = made.run(f"/opt/jtop{release}/bin/python", "-c", INVENTED)
        assert "'power': 2210" in invented  # what it says instead


def test_a_machine_without_sensors_has_a_reason_for_each(board: Callable[..., Any]) -> None:
    with board(7, bare=True) as (made, _):
        made.serve()
        told = made.ask()
    assert told["reason"] is None
    for field in ("hardware", "nvpmodel", "jetson_clocks", "power", "temperature_c"):
        assert (told[field], told["reasons"][field]) == (None, "no_sensor")


@pytest.mark.parametrize("release", VERSIONS)
def test_a_service_that_dies_or_is_not_there(board: Callable[..., Any], release: int) -> None:
    with board(release) as (made, _):
        told = made.ask()
        without(told, "no_sensor")
        assert told["fix"] == "sudo systemctl restart jtop.service"

        made.serve()
        processes = made.service()
        assert len(processes) == 3
        made.kill("STOP", processes[-1])  # so that the client waits for it
        with subprocess.Popen(made.question(), stdout=subprocess.PIPE, text=True) as child:
            wait_for(lambda: "jtop.sock" in connections(made), 10)
            assert "jtop.sock" in connections(made)
            made.kill("KILL", *processes)
            began = time.monotonic()
            out = child.communicate(timeout=30)[0]
            assert time.monotonic() - began < 8
        without(json.loads(out), "stale")

        without(made.ask(), "no_sensor")  # its socket is left


def connections(board: Board) -> str:
    """The named sockets that somebody is connected to; the state 03 is SS_CONNECTED."""
    lines = board.run("cat", "/proc/net/unix").splitlines()
    return "\n".join(line for line in lines if " 03 " in line)


def test_a_service_that_does_not_answer_costs_no_more_than_the_deadline(board: Callable[..., Any]) -> None:
    with board(4) as (made, _):
        made.serve()
        processes = made.service()
        # First the one that reads sensors alone: the client is connected and asks for ever. Then all.
        for stopped in (processes[-1:], processes):
            made.kill("STOP", *stopped)
            began = time.monotonic()
            told = made.ask(deadline_s=1)
            assert time.monotonic() - began < 8
            without(told, "timeout")
            assert made.run("python3", "-c", PROCESSES, "--jtop-client") == ""
        made.kill("CONT", *processes)
        assert made.ask()["reason"] is None
