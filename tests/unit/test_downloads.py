"""Downloads against a real server that cuts off, ignores ranges, changes the file or refuses it."""

from __future__ import annotations

import fcntl
import hashlib
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import weights
from orchestrator.catalog import Catalog, suite_root
from orchestrator.downloads import TRIES, Wanted, download
from tests.support.file_server import Site, serving

CONTENT = random.Random(0).randbytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site(CONTENT)) as running:
        yield running


def get(site: Site, path: Path, said: list[str] | None = None, **known: object) -> str | None:
    wanted = Wanted(site.url, **({"sha256": SHA256} | known))  # type: ignore[arg-type]
    return download(wanted, path, (said if said is not None else []).append)


def left(path: Path) -> list[str]:
    return sorted(item.name for item in path.parent.iterdir())


def test_a_whole_file(site: Site, tmp_path: Path) -> None:
    said: list[str] = []
    path = tmp_path / "new" / "file.bin"
    assert get(site, path, said, bytes=len(CONTENT), md5="0" * 32) is None
    assert path.read_bytes() == CONTENT
    assert left(path) == ["file.bin"]
    assert said == ["  file.bin: 100 % of 0.3 MB"]
    assert get(site, path) is None and site.asked == [None]  # it is there: nothing is asked


def test_goes_on_where_the_server_hung_up(site: Site, tmp_path: Path) -> None:
    site.cuts = [100_000, 50_000]
    said: list[str] = []
    assert get(site, tmp_path / "f", said) is None
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-", "bytes=150000-"]
    assert "cut off after 100000 of 300000 bytes, going on" in said[1]


def test_a_later_call_goes_on(site: Site, tmp_path: Path) -> None:
    site.cuts = [100_000] + [0] * TRIES
    reason = get(site, tmp_path / "f")
    assert reason == "cut off after 100000 of 300000 bytes; the same command goes on from there"
    assert left(tmp_path / "f") == ["f.part", "f.part.version"]
    site.asked.clear()
    assert get(site, tmp_path / "f") is None
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert site.asked == ["bytes=100000-"]
    assert left(tmp_path / "f") == ["f"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ranges", False),  # the server sends all of it
        ("etag", '"two"'),  # the server says that it changed
        ("etag", 'W/"one"'),  # a tag that promises no equal bytes
        ("etag", None),
    ],
)
def test_starts_anew_where_the_rest_would_not_fit(
    site: Site, tmp_path: Path, name: str, value: object
) -> None:
    (tmp_path / "f.part").write_bytes(b"x" * 1000)
    (tmp_path / "f.part.version").write_text('"one"')
    setattr(site, name, value)
    site.content = CONTENT[::-1]
    assert get(site, tmp_path / "f", sha256=None) is None
    assert (tmp_path / "f").read_bytes() == site.content


def test_the_file_changes_between_two_cuts(site: Site, tmp_path: Path) -> None:
    site.cuts = [100_000] + [0] * TRIES
    get(site, tmp_path / "f")
    site.content, site.etag, site.ignores_if_range = CONTENT[::-1], '"two"', True  # answers 206 all the same
    assert get(site, tmp_path / "f", sha256=hashlib.sha256(site.content).hexdigest()) is None
    assert (tmp_path / "f").read_bytes() == site.content


def test_the_file_got_shorter_than_what_is_here(site: Site, tmp_path: Path) -> None:
    site.cuts = [100_000] + [0] * TRIES
    get(site, tmp_path / "f")
    site.content = CONTENT[:50_000]
    assert get(site, tmp_path / "f", sha256=hashlib.sha256(site.content).hexdigest()) is None
    assert (tmp_path / "f").read_bytes() == site.content


def test_killed_just_before_the_end(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.part").write_bytes(CONTENT)
    (tmp_path / "f.part.version").write_text('"one"')
    assert get(site, tmp_path / "f") is None
    assert site.asked == ["bytes=300000-"]


def test_a_date_resumes_too_and_a_hash_stands_in_for_both(site: Site, tmp_path: Path) -> None:
    for etag, modified in ((None, "Wed, 16 Sep 2020 00:00:00 GMT"), (None, None)):
        path = tmp_path / f"f{modified is None}"
        site.etag, site.modified, site.cuts = etag, modified, [100_000]
        assert get(site, path) is None
        assert site.asked[-1] == "bytes=100000-"
        assert path.read_bytes() == CONTENT


def test_without_version_and_hash_nothing_is_mixed(site: Site, tmp_path: Path) -> None:
    site.etag, site.cuts = None, [100_000]
    assert get(site, tmp_path / "f", sha256=None) is None
    assert site.asked == [None, None]


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"sha256": "0" * 64}, "what came is not it: SHA-256 is"),
        ({"sha256": None, "md5": "0" * 32}, "what came is not it: MD5 is"),
        ({"bytes": 5}, "the server's file has 300000 bytes, the card says 5"),
    ],
)
def test_another_file_never_takes_the_name(
    site: Site, tmp_path: Path, known: dict[str, object], said: str
) -> None:
    reason = get(site, tmp_path / "f", **known)
    assert reason is not None and reason.startswith(said)
    assert not (tmp_path / "f").exists()
    assert get(site, tmp_path / "f", sha256=None, md5=MD5) is None  # what was wrong is not built upon


def test_a_length_that_only_the_card_knows(site: Site, tmp_path: Path) -> None:
    site.says_length, site.cuts = False, [100_000]
    reason = get(site, tmp_path / "f", sha256=None, bytes=len(CONTENT))
    assert reason == "what came is not it: it has 100000 bytes, the card says 300000"


@pytest.mark.parametrize(("status", "said"), [(404, "404 Not Found"), (403, "403 Forbidden"), (503, "503")])
def test_a_refusal_is_said(site: Site, tmp_path: Path, status: int, said: str) -> None:
    site.status = status
    reason = get(site, tmp_path / "f")
    assert reason is not None and said in reason and "\n" not in reason


def test_no_network(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/f"
        assert download(Wanted(address), tmp_path / "f", print) == "Connection refused"
    unknown = download(Wanted("http://nowhere.invalid/f"), tmp_path / "f", print)
    assert unknown is not None and "\n" not in unknown


def test_too_little_room_is_said_before_it_is_used_up(site: Site, tmp_path: Path) -> None:
    reason = download(Wanted(site.url), tmp_path / "f", print, room=lambda folder: 299_999)
    assert reason == f"the disk of {tmp_path} is full: 0.3 MB are missing"
    assert site.asked == [None] and not (tmp_path / "f").exists()


def test_a_disk_that_refuses_to_write(site: Site, tmp_path: Path) -> None:
    # The limit stands in for a disk that fills up under the download.
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from orchestrator.downloads import Wanted, download\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "print(download(Wanted(sys.argv[1]), Path(sys.argv[2]), lambda text: None))\n"
    )
    command = [sys.executable, "-c", code, site.url, str(tmp_path / "f")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=suite_root(), check=False)
    assert (done.returncode, done.stdout.strip()) == (0, f"{tmp_path / 'f.part'}: File too large"), (
        done.stderr
    )
    assert not (tmp_path / "f").exists()


def test_a_folder_that_cannot_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    reason = get(site, tmp_path / "file" / "f")
    assert reason is not None and "file" in reason and "\n" not in reason


def test_two_at_a_time(site: Site, tmp_path: Path) -> None:
    with (tmp_path / "f.part").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert get(site, tmp_path / "f") == "another download of it is running"
    assert get(site, tmp_path / "f") is None


@settings(max_examples=25)
@given(
    st.lists(st.integers(0, 60), max_size=5),
    st.booleans(),
    st.sampled_from([None, '"a"', 'W/"a"']),
    st.booleans(),
)
def test_whatever_happens_the_file_is_right_or_absent(
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[int],
    ranges: bool,
    etag: str | None,
    says_length: bool,
) -> None:
    content = bytes(range(60))
    path = tmp_path_factory.mktemp("any") / "f"
    wanted_sha256 = hashlib.sha256(content).hexdigest()
    with serving(Site(content, etag=etag, ranges=ranges, says_length=says_length, cuts=list(cuts))) as site:
        for _ in range(3 + len(cuts)):
            reason = download(Wanted(site.url, sha256=wanted_sha256), path, lambda text: None)
            assert (reason is None) == path.exists()
            if reason is None:
                break
    assert path.read_bytes() == content


def test_why_weights_are_random_names_nobodys_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason stands in every table that is published."""
    monkeypatch.setattr(weights, "download", lambda *given: "no network")
    model = Catalog(suite_root()).models()["resnet50"]
    path, reason = weights.fetch(suite_root(), tmp_path, model, lambda text: None)
    assert path is None and reason and "; put it at weights/resnet50" in reason
    assert str(tmp_path) not in reason
