"""Pages in a real browser without a network: each must stay silent and ask for nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from orchestrator.report.page import assets

PROGRAM = shutil.which("chromium")
NEEDED = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="no Chromium: apt-get install chromium"
)


@contextmanager
def started() -> Iterator[Browser]:
    """The browser, closed at the end."""
    assert PROGRAM, "CI is set, and there is no chromium"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        yield running
        running.close()


def written(folder: Path, contents: Mapping[str, Any]) -> dict[str, Path]:
    """The pages of these models as files in ``folder``, by their names."""
    for name, content in contents.items():
        (folder / f"{name}.html").write_text(assets.page(content), "utf-8")
    return {name: folder / f"{name}.html" for name in contents}


@dataclass
class Opened:
    """A page with what it said and asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class Pages:
    """Opens pages of the report by the names of their files."""

    def __init__(self, browser: Browser, files: dict[str, Path]):
        self._browser, self._files = browser, files
        self._contexts: list[BrowserContext] = []
        self.opened: list[Opened] = []

    def open(self, name: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            offline=True,
        )
        self._contexts.append(context)
        context.set_default_timeout(15_000)
        one = Opened(context.new_page())
        one.page.on("console", lambda message: one.said.append(message.text))
        one.page.on("pageerror", lambda problem: one.said.append(str(problem)))
        one.page.on("request", lambda request: one.asked.append(request.url))
        self.opened.append(one)
        one.page.goto(self._files[name].as_uri())
        one.page.wait_for_selector("html[data-ready=yes]", timeout=30_000)
        return one.page

    def close(self) -> None:
        for context in self._contexts:
            context.close()


@contextmanager
def watched(browser: Browser, files: dict[str, Path]) -> Iterator[Pages]:
    """Opens pages, and looks at the end at what they said and asked for."""
    made = Pages(browser, files)
    yield made
    said = [text for one in made.opened for text in one.said]
    asked = [url for one in made.opened for url in one.asked if not url.startswith("file:")]
    made.close()
    assert said == [] and asked == []
