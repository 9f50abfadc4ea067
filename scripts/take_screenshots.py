"""Take the pictures of the docs from the real page and the real command, on the bundled sample.

    python scripts/take_screenshots.py

It needs Chromium and its driver (/usr/bin/chromium, /usr/bin/chromedriver), runs `charthouse demo`,
and writes docs/images/report-*.png and docs/images/show.svg.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.flows.reporting.browser import PHONE, Browser, browser  # noqa: E402

_IMAGES = ROOT / "docs" / "images"
_MOST_BYTES = 300_000
_SHOWN = "N0011"
"""A note of the sample that negates, doubts and remembers."""

_TO_VIEWER = "document.getElementById('documents').scrollIntoView({behavior: 'instant'})"
_OPEN = (
    "[...document.querySelectorAll('#viewer-list li')]"
    ".find(item => item.firstChild.data.endsWith(arguments[0])).click()"
)
_DETAILS = (
    "[...document.querySelectorAll('.viewer-mention')]"
    ".find(mention => mention.textContent === arguments[0]).focus({preventScroll: true})"
)


def main() -> None:
    """Make a warehouse of the sample, its report, and the pictures."""
    parser = argparse.ArgumentParser(description="Take the pictures of the docs.")
    parser.add_argument("--warehouse", type=Path, help="of the sample; made where none is given")
    given = parser.parse_args().warehouse
    _IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        warehouse = given or Path(folder) / "sample.duckdb"
        if given is None:
            _charthouse("demo", "--warehouse", str(warehouse))
        page = Path(folder) / "report.html"
        title = "Bundled sample"
        _charthouse(
            "report", "-w", str(warehouse), "-o", str(page), "--with-text", "--title", title
        )
        _charthouse(
            "show", _SHOWN, "-w", str(warehouse), "--width", "110", "--svg",
            str(_IMAGES / "show.svg"),
        )  # fmt: skip
        with browser() as opened:
            _take(opened, page)


def _take(opened: Browser, page: Path) -> None:
    opened.open(page)
    _save(opened, "report-light")
    opened.width(1280, 1000)
    opened.run(_TO_VIEWER)
    opened.run(_OPEN, _SHOWN)
    opened.run(_DETAILS, "Anxiety")
    opened.run(_TO_VIEWER)
    _save(opened, "report-viewer")
    opened.open(page, dark=True)
    opened.run(
        "document.getElementById('tree').scrollIntoView({behavior: 'instant', block: 'start'})"
    )
    _save(opened, "report-dark")
    opened.open(page)
    opened.width(*PHONE)
    opened.driver.refresh()  # charts take the width there is when they are drawn
    opened.wait("return document.documentElement.dataset.charts === 'drawn'")
    _save(opened, "report-phone")


def _save(opened: Browser, name: str) -> None:
    """Save what is in the window."""
    path = _IMAGES / f"{name}.png"
    size = path.write_bytes(opened.picture())
    if size > _MOST_BYTES:
        sys.exit(f"{path} has {size:,} bytes, more than {_MOST_BYTES:,}")
    print(f"{path.relative_to(ROOT)}: {size / 1000:.0f} kB")


def _charthouse(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    main()
