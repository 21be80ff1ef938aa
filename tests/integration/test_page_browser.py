"""The report page in a real browser: offline, by mouse and keyboard, in the dark, on a phone, on paper."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from orchestrator.report import cells
from orchestrator.report.page import model
from tests.support import chromium, pages
from tests.support.chromium import Pages

INTERACTIVE_S = 10.0  # a bound for a busy machine; benchmarks/ has the figure
pytestmark = chromium.NEEDED


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "rich": model.build(*pages.run(count=120), pages.header()),
        "hostile": model.build(*pages.hostile(), pages.header()),
        "merged": model.build(pages.comparison()),
        "large": model.build(*pages.many(1000), pages.header()),
    }
    return chromium.written(folder, made)


def through(page: Page) -> None:
    """Scroll over the whole page, so that every figure is drawn."""
    page.evaluate("""async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 500) {
            scrollTo(0, y);
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)));
        }
    }""")
    expect(page.locator(".canvas:empty")).to_have_count(0, timeout=10_000)


def names(page: Page) -> list[str]:
    return page.locator("tr.case:visible .open-row").all_inner_texts()


def test_every_figure_is_drawn_and_has_a_text(site: Pages) -> None:
    page = site.open("rich")
    through(page)
    assert page.locator("figure").count() >= 12
    svgs = page.locator("figure .canvas svg")
    for place in range(svgs.count()):
        assert svgs.nth(place).get_attribute("role") == "img"
        assert len(svgs.nth(place).get_attribute("aria-label") or "") > 20
    page.locator("details.data summary").first.click()
    expect(page.locator("details.data table").first).to_be_visible()
    headings = page.locator("main h2").all_inner_texts()
    assert headings[0] == "Cases" and "Roofline" in headings and "Skipped and failed" in headings
    assert page.locator("h1").count() == 1 and page.locator("main").count() == 1


def test_no_figure_writes_one_axis_over_another(site: Pages) -> None:
    page = site.open("rich")
    through(page)
    axes = page.locator(".canvas svg").evaluate_all(
        """drawn => drawn.map(svg => [
            svg.closest("figure")?.id || svg.getAttribute("aria-label"),
            svg.querySelectorAll('[aria-label="y-axis tick label"]').length])"""
    )
    assert len(axes) > 8 and [figure for figure, written in axes if written > 1] == []


def test_headings_sort_both_ways_and_say_so(site: Pages) -> None:
    page = site.open("rich")
    head = page.locator("thead th", has=page.get_by_role("button", name="p50", exact=True))
    assert head.get_attribute("aria-sort") == "ascending"
    fastest = names(page)[0]
    assert fastest.startswith("digits-cnn tflite")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    slowest = names(page)
    assert slowest[0].startswith("resnet50 pytorch (eager)")
    assert slowest[-1] != fastest, "cases without a figure come last either way"
    page.get_by_role("button", name="case", exact=True).click()
    assert names(page) == sorted(names(page)) and head.get_attribute("aria-sort") is None


def test_filters_narrow_together_and_tell_the_count(site: Pages) -> None:
    page = site.open("rich")
    count = page.locator("#row-count")
    assert count.inner_text() == "32 cases" and count.get_attribute("aria-live") == "polite"
    page.get_by_label("model", exact=True).first.select_option("resnet50")
    expect(count).to_have_text("8 of 32 cases")
    page.get_by_role("searchbox").fill("tflite")
    expect(count).to_have_text("2 of 32 cases")
    assert all(name.startswith("resnet50 tflite") for name in names(page))
    page.get_by_role("button", name="Clear").click()
    page.get_by_label("verdict", exact=True).select_option("failed")
    expect(count).to_have_text("2 of 32 cases")
    page.get_by_role("button", name="unstable").click()
    assert page.get_by_role("searchbox").input_value() == "unstable"
    assert len(names(page)) == 4


def test_a_row_opens_and_closes_by_keyboard(site: Pages) -> None:
    page = site.open("rich")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    button = page.locator(".open-row").first
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-expanded") == "true"
    opened = page.locator(f"#{button.get_attribute('aria-controls')}")
    expect(opened).to_be_visible()
    for word in ("artifact SHA-256", "Energy of an inference", "95 % interval", "harness_cost"):
        assert word.lower() in opened.inner_text().lower()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    expect(opened).to_be_hidden()


def test_a_failed_case_tells_its_reason(site: Pages) -> None:
    page = site.open("rich")
    page.get_by_label("verdict", exact=True).select_option("failed")
    page.locator("tr.case:visible").first.click()
    assert "killed for lack of memory" in page.locator("tr.more:visible").inner_text()
    assert "needs linux/arm64" in page.locator("#gaps").inner_text()


def test_accuracy_has_an_axis_for_each_power_source(site: Pages) -> None:
    page = site.open("rich")
    axis = page.get_by_label("accuracy against")
    options = axis.locator("option").all_inner_texts()
    assert [text for text in options if text.startswith("energy")] == [
        "energy of an inference, board_input, gross",
        "energy of an inference, cpu_package, gross",
    ]
    axis.select_option(index=2)
    expect(page.locator("#tradeoff figcaption h3")).to_contain_text("board_input")


def background(page: Page) -> str:
    found: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return found


def test_dark_follows_the_system_and_the_button(site: Pages) -> None:
    light, dark = background(site.open("rich")), background(page := site.open("rich", scheme="dark"))
    assert light != dark
    page.get_by_role("button", name="Use light colours").click()
    assert background(page) == light
    page.get_by_role("button", name="Use dark colours").click()
    assert background(page) == dark


@pytest.mark.parametrize("name", ["rich", "hostile", "merged"])
def test_a_phone_scrolls_down_only(site: Pages, name: str) -> None:
    page = site.open(name, 390, 844)
    page.locator(".open-row").first.click()
    through(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("scrollTo(200, 0)")
    assert page.evaluate("scrollX") == 0


def test_paper_has_everything_open_and_light(site: Pages) -> None:
    page = site.open("hostile", scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert background(page) == "rgb(255, 255, 255)"
    assert page.locator("tr.more:visible").count() == 8
    assert page.locator("details:not(.data):not([open])").count() == 0
    assert page.locator(".canvas:empty").count() == 0
    expect(page.locator("nav")).to_be_hidden()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("tr.more:visible").count() == 0


def test_hostile_names_do_nothing(site: Pages) -> None:
    page = site.open("hostile")
    page.locator(".open-row").first.click()
    through(page)
    for summary in page.locator("details.data summary").all():
        summary.click()
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0 and page.locator("script").count() == 3
    assert "</script>" in page.locator("#gaps").inner_text()


def test_a_comparison_shows_its_devices_and_says_what_it_lacks(site: Pages) -> None:
    page = site.open("merged")
    through(page)
    assert "made from summaries" in page.locator("#overview").inner_text()
    assert page.locator("#distributions").count() == 0
    page.get_by_label("device", exact=True).select_option("y86")
    expect(page.locator("#row-count")).to_have_text("16 of 48 cases")
    assert page.locator("#latency h4").all_inner_texts()[:3] == ["X86", "Y86", "Z86"]


def test_figures_are_written_as_in_the_tables(site: Pages) -> None:
    page = site.open("rich")
    made = [0.0, 0.01234, 0.9996, 1.0, 12.345, 99.95, 999.95, 1234.5, 68124.4]
    rows = page.evaluate("JSON.parse(document.getElementById('inferometer-data').textContent).rows")
    by_name = {row["name"]: row for row in rows}
    for line in page.locator("tr.case").all()[:10]:
        row = by_name[line.locator(".open-row").inner_text()]
        unit = cells.time_unit([row["p50_ns"]])
        said = f"{cells.number(row['p50_ns'] / unit.ns)} {unit.name}"
        assert line.locator("td").nth(1).inner_text() == said
    assert [cells.number(value) for value in made][-1] == "68124"


def test_a_thousand_cases_open_quickly(site: Pages) -> None:
    begun = time.monotonic()
    page = site.open("large")
    page.get_by_role("searchbox").fill("resnet50-7 onnxruntime")
    expect(page.locator("#row-count")).to_have_text("2 of 1000 cases")
    assert time.monotonic() - begun < INTERACTIVE_S
