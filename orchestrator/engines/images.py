"""The runners' images: named by their content, built once, base images pulled or made."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from orchestrator.domain import InferometerError
from orchestrator.engines import base_images, buildx
from orchestrator.engines.buildx import find_buildx as find_buildx
from orchestrator.engines.connection import LABEL, connect
from orchestrator.files import alone

Progress = Callable[[str], None]
REPOSITORY = "inferometer"
# Dockerfiles/<this>.Dockerfile is the exporter's; every other one is a runner's. Their build contexts differ.
EXPORTER = "models"
_RECIPE = b"2"  # counts changes of how images are built that their files do not show
NO_DEVICE = "-"  # label of containers that serve no device's bench


@dataclass(frozen=True)
class Image:
    """An image the engine holds. ``bytes``: all layers unpacked, the base's included."""

    tag: str
    digest: str
    bytes: int


def tag(
    name: str, root: Path, platform: str | None = None, arguments: Mapping[str, str] = MappingProxyType({})
) -> str:
    """``inferometer/<name>:<hash>`` over the Dockerfile, its build arguments and all it copies.

    ``name`` is a runtime's id or ``models``. Raises InferometerError when the Dockerfile is missing.
    """
    dockerfile = _dockerfile(name, root)
    digest = hashlib.sha256(_RECIPE + dockerfile.read_bytes())
    digest.update("".join(f"{key}={value}\0" for key, value in sorted(arguments.items())).encode())
    context = _context(name, root)
    for path in _copied(dockerfile, context, arguments):
        digest.update(path.relative_to(context).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    if platform not in (None, base_images.native()):
        digest.update(str(platform).encode())
    return f"{REPOSITORY}/{name}:{digest.hexdigest()[:12]}"


def dockerfile(name: str, root: Path) -> Path:
    """Where the Dockerfile of a runtime or of ``models`` lies, if it has one."""
    return root / "Dockerfiles" / f"{name}.Dockerfile"


def _dockerfile(name: str, root: Path) -> Path:
    path = dockerfile(name, root)
    if not path.is_file():
        raise InferometerError(f"{path} is missing; add it, or use ENGINE=process")
    return path


def _context(name: str, root: Path) -> Path:
    return root / ("models" if name == EXPORTER else "runners")


def _instructions(dockerfile: Path, arguments: Mapping[str, str]) -> list[list[str]]:
    """Words of each instruction; build arguments stand for themselves or by the default of their ARG."""
    text = re.sub(r"^\s*#.*\n", "", dockerfile.read_text("utf-8"), flags=re.MULTILINE)
    known = {**dict(re.findall(r"^ARG (\w+)=(\S+)", text, flags=re.MULTILINE)), **arguments}
    text = re.sub(r"\$\{(\w+)\}", lambda match: known.get(match[1], match[0]), text)
    return [line.split() for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]


def _copied(dockerfile: Path, context: Path, arguments: Mapping[str, str]) -> list[Path]:
    """Every file that COPY takes from the context, in a fixed order."""
    found: set[Path] = set()
    for words in _instructions(dockerfile, arguments):
        if words[0].upper() not in ("COPY", "ADD") or any(word.startswith("--from=") for word in words):
            continue
        for pattern in [word for word in words[1:-1] if not word.startswith("--")]:
            sources = [context] if pattern == "." else list(context.glob(pattern))
            for source in sources:
                found.update(source.rglob("*") if source.is_dir() else [source])
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def bases(dockerfile: Path, arguments: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """The images a Dockerfile starts from that are not its own stages."""
    found: list[str] = []
    stages = {"scratch"}
    for words in _instructions(dockerfile, arguments):
        if words[0].upper() == "FROM":
            names = [word for word in words[1:] if not word.startswith("--")]
            if names[0] not in stages:
                found.append(names[0])
            if len(names) == 3:
                stages.add(names[2])
    return list(dict.fromkeys(found))


def ensure(
    name: str,
    root: Path,
    cache: Path,
    platform: str | None,
    progress: Progress,
    arguments: Mapping[str, str] = MappingProxyType({}),
    address: str | None = None,
) -> Image:
    """The image of a runtime (or ``models``) for its present content; built when it is not there,
    by one process at a time.

    ``platform``: Docker's os/arch, None for this machine's; ``arguments`` of the build; ``address`` of
    the engine that builds, if not this machine's. Raises InferometerError with log and fix.
    """
    wanted = tag(name, root, platform, arguments)
    client = connect(address=address)
    found = held(client, wanted, platform)
    if found:
        return found
    lock = cache / "logs" / f"image-{name}-{wanted.rpartition(':')[2]}.lock"
    with alone(lock, lambda: progress(f"waiting for another process that builds {wanted}")):
        found = held(client, wanted, platform)
        if found:
            return found
        dockerfile = _dockerfile(name, root)
        if platform not in (None, base_images.native()) and address is None:
            buildx.require_emulation(platform)
        for base in bases(dockerfile, arguments):
            _ensure_base(client, base, platform, cache, progress, address)
        context = _context(name, root)
        copied = _copied(dockerfile, context, arguments)
        requirements = [path for path in copied if path.match("requirements*.txt")]
        log = cache / "logs" / f"image-{name}.log"
        progress(f"building {wanted} (once; its output: {log})")
        buildx.build(wanted, dockerfile, context, requirements, platform, arguments, log, progress, address)
        built = inspect(client, wanted)
    if built is None:
        raise InferometerError(
            f"{wanted} was built, but the engine does not hold it; set DOCKER_HOST to the engine's address"
        )
    return built


def ensure_base(root: Path, cache: Path, platform: str | None, progress: Progress) -> None:
    """Make sure that what is not built yet can be: buildx, and Debian bases at hand, pulled or made.

    Raises InferometerError with the reason, on which ``ENGINE=auto`` falls back.
    """
    client = connect()
    for dockerfile in sorted((root / "Dockerfiles").glob("*.Dockerfile")):
        if inspect(client, tag(dockerfile.name.removesuffix(".Dockerfile"), root, platform)):
            continue
        if find_buildx() is None:
            raise InferometerError(f"no docker command with buildx on PATH; fix: {buildx.FIX}")
        for base in bases(dockerfile):
            # Vendors' bases serve single runtimes: they are fetched, or fail, when those are built.
            if base.startswith("debian:"):
                _ensure_base(client, base, platform, cache, progress)


def _ensure_base(
    client: Any, base: str, platform: str | None, cache: Path, progress: Progress, address: str | None = None
) -> None:
    import docker.errors
    import requests

    target = platform or base_images.native()
    if _holds(client, base, target):
        return
    progress(f"pulling {base}")
    try:
        client.images.pull(base, platform=target)
        return
    except (docker.errors.DockerException, requests.RequestException) as problem:
        pull_problem = str(getattr(problem, "explanation", None) or problem)
    try:
        base_images.make(base, [target], cache, progress, address)
    except InferometerError as problem:
        raise InferometerError(
            f"{base} can be neither pulled ({pull_problem}) nor made ({problem})"
        ) from None


@contextmanager
def made(client: Any, reference: str, platform: str) -> Iterator[Any]:
    """A container that is never started: making one has the engine unpack the image."""
    import docker.errors

    container = client.containers.create(
        reference, ["true"], platform=platform, labels={LABEL: NO_DEVICE}, network_mode="none"
    )
    try:
        yield container
    finally:
        with suppress(docker.errors.NotFound):  # a bench that begins removes what it finds
            container.remove(force=True)


def platform_of(image: Any) -> str:
    """Docker's os/arch of an image of the SDK's."""
    return f"{image.attrs['Os']}/{image.attrs['Architecture']}"


def _holds(client: Any, reference: str, platform: str) -> bool:
    import docker.errors

    try:
        if platform_of(client.images.get(reference)) == "/".join(platform.split("/")[:2]):
            return True
        # A tag may hold several platforms, of which the answer above described one.
        with made(client, reference, platform):
            return True
    except docker.errors.APIError:
        return False


def held(client: Any, reference: str, platform: str | None) -> Image | None:
    """An image of ours that the engine holds, or None.

    Raises InferometerError where what bears its name is for another platform: a tag can be set by hand.
    """
    found, target = inspect(client, reference), platform or base_images.native()
    if found and not _holds(client, reference, target):
        raise InferometerError(
            f"{reference} is an image for {platform_of(client.images.get(reference))}, not for {target}; "
            f"remove it where it lies, then it is made anew: docker rmi {reference}"
        )
    return found


def inspect(client: Any, reference: str) -> Image | None:
    """An image that the engine holds, or None."""
    import docker.errors

    try:
        image = client.images.get(reference)
    except docker.errors.ImageNotFound:
        return None
    return Image(reference, str(image.id), _unpacked_bytes(client, image))


def _unpacked_bytes(client: Any, image: Any) -> int:
    # The engine's own `Size` counts compressed layers with one image store and unpacked ones with the other.
    import docker.errors

    try:
        layers = image.history()
    except docker.errors.NotFound:  # of another platform: the engine has not unpacked it yet
        with made(client, image.id, platform_of(image)):
            layers = image.history()
    return sum(int(layer["Size"]) for layer in layers)
