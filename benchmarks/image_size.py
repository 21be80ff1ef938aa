"""The size of a runtime's image, beside what its framework weighs by itself.

The peer is the base image plus what pip installed for the framework before anything was trimmed, which
its build noted. The limit leaves 0.3 of the framework for all that is ours: Python, the runner, and a
compiler where the framework needs one. All sizes are of unpacked files.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figure import Figure, absent
from benchmarks.place import Place
from orchestrator.catalog import Catalog, suite_root
from orchestrator.engines import image_state

# Those of a bench that names none.
RUNTIMES = tuple(name for name, item in Catalog(suite_root()).runtimes().items() if item.default)
FIGURES = tuple(f"image_size_{runtime}" for runtime in RUNTIMES)
FACTOR = 1.3
LIMIT_TEXT = f"<= {FACTOR} installed + base"


def measure(place: Place) -> Iterator[Figure]:
    """A figure for each image."""
    for name, runtime in zip(FIGURES, RUNTIMES, strict=True):
        if place.engine.name != "docker":
            yield absent(name, LIMIT_TEXT, f"engine {place.engine.name} has no images")
            continue
        place.target(runtime)
        state = image_state.state(runtime, place.root)
        unknown = [size for size in ("installed_bytes", "base_bytes") if state[size] is None]
        if unknown:
            # The base: an engine forgets it by ``docker rmi``, the image stays.
            yield absent(name, LIMIT_TEXT, f"no {' and no '.join(unknown)}: see inferometer images")
            continue
        ours, installed, base = state["bytes"], state["installed_bytes"], state["base_bytes"]
        limit = FACTOR * installed + base
        note = (
            f"peer: installed {installed / 1e6:.0f} MB + base {base / 1e6:.0f} MB; limit {limit / 1e6:.0f} MB"
        )
        yield Figure(name, "MB", ours / 1e6, (installed + base) / 1e6, LIMIT_TEXT, ours <= limit, note)
