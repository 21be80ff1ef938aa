"""Makes a subject ready: a runtime of the suite, anybody's image, or a plain command."""

from __future__ import annotations

import platform
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.catalog import Catalog, Runtime, read_runtime
from orchestrator.conformance.evidence import Evidence
from orchestrator.conformance.launches import Launches
from orchestrator.conformance.subject import SHIPPED, Material, Subject, material, shipped
from orchestrator.domain import InferometerError
from orchestrator.engines.launch import Engine
from orchestrator.plan import known

# The label under which containers of this command are found, in the place of a device.
LABEL = "conformance"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """What to judge and with which model; exactly one of ``runtime``, ``image`` and ``command`` is given."""

    runtime: str | None = None
    image: str | None = None
    command: str | None = None
    engine: str = "process"  # of a runtime: docker or process
    model: Path | None = None
    inputs: Path | None = None
    format: str | None = None
    toml: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 120.0


def ready(wish: Wish, catalog: Catalog, cache: Path, say: Say) -> Subject:
    """The subject of a wish. Raises InferometerError where it cannot be had, naming the fix."""
    if [wish.runtime, wish.image, wish.command].count(None) != 2:
        raise InferometerError("say what to check: one of --runtime, --image, --command")
    if wish.runtime is not None:
        return _own(wish, wish.runtime, catalog, cache, say)
    runtime = read_runtime(wish.toml) if wish.toml else None
    if wish.image is not None:
        name, engine, target = f"image {wish.image}", _docker(catalog.root, cache, wish.image), wish.image
    else:
        try:
            words = shlex.split(wish.command or "")
        except ValueError as problem:
            raise InferometerError(f"--command: {problem}; mend its quotes") from None
        runtime = runtime or _beside(words)
        name, engine, target = (
            f"command {wish.command}",
            _process(catalog.root, cache),
            "\0".join(_found(words)),
        )

    def subject(files: Material) -> Subject:
        return Subject(name, engine, target, files, wish.options, runtime, wish.timeout_s)

    return subject(_material(wish, runtime, catalog, cache, subject, say))


def _own(wish: Wish, name: str, catalog: Catalog, cache: Path, say: Say) -> Subject:
    runtimes = catalog.runtimes()
    known("runtime", [name], list(runtimes))
    runtime = runtimes[name]
    maker = _docker if wish.engine == "docker" else _process
    engine = maker(catalog.root, cache)
    files = _given(wish) or next(iter(shipped(catalog.root, cache, runtime.formats)), None)
    if files is None:
        raise InferometerError(
            f"{SHIPPED} has none of the formats of {name} ({', '.join(runtime.formats)}); "
            "give --model FILE --inputs FILE.npy --format FORMAT"
        )
    target = engine.prepare(runtime, say)
    return Subject(f"runtime {name}", engine, target.target, files, wish.options, runtime, wish.timeout_s)


def _process(root: Path, cache: Path, image: str | None = None) -> Engine:
    from orchestrator.engines.process import ProcessEngine

    return ProcessEngine(root, cache)


def _docker(root: Path, cache: Path, image: str | None = None) -> Engine:
    """The Docker engine, for the platform of an image where one is given, else of this machine."""
    from orchestrator.engines.docker import DockerEngine, connect

    machine = platform.machine()
    system = f"linux/{_ARCHITECTURES.get(machine, machine)}"
    if image is not None:
        facts = _image_facts(connect(), image)
        system = "/".join(filter(None, (facts["Os"], facts["Architecture"], facts.get("Variant"))))
    return DockerEngine(root, cache, LABEL, system, {})


def _image_facts(client: Any, image: str) -> dict[str, Any]:
    import docker.errors

    try:
        return dict(client.images.get(image).attrs)
    except docker.errors.ImageNotFound:
        raise InferometerError(f"no image {image} on this Docker Engine; docker pull {image}") from None


def _found(words: list[str]) -> list[str]:
    if not words or not shutil.which(words[0]):
        raise InferometerError(
            f"--command: {words[0] if words else 'nothing'} is no program here; mend its path"
        )
    return words


def _beside(words: list[str]) -> Runtime | None:
    """The ``runner.toml`` beside the command's script, where there is one."""
    for word in reversed(words):
        path = Path(word).resolve().parent / "runner.toml"
        if Path(word).is_file() and path.is_file():
            return read_runtime(path)
    return None


def _given(wish: Wish) -> Material | None:
    """The user's own model."""
    if not (wish.model or wish.inputs):
        return None
    if wish.model is None or wish.inputs is None or wish.format is None:
        raise InferometerError(
            "a model of your own takes all three: --model FILE --inputs FILE.npy --format FORMAT"
        )
    return material(wish.model, wish.format, wish.inputs)


def _material(
    wish: Wish,
    runtime: Runtime | None,
    catalog: Catalog,
    cache: Path,
    subject: Callable[[Material], Subject],
    say: Say,
) -> Material:
    """The user's files, or the shipped model in the first format that the runner is known or seen to load."""
    given = _given(wish)
    if given:
        return given
    formats = (wish.format,) if wish.format else runtime.formats if runtime else None
    offered = shipped(catalog.root, cache, formats)
    if offered and formats is not None:
        return offered[0]
    refusals = []
    for files in offered:
        evidence = _tried(subject(files), say)
        if evidence.finished:
            return files
        if evidence.error is None or evidence.error.get("code") not in ("unsupported", "model"):
            return files  # that is no refusal but a matter for the checks
        refusals.append(f"{files.format}: {evidence.ending}")
    tried = f" ({'; '.join(refusals)})" if refusals else ""
    raise InferometerError(
        f"{SHIPPED} serves in no format of this runner{tried}; "
        "give --model FILE --inputs FILE.npy --format FORMAT"
    )


def _tried(subject: Subject, say: Say) -> Evidence:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        launches = Launches(subject, Path(scratch), lambda name: say(f"{name} ({subject.material.format})"))
        return launches.take("inspect")
