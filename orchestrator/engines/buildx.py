"""Builds an image with ``docker buildx``: the whole output in a log, one line a finished step."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines import emulator, host_settings
from orchestrator.engines.connection import DEFAULT_SOCKET

Progress = Callable[[str], None]
FIX = "apt-get install docker-buildx"
_SHOWN_FROM_S = 1.0


@cache
def find_buildx() -> str | None:
    """The first ``docker`` on PATH that has buildx, or None; an older client may lie before a newer one."""
    for folder in os.get_exec_path():
        candidate = os.path.join(folder, "docker")
        if os.access(candidate, os.X_OK):
            answer = subprocess.run([candidate, "buildx", "version"], capture_output=True)
            if answer.returncode == 0:
                return candidate
    return None


def require_emulation(platform: str, processor: Mapping[str, str] = {}) -> None:
    """Raises InferometerError with the fix unless the engine can run another architecture's programs.

    ``processor``: the environment that names to the emulator the one it stands in for.
    """
    client = find_buildx()
    if client is None:
        raise InferometerError(f"no docker command with buildx on PATH; fix: {FIX}")
    command = [client, "buildx", "inspect", "default"]
    told = subprocess.run(command, capture_output=True, text=True, env=_environment())
    platforms = re.findall(r"^Platforms:\s*(.*)$", told.stdout, re.MULTILINE)
    if not any(platform in line.replace(",", " ").replace("*", "").split() for line in platforms):
        raise InferometerError(
            f"this Docker Engine cannot emulate {platform}; fix: apt-get install qemu-user-static (or "
            "qemu-user-binfmt) and start systemd-binfmt, or work on the board: HOST=ssh://user@board "
            "BUILD=there"
        )
    if _environment()["DOCKER_HOST"].startswith("unix:"):  # another machine has an emulator of its own
        complaint = emulator.unknown(platform, processor)
        if complaint:
            raise InferometerError(
                f"the emulator of {platform} here is too old ({complaint}); fix: install qemu-user-static "
                "(or qemu-user-binfmt) of Debian 12, Ubuntu 24.04 or newer, or measure on the board with "
                "HOST=ssh://user@board"
            )


def build(
    tag: str,
    dockerfile: Path,
    context: Path,
    requirements: Iterable[Path],
    platform: str | None,
    arguments: Mapping[str, str],
    log: Path,
    progress: Progress,
    address: str | None = None,
) -> None:
    """Build and load an image. ``requirements``: the files whose further indexes the build may use;
    ``address`` of the engine, if not this machine's.

    Raises InferometerError naming the log, its last lines and the fix.
    """
    client = find_buildx()
    if client is None:
        raise InferometerError(f"no docker command with buildx on PATH; fix: {FIX}, or use ENGINE=process")
    options = host_settings.pip_options()
    ca = host_settings.ca_bundle(options)
    wanted = [url for path in requirements for url in host_settings.read_requirements(path).extra_indexes]
    indexes = [url for url in dict.fromkeys(wanted) if host_settings.reachable(url, ca)]
    with tempfile.TemporaryDirectory(prefix="inferometer-build-") as temporary:
        folder = Path(temporary)
        command = [client, "buildx", "--builder", "default", "build", "--progress", "plain"]
        # The default builder is the engine's own, which sees local base images.
        # Fast, small layers: gzip takes twice as long for a framework.
        # OCI types: engines refuse to unpack a foreign platform's image on a base loaded uncompressed else.
        kinds = "type=docker,compression=zstd,compression-level=1,oci-mediatypes=true"
        command += ["--output", kinds, "--provenance", "false"]
        # The host's network: proxies on its loopback work, and an engine without a bridge builds as well.
        command += ["--network", "host", "--file", str(dockerfile), "--tag", tag]
        command += ["--platform", platform] if platform else []
        for name, value in arguments.items():
            command += ["--build-arg", f"{name}={value}"]
        for name in host_settings.proxy_names():
            command += ["--build-arg", name]  # without a value: buildx takes it from the environment
        if ca:
            command += ["--secret", f"id=ca,src={ca}"]
        for name, text in {
            "pip": host_settings.pip_conf(options, indexes, ca),
            "apt": host_settings.apt_conf(ca),
        }.items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_text(text)
            command += ["--secret", f"id={name},src={path}"]
        wheels = _one_folder(host_settings.wheel_folders(options), folder / "wheels")
        command += ["--build-context", f"wheelhouse={wheels}"] if wheels else []
        status = _run([*command, str(context)], log, progress, address)
    if status != 0:
        missing = [url for url in dict.fromkeys(wanted) if url not in indexes]
        raise InferometerError(_failure(tag, log, missing))


def _one_folder(folders: list[Path], joined: Path) -> Path | None:
    if len(folders) < 2:
        return folders[0] if folders else None
    joined.mkdir()
    for folder in reversed(folders):  # the first folder's file wins
        for wheel in folder.glob("*.whl"):
            target = joined / wheel.name
            target.unlink(missing_ok=True)
            try:
                os.link(wheel, target)
            except OSError:  # another file system
                target.write_bytes(wheel.read_bytes())
    return joined


def _run(command: list[str], log: Path, progress: Progress, address: str | None) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    steps = Steps()
    with (
        log.open("w", encoding="utf-8") as stream,
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_environment(address),
            text=True,
            errors="replace",
        ) as child,
    ):
        assert child.stdout
        try:
            for line in child.stdout:
                stream.write(line)
                done = steps.feed(line)
                if done:
                    progress(f"  {done}")
            return child.wait()
        finally:
            child.kill()


def _environment(address: str | None = None) -> dict[str, str]:
    # The engine that runs the images is the one that builds them, whatever context the user chose.
    address = address or os.environ.get("DOCKER_HOST") or DEFAULT_SOCKET
    environment = {**os.environ, "DOCKER_HOST": address}
    environment.pop("DOCKER_CONTEXT", None)
    return environment


class Steps:
    """Reads buildx's plain progress: a step's title is told when it is done and took a second or more."""

    def __init__(self) -> None:
        self._titles: dict[str, str] = {}

    def feed(self, line: str) -> str | None:
        """One line of output; the sentence about a step that just ended, or None."""
        match = re.match(r"#(\d+) (?:DONE ([\d.]+)s|(\[.*\] .*|exporting to .*))$", line.rstrip())
        if match is None:
            return None
        number, seconds, title = match.groups()
        if title:
            self._titles[number] = title
            return None
        if float(seconds) < _SHOWN_FROM_S or number not in self._titles:
            return None
        # Mount options are long and say nothing to a reader.
        words = [word for word in self._titles[number].split() if not word.startswith("--mount=")]
        return f"{' '.join(words)[:72]} ({float(seconds):.0f} s)"


def _failure(tag: str, log: Path, missing: list[str]) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.search(r"\bE(RROR)?: ", line)]
    # pip's and apt's own complaint comes before buildx's summary, which only repeats the command.
    inner = [line for line in errors if "failed to solve" not in line and "did not complete" not in line]
    cause = re.sub(r"^#\d+ ([\d.]+ )?", "", (inner or errors or lines or ["it said nothing"])[-1])
    hint = host_settings.out_of_reach(missing)
    if any("no space left on device" in line for line in lines):
        hint = "; free space for that engine: docker system prune"
    return f"the image {tag} could not be built: {cause}{hint}; the whole output: {log}"
