"""The report page in a real browser: citation and scenarios, narrow places and paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from orchestrator.report.page import model
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
    document, tries = pages.run(models=2, count=120)
    for row in document["cases"]:
        row["accuracy"] = row["accuracy"] and {"correct": 996 + len(row["case"]["model"]) % 4, "total": 1000}
    made = {
        "rich": model.build(document, tries, pages.header()),
        "scenarios": model.build(scenarios()),
    }
    return chromium.written(folder, made)


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


def too_wide(page: Page, places: str) -> list[str]:
    """What reaches beyond its own place to the right."""
    found: list[str] = page.locator(places).evaluate_all(
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"
    )
    return found


def test_on_a_phone_no_fastest_figure_is_cut_and_no_time_is_broken_into_lines(site: Pages) -> None:
    page = site.open("rich", 390, 844)
    assert too_wide(page, ".fastest .scroll") == []
    page.locator(".open-row").first.click()
    last = page.locator("tr.more table.plain tbody td:last-child").first
    assert last.evaluate("one => one.getClientRects().length") == 1
    assert last.evaluate("one => getComputedStyle(one).whiteSpace") == "nowrap"
    names_, values = (page.locator(f"tr.more dl.facts-list {tag}").first for tag in ("dt", "dd"))
    boxes = [one.bounding_box() for one in (names_, values)]
    assert boxes[0] and boxes[1] and boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=4), "beside each other"


def test_on_paper_columns_stay_apart(site: Pages) -> None:
    page = site.open("rich", 703, 1000)  # A4 less its margins
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert too_wide(page, ".fastest, .split > div, .details .grid > div") == []
    figures = page.locator("tr.more .pair").first.locator("figure")
    boxes = [figures.nth(place).bounding_box() for place in range(2)]
    assert boxes[0] and boxes[1] and boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]


def test_no_accuracy_beyond_100_percent_is_drawn(site: Pages) -> None:
    page = site.open("rich")
    page.locator("#tradeoff").scroll_into_view_if_needed()
    expect(page.locator("#tradeoff .canvas svg").first).to_be_visible()
    ticks = page.locator('#tradeoff [aria-label="y-axis tick label"] text').all_text_contents()
    assert ticks and max(map(float, ticks)) <= 100
