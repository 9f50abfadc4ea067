"""The report in a real browser: it draws, stays silent, asks for nothing, and all can use it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from flows.reporting.context import ReportOptions
from flows.reporting.report import write_report
from tests.flows.reporting.abstracts import make_abstracts
from tests.flows.reporting.browser import PHONE, Browser, browser
from tests.flows.reporting.viewed import HOSTILE, NESTED, PAPERS, make_viewed

pytestmark = pytest.mark.slow

SHOWABLE = 4 + PAPERS


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Path:
    folder = tmp_path_factory.mktemp("viewed")
    warehouse = make_viewed(folder)
    write_report(
        warehouse,
        folder / "report.html",
        ReportOptions(title=f"Title {HOSTILE}", with_text=True),
    )
    return folder / "report.html"


@pytest.fixture
def viewer(chromium: Browser, page: Path) -> Browser:
    """The page opened anew, in light colours and wide."""
    chromium.open(page)
    return chromium


def status(viewer: Browser, name: str) -> str:
    return str(viewer.run(f"return document.getElementById('viewer-{name}').textContent"))


def listed(viewer: Browser) -> list[str]:
    return list(
        viewer.run(
            "return [...document.querySelectorAll('#viewer-list li')]"
            ".map(item => item.firstChild.data)"
        )
    )


def choose(viewer: Browser, document_id: str) -> None:
    viewer.run(
        "[...document.querySelectorAll('#viewer-list li')]"
        ".find(item => item.firstChild.data === arguments[0]).click()",
        document_id,
    )


def enter(viewer: Browser, name: str, value: str, told: str) -> None:
    """Type into a field and wait for the count to say so."""
    field = viewer.driver.find_element("id", f"viewer-{name}")
    field.clear()
    field.send_keys(value)
    viewer.wait(
        f"return document.getElementById('viewer-{told}').textContent !== '' && "
        f"document.getElementById('viewer-{name}').value === {value!r}"
    )
    viewer.driver.execute_async_script("setTimeout(arguments[0], 200)")


def text_of(viewer: Browser) -> str:
    return str(viewer.run("return document.getElementById('viewer-text').textContent"))


def press(viewer: Browser, *keys: str, shift: bool = False) -> None:
    actions = ActionChains(viewer.driver)
    if shift:
        actions.key_down(Keys.SHIFT)
    for key in keys:
        actions.send_keys(key)
    if shift:
        actions.key_up(Keys.SHIFT)
    actions.perform()


def focused(viewer: Browser) -> dict[str, Any]:
    return dict(
        viewer.run(
            "const e = document.activeElement; return {id: e.id, tag: e.tagName, "
            "mention: e.classList.contains('viewer-mention'), text: e.textContent.slice(0, 60)}"
        )
    )


def details(viewer: Browser) -> str | None:
    """The text of the details that are shown."""
    shown = viewer.run(
        "const d = document.getElementById('viewer-details'); return d.hidden ? null : d.innerText"
    )
    return None if shown is None else str(shown)


def test_it_is_silent_and_asks_for_nothing(viewer: Browser) -> None:
    viewer.run("window.scrollTo(0, document.body.scrollHeight)")
    for document_id in listed(viewer):
        choose(viewer, document_id)
    assert viewer.console() == []
    assert viewer.requests() == []


def test_what_a_console_says_is_heard(viewer: Browser) -> None:
    viewer.run("console.error('broken'); new Image().src = 'http://127.0.0.1:9/x.png'")
    assert any("broken" in line for line in viewer.console())


def test_what_a_page_asks_for_is_heard(chromium: Browser, tmp_path: Path) -> None:
    asking = tmp_path / "asking.html"
    asking.write_text("<title>x</title><img src='http://127.0.0.1:9/x.png'>", encoding="utf-8")
    chromium.driver.get(asking.as_uri())
    assert set(chromium.requests()) == {"http://127.0.0.1:9/x.png"}


def test_every_chart_is_drawn(viewer: Browser) -> None:
    drawings = viewer.run(
        "return [...document.querySelectorAll('.drawing')].map(d => [d.dataset.state, "
        "d.querySelectorAll('svg path, svg rect, svg circle').length])"
    )
    assert len(drawings) >= 5
    assert all(state == "drawn" and marks > 2 for state, marks in drawings)


def test_names_of_the_warehouse_stay_names(viewer: Browser) -> None:
    assert viewer.driver.title == f"Title {HOSTILE}"
    choose(viewer, "notes:n2")
    assert text_of(viewer) == f"{HOSTILE} fever & gout {HOSTILE}"
    viewer.run("[...document.querySelectorAll('.viewer-mention')].at(-1).focus()")
    assert HOSTILE in (details(viewer) or "")
    assert not viewer.run("return document.images.length")
    assert viewer.console() == []


def test_what_is_shown_of_a_document_is_its_text(viewer: Browser) -> None:
    choose(viewer, "notes:n3")
    assert text_of(viewer) == NESTED
    tags = viewer.run(
        "return [...document.querySelectorAll('.viewer-mention')]"
        ".map(m => [m.textContent, m.dataset.tag || ''])"
    )
    assert tags == [
        ["Acute ", ""],
        ["kidney", "Anatomy"],
        [" injury", "Disease"],
        [" and ", ""],
        ["kidney", "Anatomy"],
        [" stones", "Disease"],
        ["fever", "Disease · negated"],
    ]
    assert not viewer.run(
        "return document.querySelectorAll('.viewer-mention .viewer-mention').length"
    )


def test_assertion_shows_without_colour(viewer: Browser) -> None:
    choose(viewer, "notes:n1")
    tags = viewer.run(
        "return [...document.querySelectorAll('.viewer-mention')].map(m => m.dataset.tag)"
    )
    assert tags == [
        "Disease",
        "Disease · negated",
        "Disease · family",
        "Disease · historical",
        "Disease · uncertain",
        "Disease · hypothetical",
        "Chemical",
    ]
    struck = viewer.run(
        "return [...document.querySelectorAll('.viewer-mention s')].map(m => m.textContent)"
    )
    assert struck == ["fever"]


def test_search_counts_and_goes_round(viewer: Browser) -> None:
    enter(viewer, "query", "FEVER", "hits")
    # Two in each paper; one in each of three notes.
    hits, places = 2 * PAPERS + 3, PAPERS + 3
    assert status(viewer, "hits") == f"{hits} hits in {places} documents"
    assert status(viewer, "count") == f"{places} of {SHOWABLE} documents"
    press(viewer, Keys.ENTER)
    assert status(viewer, "hits").startswith(f"1 of {hits} hits")
    press(viewer, Keys.ENTER, shift=True)
    assert status(viewer, "hits").startswith(f"{hits} of {hits} hits")
    viewer.driver.find_element("id", "viewer-next").click()
    assert status(viewer, "hits").startswith("1 of")
    now = viewer.run("return [...document.querySelectorAll('.now')].map(n => n.textContent)")
    assert "".join(now).lower() == "fever"


def test_a_search_that_finds_nothing_says_so(viewer: Browser) -> None:
    enter(viewer, "query", "unheard of", "hits")
    assert status(viewer, "hits") == "0 hits in 0 documents"
    assert viewer.driver.find_element("id", "viewer-name").text == "No document fits"
    assert not viewer.driver.find_element("id", "viewer-next").is_enabled()
    viewer.driver.find_element("id", "viewer-clear").click()
    assert status(viewer, "count") == f"{SHOWABLE} documents"


def test_any_white_space_is_found_as_a_space(viewer: Browser) -> None:
    enter(viewer, "query", "No fever. Mother", "hits")
    assert listed(viewer) == ["notes:n1"]
    enter(viewer, "query", "history: no", "hits")  # a tabulator between them
    assert listed(viewer) == ["notes:n1"]


def test_letters_that_grow_in_lower_case_move_no_hit(viewer: Browser) -> None:
    enter(viewer, "query", "TODAY", "hits")
    assert listed(viewer) == ["notes:n3"]
    assert viewer.run("return document.querySelector('.viewer-hit').textContent") == "today"


def test_filters(viewer: Browser) -> None:
    def select(name: str, words: str) -> None:
        field = viewer.driver.find_element("id", f"viewer-{name}")
        field.find_element("xpath", f"option[.='{words}']").click()

    select("corpus", "papers")
    assert len(listed(viewer)) == PAPERS
    select("corpus", "all")
    select("assertion", "negated")
    assert listed(viewer) == ["notes:n1", "notes:n3"]
    shown = viewer.run("return [...document.querySelectorAll('.viewer-mention')].length")
    assert shown == 1
    select("assertion", "family")
    assert listed(viewer) == ["notes:n1"]
    select("assertion", "affirmed")
    assert listed(viewer) == ["notes:n1", "notes:n3"]
    select("assertion", "not assessed")
    assert len(listed(viewer)) == PAPERS + 1
    select("assertion", "any")
    enter(viewer, "concept", "mesh:d012964", "count")
    assert listed(viewer) == ["notes:n1"]
    enter(viewer, "concept", "Diabetes", "count")
    assert listed(viewer) == ["notes:n1"]


def test_labels_can_be_left_out(viewer: Browser) -> None:
    labels = viewer.driver.find_elements("css selector", "#viewer-labels label")
    assert {label.text for label in labels} == {"Anatomy", "Chemical", "Disease", HOSTILE}
    for label in labels:
        if label.text != "Anatomy":
            label.click()
    assert listed(viewer) == ["notes:n3"]


def test_all_of_it_by_keyboard(viewer: Browser) -> None:
    reached: set[str] = set()
    wanted = viewer.run(
        "return [...document.querySelectorAll('#documents :is(input, select, button, "
        '[tabindex="0"])\')].filter(e => !e.disabled && e.checkVisibility()).length'
    )
    viewer.run("document.getElementById('viewer-query').focus()")
    for _ in range(wanted + 3):
        here = focused(viewer)
        if here["tag"] == "BODY":
            break
        reached.add(here["id"] or f"{here['tag']} {here['text']} {len(reached)}")
        press(viewer, Keys.TAB)
    assert {"viewer-query", "viewer-corpus", "viewer-concept", "viewer-list"} <= reached
    assert len(reached) >= wanted


def test_documents_by_arrow_keys(viewer: Browser) -> None:
    viewer.run("document.getElementById('viewer-list').focus()")
    press(viewer, Keys.ARROW_DOWN)
    ids = listed(viewer)
    assert viewer.driver.find_element("id", "viewer-name").text == ids[1]
    press(viewer, Keys.END)
    assert viewer.driver.find_element("id", "viewer-name").text == ids[-1]
    active = viewer.run(
        "const id = document.getElementById('viewer-list').getAttribute('aria-activedescendant');"
        "return document.getElementById(id).getAttribute('aria-selected')"
    )
    assert active == "true"


def test_mentions_by_arrow_keys_and_details_by_focus(viewer: Browser) -> None:
    choose(viewer, "notes:n1")
    viewer.run("document.querySelector('.viewer-mention[tabindex=\"0\"]').focus()")
    shown = details(viewer) or ""
    for said in ("Chest pain", "0.90", "affirmed", "MESH:D002637", "rule", "rule-1", "r1"):
        assert said in shown
    press(viewer, Keys.ARROW_RIGHT)
    assert focused(viewer)["text"] == "fever"
    assert "negated" in (details(viewer) or "")
    described = viewer.run(
        "return document.getElementById("
        "document.activeElement.getAttribute('aria-describedby')).innerText"
    )
    assert described == details(viewer)
    press(viewer, Keys.ENTER)
    assert viewer.run("return document.activeElement.getAttribute('aria-expanded')") == "true"
    press(viewer, Keys.ESCAPE)
    assert details(viewer) is None
    assert focused(viewer)["text"] == "fever"
    press(viewer, Keys.HOME)
    assert focused(viewer)["text"] == "Chest pain"


def test_details_by_mouse(viewer: Browser) -> None:
    choose(viewer, "notes:n3")
    mentions = viewer.driver.find_elements("css selector", ".viewer-mention")
    ActionChains(viewer.driver).move_to_element(mentions[1]).perform()
    shown = details(viewer) or ""
    assert "Acute kidney injury" in shown
    assert "kidney injury and kidney" in shown
    # They stay while the pointer is on them.
    pane = viewer.driver.find_element("id", "viewer-details")
    ActionChains(viewer.driver).move_to_element(pane).pause(0.4).perform()
    assert details(viewer) == shown
    away = viewer.driver.find_element("css selector", ".brand")  # the details cover no part of it
    ActionChains(viewer.driver).move_to_element(away).pause(0.4).perform()
    assert details(viewer) is None


def breaches(viewer: Browser) -> list[str]:
    """What axe finds against WCAG 2, levels A and AA. Drawings are one picture each to it."""
    found = Axe().run(
        viewer.driver,
        context={"exclude": [[".drawing svg"]]},
        options={"runOnly": ["wcag2a", "wcag2aa"], "resultTypes": ["violations"]},
    )
    return [
        f"{rule['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("phone", [False, True], ids=["wide", "phone"])
def test_axe_has_no_complaint(chromium: Browser, page: Path, dark: bool, phone: bool) -> None:
    chromium.open(page, dark=dark)
    if phone:
        chromium.width(*PHONE)
    choose(chromium, "notes:n1")
    enter(chromium, "query", "fever", "hits")
    press(chromium, Keys.ENTER)
    chromium.run("document.querySelector('.viewer-mention').focus()")
    assert details(chromium)
    assert chromium.run("return document.documentElement.dataset.theme") == (
        "dark" if dark else "light"
    )
    assert breaches(chromium) == []


def test_axe_would_complain(viewer: Browser) -> None:
    viewer.run("document.querySelector('#viewer-text').style.color = '#bbb'")
    viewer.run("document.querySelector('#viewer-query').closest('label').replaceWith("
               "document.querySelector('#viewer-query'))")  # fmt: skip
    found = Axe().run(
        viewer.driver, context="#documents", options={"runOnly": ["wcag2a", "wcag2aa"]}
    )
    assert {"color-contrast", "label"} <= {rule["id"] for rule in found["violations"]}


def test_drawings_have_a_name(viewer: Browser) -> None:
    drawings = viewer.run(
        "return [...document.querySelectorAll('.drawing')]"
        ".map(d => [d.getAttribute('role'), (d.getAttribute('aria-label') || '').length])"
    )
    assert all(role == "img" and length > 5 for role, length in drawings)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_words_in_charts_can_be_read(chromium: Browser, page: Path, dark: bool) -> None:
    """Titles, axes and legends against the card they stand on, by WCAG's formula."""
    chromium.open(page, dark=dark)
    ratios = chromium.run(
        """
        const light = colour => {
          const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const card = light(getComputedStyle(document.querySelector('main > section'))
          .backgroundColor);
        return [...document.querySelectorAll('.drawing [class*="role-axis"] text, '
          + '.drawing [class*="role-legend"] text')].filter(t => t.textContent)
          .map(t => light(getComputedStyle(t).fill))
          .map(l => (Math.max(l, card) + 0.05) / (Math.min(l, card) + 0.05));
        """
    )
    assert len(ratios) > 20
    assert min(ratios) >= 4.5


def test_nothing_is_wider_than_a_phone(viewer: Browser) -> None:
    viewer.width(*PHONE)
    for document_id in ("notes:n1", "notes:n2"):
        choose(viewer, document_id)
        viewer.run("document.querySelector('.viewer-mention').focus()")
        assert viewer.run("return document.documentElement.scrollWidth") <= PHONE[0]
        box = viewer.run(
            "const b = document.getElementById('viewer-details').getBoundingClientRect();"
            "return [b.left, b.right]"
        )
        assert box[0] >= 0
        assert box[1] <= PHONE[0]


def test_a_chosen_theme_lasts(viewer: Browser) -> None:
    viewer.run("document.getElementById('theme').click()")
    assert viewer.run("return document.documentElement.dataset.theme") == "dark"
    viewer.run("document.getElementById('theme').click()")
    assert viewer.run("return document.documentElement.dataset.theme") == "light"


def test_it_can_be_printed(viewer: Browser) -> None:
    choose(viewer, "notes:n1")
    printed = viewer.pdf()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= 3
    viewer.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    visible = "return document.querySelector(arguments[0]).checkVisibility()"
    assert not viewer.run(visible, ".viewer-tools")
    assert not viewer.run(visible, "#viewer-list")
    assert viewer.run(visible, "#viewer-text")
    assert viewer.run(visible, ".drawing svg")
    viewer.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_a_thousand_real_abstracts(chromium: Browser, data_dir: Path, tmp_path: Path) -> None:
    corpora = data_dir / "corpora"
    sources = [corpora / f"bc5cdr_{part}.pubtator.gz" for part in ("dev", "train")]
    warehouse, texts = make_abstracts(tmp_path, sources)
    options = ReportOptions(with_text=True, documents=1000)
    written = write_report(warehouse, tmp_path / "report.html", options)
    assert written.bytes < 5_000_000
    chromium.open(tmp_path / "report.html")
    assert status(chromium, "count") == "1,000 documents"
    enter(chromium, "query", "cancer", "hits")
    hits = sum(text.lower().count("cancer") for text in texts)
    places = sum("cancer" in text.lower() for text in texts)
    assert status(chromium, "hits") == f"{hits} hits in {places} documents"
    chromium.driver.find_element("id", "viewer-next").click()
    assert text_of(chromium) in texts
    assert chromium.console() == []
    assert chromium.requests() == []
