"""Runners as their hosts see them: a command, a request line in, lines out."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

RUNNERS = Path(__file__).parent.parent.parent / "runners"
SDK = RUNNERS / "sdk"
FAKE = RUNNERS / "fake" / "runner.py"

Message = dict[str, Any]


def import_sdk() -> ModuleType:
    """The SDK in this process, which gets its own file descriptor 1 back."""
    saved = os.dup(1)
    try:
        spec = importlib.util.spec_from_file_location("inferometer_sdk", SDK / "inferometer_sdk.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        os.dup2(saved, 1)
        os.close(saved)
    module.OUT.close()
    return module


@dataclass(frozen=True)
class Ended:
    """How a runner ended and what it wrote."""

    exit_code: int
    stdout: bytes
    stderr: str

    @property
    def messages(self) -> list[Message]:
        """Every line as an object; fails where one is none."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def all(self, kind: str) -> list[Message]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]

    def one(self, kind: str) -> Message:
        """The only message of a type."""
        (message,) = self.all(kind)
        return message

    @property
    def phases(self) -> list[tuple[str, str]]:
        """The marks in order."""
        return [(message["name"], message["edge"]) for message in self.all("phase")]


def start(
    runner: Path,
    command: Sequence[str] = ("run",),
    python: str = sys.executable,
    below: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """The runner as a child with pipes, started by the command ``below`` if there is one."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    environment |= {"PYTHONPATH": str(SDK), "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    line = [*below, python, str(runner), *command]
    return subprocess.Popen(line, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


def feed(child: subprocess.Popen[bytes], message: Message) -> None:
    """Write the request and close standard input."""
    assert child.stdin
    child.stdin.write(json.dumps(message).encode() + b"\n")
    child.stdin.close()


def discard(child: subprocess.Popen[bytes]) -> None:
    """Kill what still runs and close the pipes."""
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            stream.close()


def launch(
    runner: Path,
    line: bytes | Message = b"",
    command: Sequence[str] = ("run",),
    python: str = sys.executable,
    timeout_s: float = 60,
    below: Sequence[str] = (),
) -> Ended:
    """Run to the end, started by the command ``below`` if there is one."""
    data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
    with start(runner, command, python, below) as child:
        try:
            stdout, stderr = child.communicate(data, timeout_s)
        finally:
            child.kill()
    return Ended(child.returncode, stdout, stderr.decode("utf-8", "replace"))


def write_npy(path: Path, shape: Sequence[int] = (2, 1, 3), descr: str = "<f4") -> Path:
    """An array of zeros as numpy would save it."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header = header.ljust(64 * (len(header) // 64 + 1) - 11) + "\n"
    size = int(descr[-1])
    for count in shape:
        size *= count
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(size))
    return path


def request(folder: Path, model: bytes = b"{}", **fields: Any) -> Message:
    """A quick request for the double, with its files below ``folder``."""
    path = folder / "model.fake"
    path.write_bytes(model)
    return {
        "protocol": 1,
        "model": {"path": str(path), "format": "fake", "sha256": hashlib.sha256(model).hexdigest()},
        "inputs": str(write_npy(folder / "inputs.npy")),
        "warmup": {"cap": 45},
        "measure": {"min_duration_ns": 1_000_000, "min_iterations": 10},
        "options": {"latency_ns": "20000"},
        **fields,
    }


def scripted(folder: Path, **options: str) -> Message:
    """A quick request with a script for the double."""
    return request(folder, options={"latency_ns": "20000", **options})


def python36() -> str | None:
    """A real Python 3.6 of this machine, from PATH or pyenv, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [shutil.which("python3.6"), *map(str, pyenv.glob("versions/3.6.*/bin/python"))]
    for python in filter(None, found):
        done = subprocess.run([python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True)
        if done.stdout == b"(3, 6)\n":
            return python
    return None


RUNNER = """
import inferometer_sdk as sdk
import os, sys

class Tiny(sdk.Runner):
    runtime = "tiny"
    formats = ("fake",)

    def version(self):
        {version}
        return "1"

    def load(self):
        {load}

    def signature(self):
        tensor = {{"name": "x", "shape": [1, 3], "dtype": "float32", "quantization": None}}
        return {{"inputs": [tensor], "outputs": [tensor]}}

    def bind(self, index):
        {bind}
        def infer():
            {infer}
        return infer

    def outputs(self):
        return {outputs}

    def placement(self):
        {placement}
        return {{"executed": {{"cpu": None}}}}

    def close(self):
        {close}

{before}
sdk.serve(Tiny)
"""
METHODS = ("version", "load", "bind", "infer", "placement", "close", "before")


def tiny(folder: Path, **statements: str) -> Path:
    """A runner of the least possible size, with these statements in its methods."""
    body = {"outputs": "(1, 2), [0.5, 1]", **dict.fromkeys(METHODS, "pass"), **statements}
    path = folder / "runner.py"
    path.write_text(RUNNER.format(**body))
    return path
