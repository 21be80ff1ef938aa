"""The process engine: each runtime in a virtual environment of its own, each trial a fresh process."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.catalog import Runtime
from orchestrator.engines import observer, venvs
from orchestrator.engines.launch import STDERR, STDOUT, Handle, Launch, Mount, Outcome, Sink, Target, Watch
from orchestrator.measurement import Line

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None, use_errno=True)
_GRACE_S = 5.0


def die_with(parent: int) -> None:
    """Called in a child before its exec: the kernel kills it when ``parent``, which forked it, dies."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the line above
        os._exit(1)


class _Process:
    def __init__(self, popen: subprocess.Popen[bytes]):
        self._popen = popen
        self.pid = popen.pid

    def signal(self, number: int) -> None:
        if self._popen.poll() is None:
            self._popen.send_signal(number)


class ProcessEngine:
    """Runs runners as children; they die with this process even when it is killed."""

    name = "process"

    def __init__(self, root: Path, cache: Path):
        self._root, self._cache = root, cache

    def prepare(self, runtime: Runtime, progress: Callable[[str], None], accelerator: str = "cpu") -> Target:
        """A virtual environment from the runtime's pinned requirements, made once."""
        python = venvs.ensure(runtime.id, runtime.folder, self._cache, progress, runtime.further)
        return Target(runtime.id, f"{python}\0{runtime.folder / 'runner.py'}")

    def see(self, mount: Mount) -> str:
        """Host paths are the runner's paths."""
        return str(mount.source)

    def observe(self, pid: int, watch: Watch, path: Path) -> Callable[[], None]:
        """See :class:`orchestrator.engines.launch.Engine`."""
        return observer.observe(pid, watch, path)

    def sense(self, sources: Sequence[str]) -> Sequence[Line]:
        """See :class:`orchestrator.engines.launch.Engine`."""
        return observer.sense(sources)

    def clean(self) -> list[str]:
        """Nothing outlives its parent here."""
        return []

    def launch(self, launch: Launch, on_started: Callable[[Handle], None]) -> Outcome:
        """See :class:`orchestrator.engines.launch.Engine`."""
        cores, parent = launch.cores, os.getpid()

        def become_runner() -> None:
            die_with(parent)
            if cores:
                os.sched_setaffinity(0, cores)

        sink = Sink(launch.stdout, launch.stderr)
        started_ns = time.monotonic_ns()
        try:
            popen = subprocess.Popen(
                [*launch.target.split("\0"), launch.command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_environment(self._root, launch),
                preexec_fn=become_runner,
                start_new_session=True,
            )
        except OSError as problem:
            sink.close()
            text = f"cannot start {launch.target.split(chr(0))[0]}: {problem.strerror}"
            return Outcome(started_ns, time.monotonic_ns(), problem=text)
        try:
            on_started(_Process(popen))
            timed_out = _pump(popen, launch, sink)
            return _outcome(popen, started_ns, timed_out, sink)
        finally:
            _kill(popen)
            sink.close()


def _environment(root: Path, launch: Launch) -> dict[str, str]:
    # Only what a process needs to live, so that a user's shell settings cannot change a figure.
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    sdk = {"PYTHONPATH": str(root / "runners" / "sdk"), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **sdk, **launch.environment}


def _pump(popen: subprocess.Popen[bytes], launch: Launch, sink: Sink) -> bool:
    """Feed the request, drain both streams until they close; True when the deadline came first."""
    assert popen.stdin and popen.stdout and popen.stderr
    try:
        popen.stdin.write(launch.request)
        popen.stdin.close()
    except BrokenPipeError:
        pass  # it died before reading; its exit code tells
    deadline = time.monotonic() + launch.timeout_s
    with selectors.DefaultSelector() as selector:
        selector.register(popen.stdout, selectors.EVENT_READ, STDOUT)
        selector.register(popen.stderr, selectors.EVENT_READ, STDERR)
        while selector.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            for key, _ in selector.select(left):
                data = os.read(key.fd, 1 << 16)
                if data:
                    sink.write(key.data, data)
                else:
                    selector.unregister(key.fileobj)
            if sink.overflow:
                return False
    return False


def _kill(popen: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(popen.pid, signal.SIGKILL)  # its own session: helpers it forked go as well
    popen.wait()
    for stream in (popen.stdin, popen.stdout, popen.stderr):
        if stream:
            stream.close()


def _outcome(popen: subprocess.Popen[bytes], started_ns: int, timed_out: bool, sink: Sink) -> Outcome:
    code: int | None = None
    if not timed_out and not sink.overflow:
        try:
            code = popen.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            timed_out = True  # closed its streams and stayed
    ended_ns = time.monotonic_ns()
    return Outcome(
        started_ns,
        ended_ns,
        exit_code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        timed_out=timed_out,
        overflow=sink.overflow,
    )
