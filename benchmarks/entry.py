"""A runtime's image or environment with a program of ours in place of its runner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.place import Place, scratch
from orchestrator.engines import buildx, images
from orchestrator.engines.connection import connect
from orchestrator.engines.launch import Target

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Entry:
    """What to launch, and in which environment."""

    target: Target
    environment: Mapping[str, str]


@contextmanager
def program(place: Place, runtime: str, name: str) -> Iterator[Entry]:
    """``programs/<name>.py`` where the runtime is installed; it can import ``runner`` and the SDK."""
    made = place.target(runtime)
    if place.engine.name != "docker":
        python = made.target.split("\0")[0]
        folders = f"{place.root / 'runners' / 'sdk'}:{place.root / 'runners' / runtime}"
        yield Entry(Target(runtime, f"{python}\0{PROGRAMS / name}.py"), {"PYTHONPATH": folders})
        return
    tag = f"{images.REPOSITORY}/benchmark:{name.replace('_', '-')}"
    with scratch() as folder:
        # The same layers and one more: what is launched has the options of a trial, all of them.
        dockerfile = folder / "Dockerfile"
        entry_point = f'ENTRYPOINT ["python3", "/benchmark/{name}.py"]'
        dockerfile.write_text(f"FROM {made.target}\nCOPY *.py /benchmark/\n{entry_point}\n")
        log = place.cache / "logs" / f"image-benchmark-{name}.log"
        buildx.build(tag, dockerfile, PROGRAMS, [], None, {}, log, place.watcher.say)
    try:
        yield Entry(Target(runtime, tag), {"PYTHONPATH": "/runner"})
    finally:
        connect().images.remove(tag)
