"""Data sets are found in DATA_DIR, in the cache or on the network; otherwise one line says what to do."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator import data
from orchestrator.catalog import Catalog, suite_root
from orchestrator.cli import main
from orchestrator.domain import InferometerError
from tests.support.file_server import Site, serving

CONTENT = b"an archive"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
CARD = """
title = "Some"
loader = "folder"
classes = 2
licence = "CC0"
homepage = "https://data.example/"
expects = "some.zip, or its train/ and test/"
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(CONTENT)) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, site: Site) -> Path:
    """A suite with a data set of each kind."""
    folder = tmp_path / "suite/models/data"
    folder.mkdir(parents=True)
    file = f'\n[[files]]\nname = "NAME"\nurl = "{site.url}"\n'
    (folder / "some.toml").write_text(CARD + file.replace("NAME", "some.zip") + f'sha256 = "{SHA256}"\n')
    (folder / "unhashed.toml").write_text(CARD + file.replace("NAME", "unhashed.zip"))
    (folder / "closed.toml").write_text(CARD)
    (folder / "bundled.toml").write_text(CARD.replace("expects", "unused"))
    return tmp_path / "suite"


def fetch(
    root: Path, name: str, folder: Path | None = None, said: list[str] | None = None
) -> tuple[Path | None, str | None]:
    return data.fetch(root, root.parent / "cache", name, folder, (said if said is not None else []).append)


def test_downloaded_once_and_verified_each_time(root: Path, site: Site) -> None:
    said: list[str] = []
    place = root.parent / "cache/data/some"
    assert fetch(root, "some", said=said) == (place, None)
    assert said[0] == "downloading some.zip; licence: CC0"
    assert fetch(root, "some") == (place, None)
    assert site.asked == [None]
    (place / "some.zip").write_bytes(b"changed")
    with pytest.raises(InferometerError, match=r"some.zip: SHA-256 is .*, the card says .*; delete it"):
        fetch(root, "some")


def test_without_a_hash_what_came_is_recorded_and_held_against_it(root: Path) -> None:
    said: list[str] = []
    place, _ = fetch(root, "unhashed", said=said)
    assert said[-1] == f"  unhashed.zip: unverified: the publisher gives no SHA-256; it is {SHA256}"
    assert place is not None and fetch(root, "unhashed") == (place, None)
    (place / "unhashed.zip").write_bytes(b"changed")
    with pytest.raises(InferometerError, match="it is no longer what was downloaded"):
        fetch(root, "unhashed")


@pytest.mark.parametrize(
    ("status", "cuts", "said"),
    [
        (404, [], "the server says 404 Not Found"),
        (403, [], "the server says 403 Forbidden"),
        (200, [3, 0, 0, 0, 0], "cut off after 3 of 10"),
    ],
)
def test_a_refusal_says_where_to_put_what(
    root: Path, site: Site, status: int, cuts: list[int], said: str
) -> None:
    site.status, site.cuts = status, cuts
    found, reason = fetch(root, "some")
    assert found is None and reason is not None and "\n" not in reason
    assert reason.startswith(f"some.zip cannot be downloaded ({said}")
    place = root.parent / "cache/data/some"
    assert reason.endswith(
        f"get it at https://data.example/ and put it into {place} (some.zip, or its train/ and test/)"
    )


def test_what_needs_an_account_is_never_asked_for(root: Path, site: Site, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    found, reason = fetch(root, "closed", mine)
    assert found is None and reason is not None
    assert reason.startswith("closed is not to be had without an account: get it at https://data.example/")
    assert f"put it into {mine / 'closed'}" in reason
    assert site.asked == []


def test_bundled_data_needs_nothing(root: Path) -> None:
    assert fetch(root, "bundled") == (None, None)


@pytest.mark.parametrize("name", ["some/train/a/1.jpg", "some.zip"])
def test_the_users_folder_goes_first(root: Path, site: Site, tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    assert fetch(root, "some", tmp_path / "mine") == (tmp_path / "mine" / Path(name).parts[0], None)
    assert site.asked == []


def test_the_users_archive_is_verified_too(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine/some").mkdir(parents=True)
    (tmp_path / "mine/some/some.zip").write_bytes(b"half of it")
    with pytest.raises(InferometerError, match=r"mine/some/some.zip: SHA-256 is"):
        fetch(root, "some", tmp_path / "mine")


def test_what_was_unpacked_into_the_cache_by_hand_counts(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "cache/data/closed"
    (place / "train").mkdir(parents=True)
    assert fetch(root, "closed") == (place, None)


def test_half_a_download_is_no_data(root: Path, site: Site, tmp_path: Path) -> None:
    site.cuts = [3, 0, 0, 0, 0]
    fetch(root, "some")
    assert fetch(root, "some") == (tmp_path / "cache/data/some", None)


def test_ones_own_data_needs_no_card(root: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for name in ("pictures/cat/1.jpg", "arrays.npz", "packed.zip", ".hidden/x", "notes.txt", "lost+found/x"):
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_bytes(b"x")
    (mine / "empty").mkdir()
    cards = ["bundled", "closed", "some", "unhashed"]
    assert data.ids(root, mine) == [*cards, "arrays", "packed", "pictures"]
    assert data.ids(root, None) == cards
    assert fetch(root, "pictures", mine) == (mine / "pictures", None)
    assert fetch(root, "arrays", mine) == (mine / "arrays.npz", None)
    with pytest.raises(InferometerError, match="arrays"):
        fetch(root, "array", mine)


def test_a_data_dir_that_is_not_there_is_named(root: Path, tmp_path: Path) -> None:
    with pytest.raises(InferometerError, match=r"DATA_DIR: .*absent is no folder; make it"):
        fetch(root, "some", tmp_path / "absent")
    assert data.data_dir({"DATA_DIR": "/x"}) == Path("/x")
    assert data.data_dir({}) is None


def test_the_stamp_changes_with_the_data(tmp_path: Path) -> None:
    (tmp_path / "a/cat").mkdir(parents=True)
    (tmp_path / "a/cat/1.jpg").write_bytes(b"x")
    file = tmp_path / "a.npz"
    file.write_bytes(b"x")
    before = data.stamp(tmp_path / "a"), data.stamp(file)
    assert (data.stamp(tmp_path / "a"), data.stamp(file)) == before
    (tmp_path / "a/cat/2.jpg").write_bytes(b"x")
    os.utime(file, ns=(1, 1))
    after = data.stamp(tmp_path / "a"), data.stamp(file)
    assert before[0] != after[0] and before[1] != after[1]


def test_the_suites_own_cards_are_whole() -> None:
    cards = Catalog(suite_root()).data()
    assert {"digits", "cifar10", "cifar100", "imagenet", "msl", "wildfire"} <= set(cards)
    assert [name for name, card in cards.items() if card.bundled] == ["digits"]
    for name in ("cifar10", "cifar100"):
        (file,) = cards[name].files
        assert (len(file.sha256 or ""), len(file.md5 or ""), file.bytes) == (64, 32, file.bytes)


def test_a_file_name_in_a_card_cannot_lead_elsewhere(root: Path) -> None:
    card = root / "models/data/some.toml"
    card.write_text(card.read_text().replace('"some.zip"', '"../some.zip"', 1))
    with pytest.raises(InferometerError, match=r"files\[0\].name must be a bare file name"):
        Catalog(root).data()


def test_the_command_lists_and_fetches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFEROMETER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    (tmp_path / "mine.npz").write_bytes(b"x")
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10/test_batch.bin").write_bytes(b"x")
    listed = CliRunner().invoke(main, ["data", "--json", "--fetch", "cifar10,digits,wildfire,imagenet"])
    assert listed.exit_code == 2
    assert (
        "inferometer: wildfire is not to be had without an account: get it at https://www.kaggle.com/"
        in listed.stderr
    )
    assert [line[:20] for line in listed.stderr.splitlines()] == [
        "inferometer: wildfir",
        "inferometer: imagene",
    ]
    rows = {row["data"]: row for row in json.loads(listed.stdout)}
    assert (rows["digits"]["state"], rows["mine"]["state"]) == ("bundled", "yours")
    assert rows["cifar10"] == {
        "data": "cifar10",
        "title": "CIFAR-10",
        "classes": 10,
        "state": "here",
        "path": str(tmp_path / "cifar10"),
        "licence": "none stated by its authors",
    }
    assert rows["cifar100"]["state"] == "to download, 169 MB"
