"""The report page in a real browser: how a run is cited, and how its inputs came."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from orchestrator.report.page import assets, model
from tests.support import chromium, pages
from tests.support.chromium import Pages

pytestmark = chromium.NEEDED


def scenarios() -> dict[str, Any]:
    """A comparison of an offline run with a multi-stream one, in which one case has too few queries."""
    made = pages.comparison(("x86", "y86"))
    for told, name in zip(made["runs"], ("offline", "multi-stream"), strict=True):
        told["scenario"] = name
    asked = [row for row in made["cases"] if row["run"] == made["runs"][1]["name"]]
    queries = [row for row in asked if row["p50_ns"]]
    for row in asked:
        row["case"]["batch"], row["count"] = 8, 700
    for row in queries:
        row["p99"] = {"value_ns": 1.3 * row["p50_ns"], "reason": None}
    queries[0]["count"], queries[0]["p99"] = 60, {"value_ns": None, "reason": "n too small: 60 of 662"}
    return made


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "rich": model.build(*pages.run(models=1, count=120), pages.header()),
        "scenarios": model.build(scenarios()),
    }
    for name, content in made.items():
        (folder / f"{name}.html").write_text(assets.page(content), "utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.started() as running:
        yield running


@pytest.fixture
def site(browser: Browser, files: dict[str, Path]) -> Iterator[Pages]:
    with chromium.watched(browser, files) as pages_:
        yield pages_


def test_a_page_says_how_it_is_cited(site: Pages) -> None:
    page = site.open("rich")
    told = page.locator("#origin").inner_text()
    assert told.index("Cite as") < told.index("@misc{inferometer-1}") < told.index("CITATION.cff")
    assert "Cite as" not in site.open("scenarios").locator("#origin").inner_text()


def test_scenarios_are_told_apart_and_queries_have_their_p99(site: Pages) -> None:
    page = site.open("scenarios")
    page.get_by_label("scenario", exact=True).select_option("multi-stream")
    expect(page.locator("#row-count")).to_have_text("16 of 32 cases")
    assert all("batch 8" in name for name in page.locator("tr.case:visible .open-row").all_inner_texts())
    assert set(page.locator("tr.case td:nth-child(3)").all_inner_texts()) == {"multi-stream"}
    lines = page.locator("#queries tbody tr").all_inner_texts()
    assert lines[-1].split("\t")[1:4] == ["8", "– n too small: 60 of 662", "60"]
    assert all(line.split("\t")[3] == "700" for line in lines[:-1])
    page.locator(".open-row").first.click()
    assert "p99 of 700 queries" in page.locator("tr.more:visible").inner_text()


def test_a_run_of_single_inputs_says_nothing_of_scenarios(site: Pages) -> None:
    page = site.open("rich")
    assert page.locator("#queries").count() == 0 and page.get_by_label("scenario").count() == 0
    assert "scenario" not in page.locator("table.cases").inner_text()
