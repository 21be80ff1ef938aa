"""Makes Debian base images from a Debian mirror, for machines that reach no image registry."""

from __future__ import annotations

import os
import platform as host
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from orchestrator.domain import InferometerError
from orchestrator.engines import oci_archive
from orchestrator.engines.connection import connect

Progress = Callable[[str], None]

TAGS = ("debian:bookworm-slim", "debian:trixie-slim")
# Docker's name of a platform -> (Debian's architecture, the kernel's, its binfmt entry).
PLATFORMS = {
    "linux/amd64": ("amd64", "x86_64", "qemu-x86_64"),
    "linux/arm64": ("arm64", "aarch64", "qemu-aarch64"),
}
_PUBLIC_MIRROR = "http://deb.debian.org/debian"
# What Debian's own slim images leave out as well; licences stay.
_LEFT_OUT = ("doc/*", "man/*", "locale/*", "info/*", "lintian/*")
_TIMEOUT_S = 1800


def native() -> str:
    """Docker's name of this machine's platform, e.g. ``linux/amd64``."""
    machine = host.machine()
    return next((name for name, entry in PLATFORMS.items() if entry[1] == machine), f"linux/{machine}")


def mirror(etc: Path = Path("/etc")) -> str:
    """The Debian mirror that the machine's own apt uses, else the public one.

    Reads the one-line and the deb822 form (sources.list(5)) below ``etc``/apt.
    """
    for path in [etc / "apt/sources.list", *sorted((etc / "apt/sources.list.d").glob("*"))]:
        if path.suffix not in (".list", ".sources") or not path.is_file():
            continue
        for line in path.read_text("utf-8", "replace").splitlines():
            found = re.match(r"\s*(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(https?://\S+/debian/?)(?:\s|$)", line)
            if found:
                return found.group(1).rstrip("/")
    return _PUBLIC_MIRROR


def why_not(platform: str, registered: Path = Path("/proc/sys/fs/binfmt_misc")) -> str | None:
    """Why a base for this platform cannot be made here, with the fix; None when it can."""
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is missing; fix: apt-get install mmdebstrap debian-archive-keyring"
    if platform not in PLATFORMS:
        return f"there is no Debian base for {platform}; known: {', '.join(PLATFORMS)}"
    _, machine, entry = PLATFORMS[platform]
    if machine == host.machine():
        return None
    try:
        # The F flag holds the emulator open, so that it is found inside another root too.
        if re.search(r"^flags:.*F", (registered / entry).read_text(), re.MULTILINE):
            return None
    except OSError:
        pass
    return (
        f"{platform} needs emulation, and {registered / entry} is not registered with flag F; "
        "fix: apt-get install qemu-user-static (or qemu-user-binfmt) and start systemd-binfmt"
    )


def make(
    reference: str, platforms: Sequence[str], cache: Path, progress: Progress, address: str | None = None
) -> None:
    """Make the base image's platforms and load them, with those made before, under one tag.

    ``address`` of the engine that takes them, if not this machine's.

    Takes about half a minute a platform natively, minutes under emulation; the root file systems stay
    in the cache. Raises InferometerError naming the log and the fix.
    """
    match = re.fullmatch(r"debian:([a-z]+)-slim", reference)
    if match is None:
        raise InferometerError(
            f"{reference}: only debian:<suite>-slim bases can be made here; pull it instead"
        )
    for platform in platforms:
        reason = why_not(platform)
        if reason:
            raise InferometerError(f"{reference} cannot be made: {reason}")
    folder = cache / "base-images"
    folder.mkdir(parents=True, exist_ok=True)
    roots = {name: folder / f"{match.group(1)}-{entry[0]}.tar" for name, entry in PLATFORMS.items()}
    for platform in platforms:
        if not roots[platform].exists():
            progress(f"making {reference} for {platform} from {mirror()}")
            _make_root(match.group(1), PLATFORMS[platform][0], roots[platform])
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        archive = Path(temporary) / "image.tar"
        made = {name: path for name, path in roots.items() if path.exists()}
        oci_archive.pack(made, reference, native(), archive)
        progress(f"loading {reference} for {', '.join(sorted(made))}")
        _load(archive, address)


def _make_root(suite: str, architecture: str, path: Path) -> None:
    log = path.with_suffix(".log")
    partial = path.with_suffix(".part.tar")
    excludes = [f"--dpkgopt=path-exclude=/usr/share/{name}" for name in _LEFT_OUT]
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--architectures={architecture}",
        # Without these two usrmerge comes in, and with it all of Perl (40 MB).
        "--include=usr-is-merged",
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        *excludes,
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",
        # No translations: an update then takes half the time.
        '--aptopt=Acquire::Languages "none"',
        # The maker's own name and resolver have no place in an image.
        '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
        # The check runs the emulator before the hook that would bring it in; why_not() made sure of it.
        "--skip=check/qemu",
        suite,
        str(partial),
        mirror(),
    ]
    # apt inside asks nothing and reads no locale of the host.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        with log.open("wb") as stream:
            subprocess.run(
                command,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                timeout=_TIMEOUT_S,
                env=environment,
            )
        os.replace(partial, path)
    except (subprocess.SubprocessError, OSError) as problem:
        last = log.read_text("utf-8", "replace").strip().splitlines()[-1:] or [str(problem)]
        raise InferometerError(
            f"mmdebstrap could not make Debian {suite} for {architecture}: {last[0]}; its log: {log}; "
            "fix the mirror in the machine's apt sources, or run as root"
        ) from None
    finally:
        partial.unlink(missing_ok=True)


def _load(archive: Path, address: str | None = None) -> None:
    import docker.errors

    client = connect(timeout_s=600, address=address)
    try:
        with archive.open("rb") as stream:
            client.images.load(stream)
    except (docker.errors.DockerException, OSError) as problem:
        raise InferometerError(f"the Docker Engine did not load the base image: {problem}") from None
