"""One ssh connection to a board, reused for commands and for its Docker Engine's socket, and mended."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from orchestrator.domain import InferometerError
from orchestrator.engines import guard
from orchestrator.engines.process import die_with

Result = TypeVar("Result")
# A link that is gone is noticed after three unanswered calls; then it is tried again for so long.
_ALIVE_S, _PATIENCE_S, _PAUSE_S = 5, 300.0, 1.0
_ATTEMPT_S = 60.0  # an attempt, however long, uses up no more of it: carrying an image takes its time
_CONNECT_S = 10
_FIXES = (
    (r"Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED", "HOSTKEY"),
    (r"Permission denied", "put your key there with `ssh-copy-id {who}`, or start ssh-agent"),
    (r"Connection refused", "start sshd there, or give its port: ssh://user@board:PORT"),
    (r"Could not resolve", "mend the name, or give the board's address"),
    (r"timed out|No route|unreachable", "is it switched on and in this network?"),
)


class Broken(Exception):
    """The link is gone; what was under way there goes on."""


class Link:
    """``ssh://user@board[:port]``; commands run through one master connection (ssh's ControlMaster)."""

    def __init__(self, address: str):
        try:
            parts = urlsplit(address)
            port = parts.port
        except ValueError:  # a port that is none, a bracket left open
            parts, port = urlsplit(""), None
        if parts.scheme != "ssh" or not parts.hostname or parts.path.strip("/"):
            raise InferometerError(f"HOST={address}: write ssh://user@board or ssh://user@board:port")
        self.who = f"{parts.username}@{parts.hostname}" if parts.username else parts.hostname
        if self.who.startswith("-") or shutil.which("ssh") is None:
            raise InferometerError(f"HOST={address}: ssh cannot be used; apt-get install openssh-client")
        # Of a master that the user's own configuration asks for we would know nothing.
        self._words = ["ssh", "-o", "BatchMode=yes", "-o", "ControlPersist=no"]
        self._words += ["-p", str(port)] if port else []
        # A socket's path has some hundred characters at most, of which ssh takes twenty for itself.
        base = tempfile.gettempdir()
        self._folder = Path(
            tempfile.mkdtemp(prefix="inferometer-ssh-", dir=base if len(base) < 50 else "/tmp")
        )
        self._control = self._folder / "c"
        self.socket = self._folder / "docker"
        self._master: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._held_for: str | None = None
        self._is_gone = False
        self._token = guard.Token(address)

    def open(self) -> None:
        """Connect and bring the board's Docker socket here. Raises InferometerError with the fix."""
        try:
            self._connect()
        except Broken as problem:
            raise InferometerError(_advice(self.who, str(problem))) from None

    def _connect(self) -> None:
        self._disconnect()
        options = {
            "ConnectTimeout": _CONNECT_S,
            "ServerAliveInterval": _ALIVE_S,
            "ServerAliveCountMax": 3,
            "StreamLocalBindUnlink": "yes",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        log = self._folder / "log"
        with log.open("wb") as stream:
            self._master = subprocess.Popen(
                [*self._words, *words, "-M", "-N", "-S", str(self._control), self.who],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                preexec_fn=partial(die_with, os.getpid()),
                start_new_session=True,  # Ctrl-C is ours: what runs on the board is removed first
            )
        while not self._control.exists():
            if self._master.poll() is not None:
                raise Broken(log.read_text("utf-8", "replace").strip() or "ssh ended")
            time.sleep(0.02)
        remote = self.run("echo ${DOCKER_HOST:-unix:///var/run/docker.sock}").decode().strip()
        if not remote.startswith("unix://"):
            raise InferometerError(
                f"{self.who}: DOCKER_HOST is {remote} there; only a unix:// socket is used"
            )
        forward = f"{self.socket}:{remote.removeprefix('unix://')}"
        self._ssh(["-O", "forward", "-L", forward, self.who])
        if self._held_for:  # it fell with the connection
            try:
                self._take()
            except InferometerError as problem:
                raise Broken(str(problem)) from None

    def _disconnect(self) -> None:
        for child in (self._master, self._guard):
            if child:
                child.kill()
                child.communicate()
        self._master = self._guard = None
        for path in (self._control, self.socket):
            with suppress(FileNotFoundError):
                path.unlink()

    def close(self) -> None:
        """End the connection and remove its files."""
        self._disconnect()
        self._token.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, command: str, feed: bytes = b"", timeout_s: float = 60) -> bytes:
        """The output of a shell command there. Raises Broken, or InferometerError when it failed."""
        return self._ssh([self.who, command], feed, timeout_s)

    def _client(self) -> list[str]:
        """Words of a command that goes through the master, or fails."""
        return [*self._words, "-o", "ControlMaster=no", "-S", str(self._control)]

    def _ssh(self, words: list[str], feed: bytes = b"", timeout_s: float = 60) -> bytes:
        try:
            done = subprocess.run(
                [*self._client(), *words],
                input=feed,
                capture_output=True,
                timeout=timeout_s,
                start_new_session=True,
            )
        except subprocess.TimeoutExpired:
            raise Broken(f"no answer within {timeout_s:g} s") from None
        said = done.stderr.decode("utf-8", "replace").strip()
        if done.returncode == 255:  # ssh's own
            raise Broken(said or "the connection ended")
        if done.returncode:
            last = said.splitlines()[-1:] or [f"exit status {done.returncode}"]
            raise InferometerError(f"{self.who}: {last[0]}")
        return done.stdout

    def persist(self, action: Callable[[], Result]) -> Result:
        """Do what may be done twice, again when the link broke meanwhile. Raises Broken in the end."""
        import docker.errors
        import requests

        # Once it has stayed away for all that time, whoever tidies up does not wait as long again.
        patience_s = 0.0 if self._is_gone else _PATIENCE_S
        while True:
            began = time.monotonic()
            try:
                if self._master is None or self._master.poll() is not None:
                    self._connect()
                result, self._is_gone = action(), False
                return result
            except docker.errors.APIError:
                raise  # an answer
            except (Broken, requests.RequestException, docker.errors.DockerException, OSError) as problem:
                time.sleep(_PAUSE_S)
                if not self._answers():
                    self._disconnect()
                patience_s -= min(time.monotonic() - began, _ATTEMPT_S)
                if patience_s < 0:
                    self._is_gone = True
                    raise Broken(f"the connection is gone ({problem})") from None

    def _answers(self) -> bool:
        try:
            self.run("true", timeout_s=_CONNECT_S)
            return True
        except (Broken, InferometerError):
            return False

    def hold(self, what: str) -> None:
        """Hold the board's lock as long as we are here, also after the link was mended.

        Raises InferometerError naming who holds it, or why it cannot be taken.
        """
        self._held_for = what
        self._take()

    def _take(self) -> None:
        program = ("python3", "-c", guard.PROGRAM, self._token.text, self._held_for or "")
        words = " ".join(map(shlex.quote, program))
        self._guard = subprocess.Popen(
            [*self._client(), self.who, words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=partial(die_with, os.getpid()),
            start_new_session=True,
        )
        assert self._guard.stdout
        said = self._guard.stdout.readline().decode("utf-8", "replace").strip()
        if said == "held":
            return
        told = self._guard.communicate()[1].decode("utf-8", "replace").splitlines()[-1:]
        if said.startswith("busy "):
            raise InferometerError(
                f"{self.who} is in use by {said[5:]}, so {self._held_for} cannot begin; wait for it "
                "or stop it"
            )
        raise InferometerError(
            f"{self.who}: the lock /tmp/inferometer.lock there cannot be taken "
            f"({(told or ['it said nothing'])[0]}); mend or remove it"
        )

    def python(self, script: str, *arguments: str, feed: bytes = b"") -> bytes:
        """Run a Python script there (3.6 or newer)."""
        words = " ".join(map(shlex.quote, ("python3", "-S", "-E", "-s", "-c", script, *arguments)))
        return self.run(words, feed)


def _advice(who: str, said: str) -> str:
    last = said.splitlines()[-1] if said else "no reason given"
    for pattern, fix in _FIXES:
        if re.search(pattern, said):
            if fix == "HOSTKEY":
                changed = "CHANGED" in said
                last = "its host key has changed" if changed else "its host key is not known here"
                fix = (
                    "if that is right, `ssh-keygen -R` its old key and connect once by hand"
                    if changed
                    else "connect once by hand with `ssh {who}` and accept it"
                )
            return f"{who} cannot be reached: {last}; {fix.format(who=who)}"
    return f"{who} cannot be reached: {last}; try `ssh {who}` by hand"
