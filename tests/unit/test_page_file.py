"""The page as a file: its size, its bytes, and that nothing in its data can act."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from orchestrator.domain import InferometerError, Status
from orchestrator.report import page
from orchestrator.report.page import assets, launches, model
from orchestrator.store import Run
from tests.support import pages, records

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

VENDOR = assets.FOLDER / "vendor"
LINE_LIMIT = 300


def written(cases: int, count: int = 150) -> str:
    document, tries = pages.many(cases, count)
    return assets.page(model.build(document, tries, pages.header()))


def test_a_page_of_100_cases_is_below_2_mb() -> None:
    assert len(written(100).encode()) < 2_000_000


def test_equal_input_gives_equal_bytes() -> None:
    document, tries = pages.run(models=1, launches=2, count=60)
    first, second = (assets.page(model.build(document, tries, pages.header())) for _ in range(2))
    assert first == second


class Elements(HTMLParser):
    """Which elements a browser would see, and what stands in the data's."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.data = ""
        self._inside = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._inside = dict(attrs).get("id") == assets.DATA_ID
        assert not any(name.startswith("on") for name, _ in attrs), "an attribute that acts"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.data += data if self._inside else ""


def test_hostile_names_stay_data() -> None:
    document, tries = pages.hostile()
    made = model.build(document, tries, pages.header())
    seen = Elements(assets.page(made))
    assert seen.tags.count("script") == 3 and "img" not in seen.tags
    assert json.loads(seen.data) == json.loads(json.dumps(made))
    assert pages.HOSTILE.replace("\u2028", " ") in json.loads(seen.data)["skips"][0]["reason"]


def test_a_figure_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        assets.data({"rows": float("nan")})


def test_scripts_run_only_by_the_hash_of_their_text() -> None:
    html = written(8)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy and "default-src 'none'" in policy[1] and "script-src 'unsafe" not in policy[1]
    assert "http:" not in policy[1] and "https:" not in policy[1]


def test_libraries_are_as_recorded_and_have_their_licences() -> None:
    recorded = tomllib.loads((VENDOR / "vendor.toml").read_text("utf-8"))["library"]
    assert [library["file"] for library in recorded] == list(assets.LIBRARIES)
    for library in recorded:
        content = (VENDOR / library["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == library["sha256"]
        assert b"</script" not in content
        assert "Permission to use" in (VENDOR / library["licence"]).read_text("utf-8")


def test_own_scripts_and_styles_stay_short_and_close_nothing() -> None:
    files = [*(assets.FOLDER / "script").glob("*.js"), *(assets.FOLDER / "style").glob("*.css")]
    assert len(files) > 10
    for path in files:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= LINE_LIMIT and "</s" not in text, path.name
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text, path.name


def test_a_damaged_transcript_is_named(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", {})
    raw = run.begin(0)
    (raw / "transcript.jsonl").write_text("no protocol\n")
    run.append(records.record(0), raw)
    with pytest.raises(InferometerError, match=r"transcript\.jsonl: line 1: .*; restore it from a copy"):
        list(launches.read(tmp_path / "run"))


def test_a_missing_transcript_is_named(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run", {})
    run.append(records.record(0), run.begin(0))
    with pytest.raises(InferometerError, match=r"transcript\.jsonl: cannot be read"):
        list(launches.read(tmp_path / "run"))


def test_a_comparison_needs_no_folder() -> None:
    html = page.render(pages.comparison(), None)
    assert "<title>3 runs: x86, y86, z86" in html and Status.OK.value in html
