"""``bench --tune`` on this very machine, as far as it allows: what was set is put back, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.tuning.journal import NAME
from orchestrator.tuning.machine import STATE
from tests.support import doubles
from tests.support.benches import belonging, wait_for
from tests.support.newcomer import FAKE, environment, inferometer, measured, refused

pytestmark = pytest.mark.quiet

ASLR = Path("/proc/sys/kernel/randomize_va_space")
FOLDER = Path("/") / STATE
FROM = ASLR.read_text() if ASLR.exists() else ""
MAY = os.geteuid() == 0 and os.access(ASLR, os.W_OK) and FROM not in ("", "0\n") and not FOLDER.exists()
may = pytest.mark.skipif(not MAY, reason="needs root, and addresses that are random and may be set")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is made once (the double's environment) is made once here too."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder to run in; whatever happens in it, this machine is afterwards as it was."""
    try:
        yield tmp_path
        wait_for(lambda: not belonging(tmp_path))
        assert belonging(tmp_path) == []
        if MAY:
            assert ASLR.read_text() == FROM
            assert not FOLDER.exists()
    finally:
        if MAY and ASLR.read_text() != FROM:
            ASLR.write_text(FROM)
            (FOLDER / NAME).unlink(missing_ok=True)


def bench(place: Path, cache: Path, *more: str) -> subprocess.Popen[str]:
    """Many trials of the scripted double, tuned."""
    options = ["--engine", "process", "--runtimes", "fake", "--models", doubles.MODEL, "--quick"]
    options += [word for number in range(20) for word in ("--option", f"fake.latency_ns={50_000 + number}")]
    return subprocess.Popen(
        [sys.executable, "-m", "orchestrator", "bench", *options, *more],
        cwd=place,
        env=environment(place, INFEROMETER_CACHE=str(cache)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def a_trial(child: subprocess.Popen[str]) -> list[str]:
    """What was said until a trial had ended."""
    said = []
    assert child.stderr
    for line in child.stderr:
        said.append(line.rstrip())
        if line.startswith("["):
            return said
    pytest.fail(f"it ended before a trial: {said}")


def headers(place: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_bytes()) for path in sorted(place.glob("results/*/run.json"))]


@may
def test_a_bench_that_ends_well(place: Path, cache: Path) -> None:
    done = inferometer(place, "bench", *FAKE, "--tune", "aslr=off", INFEROMETER_CACHE=str(cache))
    measured(done)
    assert "tuned for the trials: aslr=off" in done.stderr
    assert "tuned (note)" in done.stdout
    (header,) = headers(place)
    assert header["identity"]["tuned"] == {"aslr": "off"}
    assert header["environment"]["isolation"]["aslr"] == int(FROM)


@may
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_puts_back_at_once(place: Path, cache: Path, number: signal.Signals) -> None:
    child = bench(place, cache, "--tune", "aslr=off")
    assert "tuned for the trials: aslr=off" in a_trial(child)
    assert ASLR.read_text() == "0\n"
    assert (FOLDER / NAME).stat().st_mode & 0o777 == 0o644
    child.send_signal(number)
    child.communicate(timeout=30)
    assert child.returncode == 130
    assert ASLR.read_text() == FROM
    assert not FOLDER.exists()


@may
@pytest.mark.parametrize("command", ["bench", "doctor"])
def test_the_next_start_puts_back_what_a_killed_bench_left(place: Path, cache: Path, command: str) -> None:
    child = bench(place, cache, "--tune", "aslr=off")
    a_trial(child)
    child.kill()
    child.communicate()
    assert ASLR.read_text() == "0\n", "a killed process cannot have put it back"
    wait_for(lambda: not belonging(place))
    words = [*FAKE] if command == "bench" else []
    done = inferometer(place, command, *words, INFEROMETER_CACHE=str(cache))
    said = done.stderr + done.stdout
    assert said.count("a bench was killed while the machine was tuned: put back aslr") == 1
    assert ASLR.read_text() == FROM
    assert not FOLDER.exists()
    again = inferometer(place, command, *words, INFEROMETER_CACHE=str(cache))
    assert "was killed" not in again.stderr + again.stdout


@may
def test_a_run_begun_tuned_is_resumed_tuned_alone(place: Path, cache: Path) -> None:
    for more in (["--tune", "aslr=off"], [], ["--tune", "aslr=off"]):
        child = bench(place, cache, *more)
        a_trial(child)
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=30)
    tuned = [header["identity"]["tuned"] for header in headers(place)]
    assert sorted(map(str, tuned)) == ["{'aslr': 'off'}", "{}"]


@pytest.mark.parametrize(
    ("words", "texts"),
    [
        (["--tune"], ["Option '--tune' requires an argument"]),
        (["--tune", ""], ["--tune: name what to set"]),
        (["--tune", "asrl=off"], ["unknown knob of --tune 'asrl'", "Did you mean aslr?"]),
        (["--tune", "aslr=off", "--host", "ssh://pi@board"], ["--tune sets this machine", "HOST="]),
        (["--tune", "aslr=off", "--device", "rpi5", "--emulate"], ["EMULATE=1 measures no speed"]),
    ],
)
def test_what_cannot_be_is_refused(place: Path, words: list[str], texts: list[str]) -> None:
    refused(inferometer(place, "bench", *FAKE, *words), *texts)


@pytest.mark.skipif(MAY, reason="this machine allows it")
def test_where_it_may_not_be_set_the_refusal_says_why(place: Path) -> None:
    text = "sudo make bench TUNE=aslr=off" if os.geteuid() else "--tune aslr=off"
    if FROM != "0\n":
        refused(inferometer(place, "bench", *FAKE, "--tune", "aslr=off"), text)


def test_a_machine_without_power_modes_says_so(place: Path) -> None:
    if os.geteuid() == 0 and not Path("/etc/nvpmodel.conf").exists():
        done = inferometer(place, "bench", *FAKE, "--tune", "nvpmodel=MAXN")
        refused(done, "--tune nvpmodel=MAXN: No such file or directory (/etc/nvpmodel.conf); leave it out")
