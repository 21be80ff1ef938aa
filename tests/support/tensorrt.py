"""The TensorRT runner against doubles of TensorRT and CUDA (tests/fixtures/tensorrt)."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support import runners
from tests.support.runners import Ended, Message

RUNNER = runners.RUNNERS / "tensorrt" / "runner.py"
DOUBLES = Path(__file__).parent.parent / "fixtures" / "tensorrt"
GENERATIONS = ("8.2.1.8", "8.6.1", "10.3.0", "11.4.0")


def build_cudart(folder: Path) -> Path:
    """The double of CUDA's library, compiled into a folder."""
    library = folder / "libcudart.so"
    words = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, DOUBLES / "cudart.c"]
    subprocess.run(words, check=True)
    return library


def model(folder: Path, **fields: object) -> bytes:
    """A file that the double computes; its input is [1, 3]."""
    said = {"input": [1, 3], "output": [1, 2], "layers": ["CONVOLUTION", "MATRIX_MULTIPLY"], **fields}
    return json.dumps(said).encode()


def request(folder: Path, data: bytes, **fields: object) -> Message:
    """A quick one."""
    path = folder / "model.onnx"
    path.write_bytes(data)
    return {
        "protocol": 1,
        "accelerator": "cuda",
        "model": {"path": str(path), "format": "onnx", "sha256": hashlib.sha256(data).hexdigest()},
        "inputs": str(folder / "inputs.npy"),
        "warmup": {"cap": 45},
        "measure": {"min_duration_ns": 1_000_000, "min_iterations": 10},
        **fields,
    }


def launch(
    line: Message | bytes,
    cudart: Path | None,
    generation: str = "10.3.0",
    command: str = "run",
    python: str = sys.executable,
    packages: Path | None = None,
    world: Mapping[str, str] | None = None,
) -> Ended:
    """The runner to its end. Without ``cudart`` there is no CUDA; ``world``: what the doubles are told."""
    path = [str(runners.SDK), str(DOUBLES), *([str(packages)] if packages else [])]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TENSORRT_DOUBLE": generation,
        **({"LD_LIBRARY_PATH": str(cudart.parent)} if cudart else {}),
        **(world or {}),
    }
    data = line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n"
    words = [python, str(RUNNER), command]
    done = subprocess.run(words, input=data, capture_output=True, env=environment, timeout=60, check=False)
    return Ended(done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"))
