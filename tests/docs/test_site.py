"""The documentation site: every page has its place and its reader, and it needs no network.

Pages are written for GitHub and for the site alike. That links between the sources lead somewhere
is held by ``tests/test_docs.py``; here are those of the built site, with all its anchors.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from lxml import html

from tests.docs.blocks import DOCS, PAGES, README, ROOT, all_blocks

OUTSIDE = {"index.md", "changes.md", "benchmarks.md", "bundled-model.md", "bundled-relations.md"}
"""Pages that the site makes of files outside docs/ (``scripts/site_pages.py``)."""


class _Loader(yaml.SafeLoader):
    """YAML of MkDocs, whose tags name functions."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    """mkdocs.yml."""
    return dict(yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), _Loader))


def in_nav(nav: Any) -> Iterator[str]:
    """Pages of a navigation, in order."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for below in nav.values():
            yield from in_nav(below)
    else:
        for entry in nav:
            yield from in_nav(entry)


def test_every_page_is_in_the_navigation_once(settings: dict[str, Any]) -> None:
    named = list(in_nav(settings["nav"]))
    assert sorted(named) == sorted({page.name for page in DOCS.glob("*.md")} | OUTSIDE)
    assert [next(iter(entry)) for entry in settings["nav"]] == [
        "Start",
        "How-to",
        "Reference",
        "Explanation",
    ]


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_a_page_begins_with_its_reader_and_its_use(page: Path) -> None:
    text = re.sub(r"\A<!--.*?-->\n\n", "", page.read_text("utf-8"))
    title, first = text.split("\n\n")[:2]
    assert re.fullmatch(r"# \S[^\n]*[^.\n]", title)
    words = " ".join(first.split())
    assert re.match(r"For [^:]{5,160}: ", words), f"who reads {page.name}, and what for?"
    assert words.endswith(".") and not re.search(r"\. [A-Z]", words), "one sentence"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_headings_are_plain_titles(page: Path) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^(#+) (.*)$", text, re.MULTILINE)
    assert [len(marks) for marks, _ in headings].count(1) == 1
    depth = 1
    for marks, title in headings:
        assert len(marks) <= depth + 1, f"{title}: a level is left out"
        depth = len(marks)
        assert not title.endswith((".", ":", " ")), title
        assert not re.match(r"[a-z]", title) or title.split()[0] in STAY_SMALL, title


STAY_SMALL = {"charthouse", "cron", "dbt", "systemd"} | {
    name
    for page in (DOCS / "tables.md",)
    for name in re.findall(r"^### ([a-z_]+)", page.read_text("utf-8"), re.MULTILINE)
}
"""Names that begin a heading as they are written."""


def test_every_diagram_is_drawn() -> None:
    import hashlib

    names = {
        hashlib.sha256(block.code.encode()).hexdigest()[:16] + ".svg"
        for block in all_blocks("mermaid")
    }
    assert {path.name for path in (DOCS / "diagrams").iterdir()} == names, (
        "run scripts/draw_diagrams.py"
    )
    assert names


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make site` builds it."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return folder


def tree(page: Path) -> html.HtmlElement:
    return html.fromstring(page.read_bytes())


@pytest.mark.slow
def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    loaded = []
    for page in site.rglob("*.html"):
        for element in tree(page).iter("script", "link", "img", "iframe", "source", "object"):
            if element.tag == "link" and element.get("rel") in ("canonical", "prev", "next"):
                continue
            for name in ("src", "href", "srcset", "data"):
                if urlsplit(element.get(name) or "").netloc:
                    loaded.append((page.name, element.get(name)))
        assert "mermaid" not in {element.get("class") for element in tree(page).iter("pre", "code")}
    assert loaded == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", sheet.read_text("utf-8"))


@pytest.mark.slow
def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    pages = {page: tree(page) for page in site.rglob("*.html")}
    anchors = {
        page: {e.get(name) for e in of_page.iter() for name in ("id", "name")} | {""}
        for page, of_page in pages.items()
    }
    astray, followed = [], 0
    for page, of_page in pages.items():
        if page.name == "404.html":
            continue
        for element in of_page.iter("a", "img", "script", "link"):
            target = urlsplit(element.get("href") or element.get("src") or "")
            if target.scheme or target.netloc or not (target.path or target.fragment):
                continue
            file = (page.parent / unquote(target.path)).resolve() if target.path else page
            file = file / "index.html" if file.is_dir() else file
            followed += 1
            if not file.is_file() or unquote(target.fragment) not in anchors.get(file, {""}):
                astray.append(f"{page.name}: {target.geturl()}")
    assert followed > 1000
    assert sorted(set(astray)) == []


@pytest.mark.slow
def test_home_is_the_readme_with_its_pictures(site: Path) -> None:
    home = tree(site / "index.html")
    assert len(home.xpath("//article//h2")) == len(
        re.findall("^## ", README.read_text("utf-8"), re.MULTILINE)
    )
    pictures = {each.get("src"): each.get("alt") for each in home.xpath("//article//img")}
    assert "The report on the sample" in pictures.pop("images/report-light.png")
    ((diagram, meaning),) = pictures.items()
    assert diagram.startswith("diagrams/") and "How data flows" in meaning
    assert (site / diagram).is_file() and (site / "images/report-light.png").is_file()
    (home_table,) = home.xpath("//article//a[text()='docs/tables.md']/@href")
    assert home_table == "tables.html"


@pytest.mark.slow
def test_python_reference_shows_signatures(site: Path) -> None:
    text = tree(site / "python.html").text_content()
    assert "load_settings" in text and ":::" not in text
