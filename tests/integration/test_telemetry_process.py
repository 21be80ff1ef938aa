"""The telemetry program as a process: how it starts, ends, and what it costs, on this very machine."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipapp
from pathlib import Path

import pytest

from orchestrator.measurement import align
from orchestrator.telemetry.reading import METHODS, REASONS, SCOPES, UNITS
from orchestrator.telemetry.sources import SOURCES
from tests.support.benches import wait_for

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "orchestrator" / "telemetry"
LEAN = ["-S", "-E", "-s"]
OPTIONS = ["--interval", "--root", "--sources", "--cores", "--blocks", "--record", "--once"]
FIELDS = {"type", "source", "scope", "method", "unit", "value", "reason", "t0_ns", "t1_ns"}


def old_python():
    """A Python 3.6, the oldest that boards have, or None."""
    found = [shutil.which("python3.6"), *Path.home().glob(".pyenv/versions/3.6.*/bin/python")]
    for path in filter(None, found):
        if subprocess.run([path, "--version"], capture_output=True).returncode == 0:
            return str(path)
    return None


@pytest.fixture
def sleeper():
    """A process to observe."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as popen:
        yield popen
        popen.kill()


@pytest.fixture
def start():
    """Starts telemetry with pipes; what is left running is killed."""
    started = []

    def begin(command, *words, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        popen = subprocess.Popen([*map(str, command), *map(str, words)], cwd=ROOT, **pipes)
        started.append(popen)
        return popen

    yield begin
    for popen in started:
        popen.kill()
        popen.communicate()


def lean(python=sys.executable):
    return [python, *LEAN, FOLDER]


def finish(popen):
    """Close standard input and return the parsed lines; the program must not complain."""
    out, err = popen.communicate(timeout=20)
    assert (popen.returncode, err) == (0, b"")
    return [json.loads(line) for line in out.splitlines()]


def check(lines):
    """The stream is as promised: one clock, readings of the vocabulary, one end."""
    assert [line["type"] for line in lines].count("clock") == 1
    assert lines[0]["type"] == "clock"
    assert lines[-1]["type"] == "end"
    fixes = [line for line in lines if line["type"] == "fix"]
    told = [(line["source"], line["reason"]) for line in fixes]
    assert len(set(told)) == len(told)  # each is told once
    readings = [line for line in lines[1:-1] if line not in fixes]
    assert readings
    for line in readings:
        assert set(line) == FIELDS
        assert (line["value"] is None) == (line["reason"] in REASONS)
        assert line["scope"] in SCOPES
        assert line["method"] in METHODS
        assert line["unit"] in UNITS
        assert lines[0]["t_ns"] <= line["t0_ns"] <= line["t1_ns"] <= lines[-1]["t_ns"]
    figures = lines[-1]["sources"].values()
    assert lines[-1]["ticks"] == sum(figure["ticks"] for figure in figures)
    assert lines[-1]["missed"] == sum(figure["missed"] for figure in figures)


@pytest.mark.parametrize("command", ["module", "folder", "zipapp", "zipapp with Python 3.6"])
def test_every_way_to_start_it_gives_the_same_stream(command, start, sleeper, tmp_path):
    archive = tmp_path / "telemetry.pyz"
    zipapp.create_archive(FOLDER, archive)
    old = old_python()
    if command.endswith("3.6") and old is None:
        pytest.skip("no Python 3.6 here: tests/unit/test_telemetry_python36.py checks the source instead")
    commands = {
        "module": [sys.executable, "-m", "orchestrator.telemetry"],
        "folder": lean(),
        "zipapp": [sys.executable, *LEAN, archive],
        "zipapp with Python 3.6": [old, *LEAN, archive],
    }
    began_ns = time.monotonic_ns()
    popen = start(commands[command], "--pid", sleeper.pid, "--interval", "0.1")
    time.sleep(1.5)
    lines = finish(popen)
    check(lines)
    assert began_ns <= lines[0]["t_ns"] <= time.monotonic_ns()
    assert lines[-1]["cause"] == "eof"
    assert lines[-1]["ticks"] >= 2
    here = {"boot_id": Path("/proc/sys/kernel/random/boot_id").read_text().strip(), "time_namespace": None}
    if os.path.lexists("/proc/self/ns/time"):
        here["time_namespace"] = os.readlink("/proc/self/ns/time")
    assert align(here, lines[0]) is None


def test_readings_are_those_of_the_process(start, sleeper):
    popen = start(lean(), "--pid", sleeper.pid, "--interval", "0.05", "--sources", "process,meminfo,load")
    time.sleep(0.3)
    values = {line["source"]: line["value"] for line in finish(popen)[1:-1]}
    status = dict(line.split(":", 1) for line in Path(f"/proc/{sleeper.pid}/status").read_text().splitlines())
    assert values["process.vm_hwm"] == int(status["VmHWM"].split()[0]) * 1024
    assert values["process.cpu_time"] >= 0
    assert values["host.memory_available"] > 0
    assert values["host.cpu_busy"] > values["process.cpu_time"]


def test_the_peak_and_the_time_of_a_child_count(start):
    # As in a container: what we observe is an idle parent, and the work is done by its child.
    work = "x = bytearray(64 << 20); [i for i in range(3_000_000)]; print('ready', flush=True); input()"
    script = "import subprocess,sys; subprocess.call([sys.executable, '-c', sys.argv[1]])"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", script, work], **pipes) as parent:
        assert parent.stdout.readline() == b"ready\n"
        popen = start(lean(), "--pid", parent.pid, "--interval", "0.05", "--sources", "process")
        time.sleep(0.3)
        values = {line["source"]: line["value"] for line in finish(popen)[1:-1]}
        parent.stdin.close()
    assert values["process.vm_hwm"] > 64 << 20
    assert values["process.cpu_time"] > 20_000_000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_last_line(number, start, sleeper):
    popen = start(lean(), "--pid", sleeper.pid, "--interval", "60", "--sources", "process")
    assert json.loads(popen.stdout.readline())["type"] == "clock"
    assert json.loads(popen.stdout.readline())["type"] == "reading"
    popen.send_signal(number)
    began = time.monotonic()
    out = popen.stdout.read()  # to its end: standard input stays open meanwhile
    assert time.monotonic() - began < 5
    assert json.loads(out.splitlines()[-1])["cause"] == "signal"
    _, err = popen.communicate(timeout=20)
    assert (popen.returncode, err) == (0, b"")


def test_it_ends_when_the_process_has_gone(start, sleeper):
    popen = start(lean(), "--pid", sleeper.pid, "--interval", "0.05")
    assert popen.stdout.readline()
    sleeper.kill()  # and it stays a zombie until we wait for it
    out = popen.stdout.read()
    assert popen.wait(20) == 0
    assert json.loads(out.splitlines()[-1])["cause"] == "gone"


def test_it_dies_with_its_parent(sleeper, tmp_path):
    # The parent is killed and says no word: the kernel closes our standard input.
    script = (
        "import subprocess,sys,time; out=open(sys.argv[1],'wb');"
        "p=subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=out);"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    out = tmp_path / "telemetry.jsonl"
    command = [sys.executable, "-c", script, out, *lean(), "--pid", str(sleeper.pid), "--interval", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        time.sleep(0.5)
        parent.kill()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "telemetry outlived its parent"
        time.sleep(0.05)
    check([json.loads(line) for line in out.read_text().splitlines()])


def test_a_reader_that_goes_away_ends_it_quietly(start, sleeper):
    popen = start(lean(), "--pid", sleeper.pid, "--interval", "0.05")
    assert popen.stdout.readline()
    popen.stdout.close()
    assert popen.wait(20) == 0
    assert popen.stderr.read() == b""
    popen.stdout = None  # already closed, for communicate


@pytest.mark.parametrize(
    "words, complaint",
    [
        ([], "--pid must be a process id, got ''"),
        (["--pid"], "--pid must be a process id, got ''"),
        (["--pid", "seven"], "--pid must be a process id, got 'seven'"),
        (["--pid", "-1"], "--pid must be a process id, got '-1'"),
        (["--pid", "1", "--interval", "0"], "--interval must be 0.001 to 86400 seconds, got '0'"),
        (["--pid", "1", "--interval", "nan"], "--interval must be 0.001 to 86400 seconds, got 'nan'"),
        (["--pid", "1", "--interval", "soon"], "--interval must be 0.001 to 86400 seconds, got 'soon'"),
        (["--pid", "1", "--sources", "cgroup,gps"], f"unknown gps; known are {', '.join(SOURCES)}"),
        (["--pid", "1", "--cores", "all"], "--cores must be numbers, got 'all'"),
        (["--colour", "red"], "unknown argument --colour; known are --pid, " + ", ".join(OPTIONS)),
        (["--pid", str(2**31 - 1)], "no process 2147483647 below /proc"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(words, complaint):
    done = subprocess.run([*lean(), *words], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("telemetry: ")
    assert done.stderr.rstrip("\n").endswith(complaint)
    assert done.stderr.count("\n") == 1


def test_help_names_every_source():
    done = subprocess.run([*lean(), "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert all(name in done.stdout for name in [*SOURCES, "--pid", "--interval", "--root", "--sources"])


@pytest.mark.quiet
def test_it_is_cheap_and_small(start, sleeper, tmp_path):
    # Into a file, as the orchestrator does: a pipe that nobody reads would stop it after some ticks.
    with (tmp_path / "telemetry.jsonl").open("wb") as out:
        popen = start(lean(), "--pid", sleeper.pid, "--interval", "0.02", stdout=out)
        time.sleep(2.5)
        popen.communicate(timeout=20)
    last = json.loads((tmp_path / "telemetry.jsonl").read_text().splitlines()[-1])
    tick_ns = (last["cpu_ns"] - last["startup_cpu_ns"]) / last["ticks"]
    assert last["ticks"] > 50
    assert tick_ns < 0.003 * 1e9, "more than 0.3 % of a core at 1 Hz"
    assert last["max_rss_bytes"] <= 15 * 2**20


def test_it_imports_little(sleeper):
    quick = "cgroup,process,meminfo,load,thermal,hwmon,cpufreq,devfreq,soctherm,nvmap,rapl,ina2xx,throttle"
    words = ["--pid", str(sleeper.pid), "--sources", quick]
    done = subprocess.run(
        [sys.executable, *LEAN, "-X", "importtime", str(FOLDER), *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "telemetry.cgroup" in imported
    assert not imported & {"argparse", "subprocess", "typing", "threading", "logging", "pathlib", "click"}
    assert not any(name.split(".")[0] == "orchestrator" for name in imported)


def docker(*words):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def container(double_image):
    """A container whose init has a child that holds 32 MiB; its host pid."""
    name = f"inferometer-test-telemetry-{os.getpid()}"
    grow = "import time; held = bytearray(b'x') * (32 << 20); print('held', flush=True); time.sleep(60)"
    shape = ["--rm", "--init", "--network", "none", "--name", name, "--entrypoint", "python3"]
    docker("run", "-d", *shape, double_image.tag, "-c", grow)
    try:
        wait_for(lambda: docker("logs", name) == "held", 30)
        yield int(docker("inspect", "-f", "{{.State.Pid}}", name))
    finally:
        docker("kill", name)


@pytest.mark.docker
def test_a_containers_memory_is_its_own(start, container):
    popen = start(lean(), "--pid", container, "--interval", "0.1", "--sources", "cgroup,process")
    time.sleep(1)
    lines = finish(popen)
    check(lines)
    values = {line["source"]: line["value"] for line in lines[1:-1]}
    assert 32 << 20 < values["process.vm_hwm"] < 256 << 20
    for source in ("cgroup.memory_peak", "cgroup.memory_current", "cgroup.memory_anon"):
        if values[source] is None:
            reasons = {line["reason"] for line in lines[1:-1] if line["source"] == source}
            assert reasons == {"no_sensor"}, f"{source}: {reasons}"  # a kernel without it
        else:
            assert 32 << 20 < values[source] < 256 << 20


def test_it_stays_on_the_cores_it_is_given(start, sleeper):
    core = min(os.sched_getaffinity(0))
    popen = start(lean(), "--pid", sleeper.pid, "--cores", core)
    assert json.loads(popen.stdout.readline())["type"] == "clock"
    assert json.loads(popen.stdout.readline())["type"] in ("reading", "fix")  # all threads run
    assert all(os.sched_getaffinity(int(t)) == {core} for t in os.listdir(f"/proc/{popen.pid}/task"))
    popen.send_signal(signal.SIGTERM)
    assert json.loads(popen.stdout.read().splitlines()[-1])["type"] == "end"
