"""Two that want one export at the same time: one makes it, the other waits for it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from orchestrator import artifacts, exports
from orchestrator.catalog import Catalog, suite_root


def test_an_export_that_two_want_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    waits = threading.Event()

    def make(root: Path, cache: Path, model: Any, missing: list[str], *rest: Any) -> dict[str, str]:
        if missing:
            assert waits.wait(20), "nobody waited"
            made.append(missing)
        return {}

    def tell(text: str) -> None:
        assert text == "waiting for another process that exports resnet50"
        waits.set()

    monkeypatch.setattr(artifacts, "is_current", lambda *given: bool(made))
    monkeypatch.setattr(exports, "_export", make)
    model = Catalog(suite_root()).models()["resnet50"]

    def want() -> None:
        exports.ensure(suite_root(), tmp_path, model, "nq", 1, "process", tell)

    threads = [threading.Thread(target=want) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [["nq"]]
