"""The charts in a real browser: drawn from every table, in all colours, on paper and phones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains

from flows.reporting.context import ReportOptions
from flows.reporting.report import write_report
from tests.flows.reporting.browser import PHONE, Browser, browser
from tests.flows.reporting.planted import HOSTILE, plant

pytestmark = pytest.mark.slow

FIGURES = 14


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("charts")
    write_report(plant(folder), folder / "report.html", ReportOptions())
    return folder / "report.html"


@pytest.fixture
def opened(chromium: Browser, page: Path) -> Browser:
    chromium.open(page)
    return chromium


def marks(opened: Browser, figure: str, mark: str = "rect") -> int:
    """Marks of a kind in a chart that have a length and a height."""
    return int(
        opened.run(
            "return [...document.querySelectorAll(`#${arguments[0]} .mark-${arguments[1]} > *`)]"
            ".filter(e => !e.closest('.role-legend, .role-axis') && e.getBBox().width > 1 && "
            "(arguments[1] === 'rule' || e.getBBox().height > 1)).length",
            figure,
            mark,
        )
    )


def test_every_chart_is_drawn_and_nothing_is_said_or_asked_for(opened: Browser) -> None:
    states = opened.run(
        "return [...document.querySelectorAll('.drawing')].map(d => d.dataset.state)"
    )
    assert states == ["drawn"] * FIGURES
    assert opened.console() == []
    assert opened.requests() == []


def test_there_are_as_many_marks_as_numbers(opened: Browser) -> None:
    found = {
        figure: marks(opened, figure)
        for figure in (
            "corpora-years",
            "concepts-top",
            "tree-map",
            "together-documents",
            "labels-mix",
            "labels-score",
            "links-methods",
            "unlinked-counts",
            "rejects-reasons",
        )
    }
    assert found == {
        "corpora-years": 3,
        "concepts-top": 3,
        "tree-map": 2,
        "together-documents": 2,
        "labels-mix": 1,
        "labels-score": 3,
        "links-methods": 4,
        "unlinked-counts": 1,
        "rejects-reasons": 1,
    }
    assert marks(opened, "evaluations-scores", "rule") == 1
    assert marks(opened, "evaluations-scores", "symbol") == 1
    assert marks(opened, "quality-runs", "symbol") == 8  # four shares of two runs


def test_hovering_shows_a_name_as_it_is(opened: Browser) -> None:
    bar = opened.driver.find_elements("css selector", "#concepts-top .mark-rect path")[1]
    opened.run("arguments[0].scrollIntoView({block: 'center'})", bar)
    ActionChains(opened.driver).move_to_element(bar).perform()
    opened.wait("return document.querySelector('#vg-tooltip-element.visible')")
    text = opened.run("return document.getElementById('vg-tooltip-element').innerText")
    assert "</script><img src=x onerror=alert(1)>" in HOSTILE
    assert "</script><img src=x onerror=alert(1)>" in text
    assert not opened.run("return document.images.length")
    assert opened.console() == []


def test_colours_are_chosen_by_the_system_then_by_the_reader(chromium: Browser, page: Path) -> None:
    look = (
        "const bar = document.querySelector('#concepts-top .mark-rect path');"
        "return [getComputedStyle(document.body).backgroundColor, getComputedStyle(bar).fill]"
    )
    chromium.open(page, dark=True)
    dark = chromium.run(look)
    chromium.driver.find_element("id", "theme").click()
    light = chromium.run(look)
    assert [a != b for a, b in zip(dark, light, strict=True)] == [True, True]
    chromium.driver.refresh()
    chromium.wait("return document.documentElement.dataset.charts === 'drawn'")
    assert chromium.run(look) == light
    chromium.run("localStorage.clear()")
    chromium.open(page)
    assert chromium.run(look) == light


def test_a_phone_need_not_scroll_sideways(opened: Browser) -> None:
    opened.width(*PHONE)
    opened.driver.refresh()
    opened.wait("return document.documentElement.dataset.charts === 'drawn'")
    root = "document.documentElement"
    assert opened.run(f"return {root}.scrollWidth <= {root}.clientWidth")
    assert not opened.run("return document.querySelector('.contents details').open")


def test_paper_is_light_and_has_every_chart(chromium: Browser, page: Path) -> None:
    chromium.open(page, dark=True)
    chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        ink, shown = chromium.run(
            "return [getComputedStyle(document.body).color, "
            "[...document.querySelectorAll('.drawing svg')].filter(s => s.clientHeight).length]"
        )
    finally:
        chromium.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert ink == "rgb(23, 32, 43)"
    assert shown == FIGURES
    assert chromium.pdf().startswith(b"%PDF")
