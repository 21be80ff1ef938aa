"""A browser for the modules that have pages to show: their own ``files`` say which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the other tests here need no browser's library
    from playwright.sync_api import Browser

    from tests.support.chromium import Pages


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from tests.support import chromium

    with chromium.started() as running:
        yield running


@pytest.fixture
def site(browser: Browser, files: dict[str, Path]) -> Iterator[Pages]:
    """Opens the module's pages, which must stay silent and ask for nothing."""
    from tests.support import chromium

    with chromium.watched(browser, files) as pages:
        yield pages
