"""Draw the diagrams of README and docs/ as pictures, for a site that loads no script for them.

GitHub draws the ``mermaid`` blocks itself. The site takes the picture of the same block from
docs/diagrams/, named by a digest of the block: a block that was changed has none, and the site is
not built until this script has drawn it. It needs Chromium, its driver, and Mermaid from npm:

    npm pack mermaid@11 && tar xzf mermaid-11*.tgz
    python scripts/draw_diagrams.py package/dist/mermaid.min.js
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "diagrams"
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

_BLOCK = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Readable on white and on black: filled boxes with dark words, lines of a middle grey.
_SETTINGS = """{
  startOnLoad: false, securityLevel: "strict", theme: "base", htmlLabels: false,
  flowchart: {htmlLabels: false, useMaxWidth: false},
  themeVariables: {
    fontFamily: "Arial, Helvetica, sans-serif", fontSize: "15px",
    primaryColor: "#d5ece8", primaryTextColor: "#10312c", primaryBorderColor: "#3d8b7d",
    lineColor: "#7d8b89", edgeLabelBackground: "#d5ece8", clusterBkg: "#eef5f4"
  }
}"""


def name_of(code: str) -> str:
    """File name of a block's picture."""
    return hashlib.sha256(code.encode()).hexdigest()[:16] + ".svg"


def blocks() -> list[str]:
    """The sources of all diagrams."""
    return [code for page in PAGES for code in _BLOCK.findall(page.read_text("utf-8"))]


def draw(code: str, mermaid: Path) -> str:
    """A diagram as SVG."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "page.html"
            page.write_text(f'<!doctype html><script src="{mermaid.resolve().as_uri()}"></script>')
            browser.get(page.as_uri())
        drawn = browser.execute_async_script(
            f"const done = arguments[arguments.length - 1]; mermaid.initialize({_SETTINGS});"
            "mermaid.render('diagram', arguments[0]).then("
            "  r => done(new XMLSerializer().serializeToString("
            "    new DOMParser().parseFromString(r.svg, 'text/html').querySelector('svg'))),"
            "  e => done('error: ' + e));",
            code.replace("flowchart LR", "flowchart TB"),  # a page is higher than wide
        )
    finally:
        browser.quit()
    if not drawn.startswith("<svg"):
        raise SystemExit(drawn)
    return str(drawn) + "\n"


def main() -> None:
    """Draw what has no picture yet, and remove pictures of blocks that are gone."""
    parser = argparse.ArgumentParser(description="Draw the diagrams of README and docs/.")
    parser.add_argument("mermaid", type=Path, help="mermaid.min.js of the npm package mermaid")
    parser.add_argument("--again", action="store_true", help="draw all, also those that are there")
    asked = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    wanted = {name_of(code): code for code in blocks()}
    for picture in FOLDER.glob("*.svg"):
        if picture.name not in wanted:
            picture.unlink()
    for name, code in wanted.items():
        if asked.again or not (FOLDER / name).exists():
            (FOLDER / name).write_text(draw(code, asked.mermaid), encoding="utf-8")


if __name__ == "__main__":
    main()
