"""Two that want one image at the same time: one builds it, the other waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines import buildx, images
from orchestrator.engines.images import Image
from orchestrator.files import alone

FOUND = Image("inferometer/foo:1", "sha256:1", 1)


def test_an_image_that_two_want_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfiles").mkdir()
    (tmp_path / "Dockerfiles/foo.Dockerfile").write_text("FROM scratch\n")
    built, said, waits = [], [], threading.Event()

    def build(*given: Any) -> None:
        assert waits.wait(20), "nobody waited"
        built.append(given)

    def tell(text: str) -> None:
        said.append(text)
        if text.startswith("waiting for another process that builds inferometer/foo:"):
            waits.set()

    monkeypatch.setattr(images, "connect", lambda **given: None)
    monkeypatch.setattr(images, "inspect", lambda *given: FOUND if built else None)
    monkeypatch.setattr(images, "_holds", lambda *given: True)
    monkeypatch.setattr(buildx, "build", build)
    found: list[Image] = []

    def want() -> None:
        found.append(images.ensure("foo", tmp_path, tmp_path / "cache", None, tell))

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [FOUND, FOUND]
    assert len(built) == 1
    assert len([line for line in said if line.startswith("building ")]) == 1


def test_a_lock_is_free_again_after_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "deep/lock"
    with pytest.raises(ValueError, match="broken"), alone(path):
        raise ValueError("broken")
    with alone(path, lambda: pytest.fail("it is held still")):
        pass
