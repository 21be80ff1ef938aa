"""A board reached over ssh, played by this machine: a real sshd and a Docker Engine of its own.

The engine has its own data, containerd and socket; sshd's ``SetEnv DOCKER_HOST`` leads to it. A wrapper
named ``ssh``, first on PATH, gives the client a configuration of its own.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from orchestrator.engines.process import die_with

SSHD = "/usr/sbin/sshd"
DOCKERD = shutil.which("dockerd") or "/usr/sbin/dockerd"


def missing() -> str | None:
    """Why there can be no such board here."""
    if os.getuid() != 0:
        return "a second Docker Engine needs root"
    for program, package in (
        (SSHD, "openssh-server"),
        (DOCKERD, "docker.io"),
        ("/usr/bin/ssh", "openssh-client"),
    ):
        if not os.access(program, os.X_OK):
            return f"{program} is missing: apt-get install {package}"
    return None


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    """Until it holds. Raises TimeoutError."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)


class Board:
    """The running board; ``folder`` holds everything of it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = _free_port()
        self.socket = folder / "docker.sock"
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        """What HOST= takes."""
        return f"ssh://root@localhost:{self.port}"

    def environment(self) -> dict[str, str]:
        """For a program that is to reach it."""
        return {**os.environ, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def start(self) -> None:
        """Keys, engine, sshd."""
        for name in ("host", "user"):
            key = self.folder / name
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        shutil.copy(self.folder / "user.pub", self.folder / "authorized_keys")
        host_key = (self.folder / "host.pub").read_text().split()
        self.trust(" ".join(host_key[:2]))
        (self.folder / "bin").mkdir()
        (self.folder / "client").write_text(
            f"Host *\nIdentityFile {self.folder / 'user'}\nIdentitiesOnly yes\n"
            f"UserKnownHostsFile {self.folder / 'known_hosts'}\nGlobalKnownHostsFile /dev/null\n"
            # As many have it: connections of their own that stay.
            f"ControlMaster auto\nControlPath {self.folder}/m-%C\nControlPersist 10m\n"
        )
        wrapper = self.folder / "bin/ssh"
        wrapper.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {self.folder / "client"} "$@"\n')
        wrapper.chmod(0o755)
        self.start_engine()
        self.start_sshd()

    def trust(self, key: str) -> None:
        """The host key that the client knows."""
        (self.folder / "known_hosts").write_text(f"[localhost]:{self.port} {key}\n")

    def start_engine(self) -> None:
        """A Docker Engine beside this machine's."""
        config = self.folder / "daemon.json"
        config.write_text('{"features": {"containerd-snapshotter": true}}')
        # A network namespace of its own: with --bridge none it would take this machine's bridge away.
        words = [
            "unshare",
            "--net",
            DOCKERD,
            "--data-root",
            self.folder / "data",
            "--exec-root",
            self.folder / "exec",
        ]
        words += ["--pidfile", self.folder / "pid", "-H", f"unix://{self.socket}", "--bridge", "none"]
        words += [
            "--iptables=false",
            "--ip6tables=false",
        ]
        words += ["--config-file", config, "--cgroup-parent", "/inferometer-test"]
        self._spawn("engine", [str(word) for word in words])
        asked = ["docker", "-H", f"unix://{self.socket}", "version"]
        wait_for(lambda: subprocess.run(asked, capture_output=True).returncode == 0, "the engine")

    def start_sshd(self) -> None:
        """Answers at ``port``."""
        Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder / 'host'}\n"
            f"AuthorizedKeysFile {self.folder / 'authorized_keys'}\nStrictModes no\nUsePAM no\n"
            f"PidFile {self.folder / 'sshd.pid'}\nSetEnv DOCKER_HOST=unix://{self.socket}\n"
        )
        self._spawn("sshd", [SSHD, "-D", "-e", "-f", str(config)])
        wait_for(lambda: _listens(self.port), "sshd")

    def cut(self) -> None:
        """Every connection ends and none is taken, as when a cable is drawn."""
        self._end("sshd")

    def run(self, *words: str) -> str:
        """``docker`` on the board's engine."""
        command = ["docker", "-H", f"unix://{self.socket}", *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def stop(self) -> None:
        """All of it, containers first."""
        with contextlib.suppress(subprocess.CalledProcessError):
            for container in self.run("ps", "-aq").split():
                self.run("rm", "-f", container)
        for name in list(self._children):
            self._end(name)
        subprocess.run(["umount", "--recursive", "--lazy", self.folder / "exec"], capture_output=True)

    def _spawn(self, name: str, words: list[str]) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self._children[name] = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with, os.getpid()),  # workers that are interrupted clean nothing up
            )

    def _end(self, name: str) -> None:
        child = self._children.pop(name)
        if name == "sshd":  # its sessions are processes of their own
            subprocess.run(["pkill", "-KILL", "-P", str(child.pid)], capture_output=True)
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def board(folder: Path) -> Iterator[Board]:
    """A running board, gone afterwards."""
    made = Board(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@contextlib.contextmanager
def ready(folder: Path) -> Iterator[Board]:
    """The same for a test: skipped where there can be none, failed where CI says that there must be."""
    reason = missing()
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"CI is set, and {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)
    with board(folder) as made:
        yield made
