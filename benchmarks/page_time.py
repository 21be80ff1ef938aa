"""How soon the report page of 1,000 cases answers in Chromium, and how large it is.

``page_interactive``: from opening the file until a filter that was typed has taken effect, the browser
running already. Its peer opens a page of 8 cases in the same browser: what any page with these libraries
costs. Median of three turns, one after the other.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, absent
from benchmarks.place import Place, scratch
from orchestrator.report.page import assets, model
from tests.support import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIGURES = ("page_interactive", "page_size")
CASES, FEW, LIMIT_S, LIMIT_MB = 1000, 8, 2.0, 15.0
REPEATS = 3


def measure(place: Place) -> Iterator[Figure]:
    """Both figures from one page."""
    chromium = shutil.which("chromium")
    if chromium is None:
        yield absent(FIGURES[0], f"<= {LIMIT_S:g} s", "no chromium on PATH")
        return
    with scratch() as folder:
        large, small = (_written(folder, cases) for cases in (CASES, FEW))
        ours, peer = _seconds(chromium, large, small)
        size_mb, few_mb = (path.stat().st_size / 1e6 for path in (large, small))
    note = f"{CASES} cases, 5 launches each, until a filter has taken effect; peer: {FEW} cases"
    yield Figure(FIGURES[0], "s", ours, peer, f"<= {LIMIT_S:g} s", ours <= LIMIT_S, note)
    yield Figure(
        FIGURES[1], "MB", size_mb, few_mb, f"<= {LIMIT_MB:g} MB", size_mb <= LIMIT_MB, f"peer: {FEW} cases"
    )


def _written(folder: Path, cases: int) -> Path:
    path = folder / f"{cases}.html"
    document, tries = pages.many(cases)
    path.write_text(assets.page(model.build(document, tries, pages.header())), "utf-8")
    return path


def _seconds(chromium: str, large: Path, small: Path) -> tuple[float, float]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        turns = [(_open(browser, large), _open(browser, small)) for _ in range(REPEATS)]
        browser.close()
    return median(ours for ours, _ in turns), median(peer for _, peer in turns)


def _open(browser: Browser, path: Path) -> float:
    page = browser.new_page()
    begun = time.monotonic()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=yes]")
    page.get_by_role("searchbox").fill("tflite")
    page.locator("#row-count", has_text=" of ").wait_for()
    seconds = time.monotonic() - begun
    page.close()
    return seconds
