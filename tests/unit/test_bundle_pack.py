"""What is said and refused before a bundle is written, so that nobody carries one that is of no use."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.bundle.pack import Need, caveats, export, pack
from orchestrator.catalog import Catalog, suite_root
from orchestrator.domain import InferometerError
from orchestrator.plan import Wish
from tests.support import bundles

CATALOG = Catalog(suite_root())


class Interrupted(Exception):
    """The owner has read enough."""


def test_a_board_whose_python_is_too_old_is_named_before_anything_is_made(tmp_path: Path) -> None:
    def read(text: str) -> None:
        raise Interrupted(text)

    with pytest.raises(Interrupted) as caught:
        pack(CATALOG, tmp_path, Wish("jetson-nano"), tmp_path / "b.tar", read)
    assert str(caught.value) == (
        "jetson-nano ships Python 3.6, a bundle needs 3.10 or newer there: install one and run "
        "make PYTHON=python3.10 ..., or measure from a laptop with HOST=ssh://user@board"
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [".DS_Store", "my notes.txt", "a\nb"])
def test_a_file_beside_an_artifact_that_no_bundle_can_hold(tmp_path: Path, name: str) -> None:
    exported = bundles.exported(tmp_path)
    need = Need(CATALOG.models()["resnet50"], "nq", 1)
    (exported / name).write_text("")
    with pytest.raises(InferometerError, match="has no name for a bundle; rename it, or delete") as caught:
        export(CATALOG.root, tmp_path, need, lambda text: None)
    assert str(caught.value).startswith(repr(str(exported / name)))


def test_other_boards_need_no_word() -> None:
    assert {item.id for item in CATALOG.devices().values() if caveats(item)} == {"jetson-nano"}
