"""A real browser for pages of a file: what it drew, said and asked for."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)
_LOCAL = ("file:", "data:", "blob:")
_WAIT_SECONDS = 30.0

PHONE = (390, 844)


class Browser:
    """An open browser. Chromium for the web driver, with what tests ask of it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})

    def open(self, page: Path, *, dark: bool = False) -> None:
        """Open a page anew and wait until its charts are drawn."""
        self.width(1280, 900)
        self.emulate_dark(dark)
        self.driver.get("about:blank")
        self.console()  # of the page before
        self.requests()
        self.driver.get(page.as_uri())
        self.wait("return document.documentElement.dataset.charts === 'drawn'")

    def emulate_dark(self, dark: bool) -> None:
        """Say that the system's colours are dark, or light."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}  # nothing moves under clicks
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme, still]})

    def width(self, width: int, height: int) -> None:
        """Set the size of the window's inside, in CSS pixels."""
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """What JavaScript returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str) -> None:
        """Wait until JavaScript returns something true."""
        WebDriverWait(self.driver, _WAIT_SECONDS, 0.05).until(
            lambda driver: driver.execute_script(script), message=script
        )

    def console(self) -> list[str]:
        """What the console said since it was last asked, errors and warnings."""
        return [f"{entry['level']}: {entry['message']}" for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses beyond the file itself that were asked for since this was last asked."""
        events = [
            json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")
        ]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
            and not event["params"]["request"]["url"].startswith((*_LOCAL, "about:"))
        ]

    def pdf(self) -> bytes:
        """The page as it is printed."""
        printed = self.driver.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        return base64.b64decode(printed["data"])

    def picture(self) -> bytes:
        """What is in the window, as PNG."""
        return bytes(self.driver.get_screenshot_as_png())


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own, closed and removed at the end.

    Skips where Chromium is not there: nothing is downloaded.
    """
    for program in (CHROMIUM, DRIVER):
        if not Path(program).exists():
            pytest.skip(f"{program} is not installed")
    profile = tempfile.mkdtemp(prefix="charthouse-browser-")
    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
