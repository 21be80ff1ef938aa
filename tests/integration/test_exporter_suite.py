"""The exporter's own tests, ``tests/exporter``, run once where the exporter runs: in its image.

The image holds no pytest: this environment's is lent to it, which is plain Python.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from orchestrator.artifacts import cache_root
from orchestrator.catalog import suite_root
from orchestrator.engines import images

ROOT = suite_root()
FOLDER = ROOT / "tests/exporter"
LENT = (
    "pytest",
    "_pytest",
    "py",
    "pluggy",
    "iniconfig",
    "pygments",
    "packaging",
    "hypothesis",
    "_hypothesis_globals",
    "sortedcontainers",
)
LIMIT_S = 900


def lent() -> dict[str, dict[str, str]]:
    """Mounts of what pytest consists of, one a package or module."""
    found = {}
    for name in LENT:
        spec = importlib.util.find_spec(name)
        assert spec and spec.origin, f"{name} is not installed here"
        path = Path(spec.origin)
        path = path.parent if path.name == "__init__.py" else path
        found[str(path)] = {"bind": f"/lent/{path.name}", "mode": "ro"}
    return found


@pytest.mark.docker
@pytest.mark.exporter
@pytest.mark.slow
def test_the_exporter_s_tests_pass_in_its_image(engine_client: Any) -> None:
    image = images.ensure("models", ROOT, cache_root(), None, print).tag
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", "/app"]
    container = engine_client.containers.create(
        image,
        [*command, "/app/tests/exporter"],
        name=f"inferometer-exporter-tests-{os.getpid()}",
        entrypoint=["python3"],
        environment={"PYTHONPATH": "/app:/lent", "OMP_NUM_THREADS": "1"},
        network_mode="none",
        read_only=True,
        init=True,
        tmpfs={"/tmp": "rw,exec,nosuid,nodev,mode=1777"},
        volumes={str(FOLDER): {"bind": "/app/tests/exporter", "mode": "ro"}, **lent()},
    )
    try:
        container.start()
        code = container.wait(timeout=LIMIT_S)["StatusCode"]
        said = container.logs().decode()
    finally:
        container.remove(force=True)
    assert code == 0, said[-20_000:]
