"""Artifacts that are not there yet: made once by the exporter, with progress, in its own environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orchestrator import artifacts
from orchestrator.catalog import Model
from orchestrator.domain import InferometerError
from orchestrator.engines import images, venvs
from orchestrator.engines.docker import Frames, attached
from orchestrator.engines.launch import STDERR
from orchestrator.files import sha256_file

Progress = Callable[[str], None]
_TIMEOUT_S = 3600
# Random weights stand in for official ones that cannot be had; one seed, so that artifacts stay the same.
WEIGHTS_SEED = 0


def ensure(
    root: Path,
    cache: Path,
    model: Model,
    variant: str,
    batch: int,
    engine: str,
    progress: Progress,
) -> None:
    """Export a model variant at a batch size unless a current export is there.

    ``engine`` is ``docker`` or ``process``. Raises InferometerError naming the log when it fails.
    """
    if artifacts.is_current(root, cache, model, variant, batch):
        return
    folder = cache / "artifacts" / model.id / variant / f"b{batch}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    weights, missing = fetch_weights(root, cache, model, progress)
    progress(f"exporting {model.id} {variant} (once)")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        staging = Path(temporary)
        staging.chmod(0o777)  # the exporter's container runs as another user
        arguments = ["export", "--variant", variant, "--batch", str(batch), "--seed", str(WEIGHTS_SEED)]
        arguments += ["--key", artifacts.export_key(root, model)]
        if missing:
            arguments += ["--weights-missing", missing]
        log = cache / "logs" / f"export-{model.id}-{variant}-b{batch}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        run = _in_container if engine == "docker" else _in_venv
        run(root, cache, model, weights, arguments, staging, log, progress)
        made = staging / "out"
        if artifacts.read_manifest(made) is None:
            raise InferometerError(f"the export of {model.id} wrote no manifest; see {log}")
        if folder.exists():
            shutil.rmtree(folder)
        os.rename(made, folder)
        _readable(folder)


def _readable(folder: Path) -> None:
    # Containers run as an unprivileged user of another id.
    for path in [folder, *folder.parents[:3], *folder.iterdir()]:
        if os.stat(path).st_uid == os.getuid():
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))


def _in_container(
    root: Path,
    cache: Path,
    model: Model,
    weights: Path | None,
    arguments: list[str],
    staging: Path,
    log: Path,
    progress: Progress,
) -> None:
    import docker

    image = images.ensure("models", root, cache, None, progress)
    volumes = {
        str(model.path): {"bind": f"/data/{model.path.name}", "mode": "ro"},
        str(staging): {"bind": "/out", "mode": "rw"},
    }
    arguments += ["--card", f"/data/{model.path.name}", "--out", "/out/out"]
    if weights:
        volumes[str(weights)] = {"bind": f"/data/weights/{weights.name}", "mode": "ro"}
        arguments += ["--weights", f"/data/weights/{weights.name}"]
    container = docker.from_env(timeout=_TIMEOUT_S).containers.create(
        image.tag,
        arguments,
        network_mode="none",
        read_only=True,
        init=True,
        tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
        user="10001:10001",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        volumes=volumes,
        labels={"org.inferometer.exporter": model.id},
    )
    try:
        parser, frames = _Lines(progress, model.id), Frames()
        # Read both streams as they come: stdout is progress, stderr the log.
        with log.open("wb") as stream, attached(container) as connection:
            container.start()
            while data := connection.recv(1 << 16):
                for number, part in frames.feed(data):
                    if number == STDERR:
                        stream.write(part)
                    else:
                        parser.feed(part)
        code = container.wait()["StatusCode"]
        _conclude(code, parser, log, model)
    finally:
        container.remove(force=True)


def _in_venv(
    root: Path,
    cache: Path,
    model: Model,
    weights: Path | None,
    arguments: list[str],
    staging: Path,
    log: Path,
    progress: Progress,
) -> None:
    python = venvs.ensure("models", root / "models", cache, progress)
    arguments += ["--card", str(model.path), "--out", str(staging / "out")]
    if weights:
        arguments += ["--weights", str(weights)]
    parser = _Lines(progress, model.id)
    command = [str(python), "-m", "models", *arguments]
    with (
        log.open("wb") as stream,
        subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, stderr=stream) as child,
    ):
        assert child.stdout
        try:
            for line in child.stdout:
                parser.feed(line)
            code = child.wait()
        finally:
            child.kill()
    _conclude(code, parser, log, model)


class _Lines:
    """The exporter's progress lines, cut from a stream of bytes."""

    def __init__(self, progress: Progress, model: str):
        self._progress, self._model = progress, model
        self._rest = b""
        self._began: dict[str, float] = {}
        self.error: str | None = None

    def feed(self, data: bytes) -> None:
        """Take bytes of the exporter's standard output."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                self._take(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue  # a library's own print; the exit status decides

    def _take(self, message: Mapping[str, Any]) -> None:
        if message["type"] == "error":
            self.error = str(message["message"])
        elif message["type"] == "step" and message["edge"] == "start":
            self._began[message["name"]] = time.monotonic()
        elif message["type"] == "step":
            seconds = time.monotonic() - self._began.get(message["name"], time.monotonic())
            self._progress(f"  {self._model}: {message['name']} done in {seconds:.0f} s")


def _conclude(code: int, parser: _Lines, log: Path, model: Model) -> None:
    if code != 0 or parser.error:
        cause = parser.error or f"exit status {code}"
        if code == 137:
            cause = "killed, probably for lack of memory"
        raise InferometerError(f"the export of {model.id} failed: {cause}; its log: {log}")


def fetch_weights(
    root: Path, cache: Path, model: Model, progress: Progress
) -> tuple[Path | None, str | None]:
    """(file, None) or (None, why there is none). Official weights are verified by SHA-256."""
    card = model.weights
    if card.get("kind") == "bundled":
        return root / "models" / card["file"], None
    path, sha256 = artifacts.weights_file(cache, model), card.get("sha256")
    if path is None or not sha256:
        return None, "the card names no weights"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        progress(f"downloading {path.name}")
        problem = _download(card["url"], path, progress)
        if problem:
            return None, f"{path.name} cannot be downloaded ({problem}); put it at {path} to use it"
    actual = sha256_file(path)
    if not actual.startswith(sha256):
        raise InferometerError(
            f"{path}: SHA-256 is {actual[:12]}..., {model.path} says {sha256[:12]}...; delete it"
        )
    return path, None


def _download(url: str, path: Path, progress: Progress) -> str | None:
    partial = path.with_suffix(path.suffix + ".part")
    try:
        with urllib.request.urlopen(url, timeout=20) as response, partial.open("wb") as stream:
            total, done, shown = int(response.headers.get("Content-Length") or 0), 0, 0
            while chunk := response.read(1 << 20):
                stream.write(chunk)
                done += len(chunk)
                if total and done * 10 // total > shown:
                    shown = done * 10 // total
                    progress(f"  {path.name}: {shown * 10} %")
        if total and done != total:
            return f"cut off after {done} of {total} bytes"
    except (urllib.error.URLError, OSError) as problem:
        return str(getattr(problem, "reason", problem))
    os.replace(partial, path)
    return None
