"""Headless Chromium, and what a person does with the page in it."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.deadlines import wait_until

PROGRAMS = ("chromium", "chromedriver")

# `make page` puts it there.
AXE = Path(sys.prefix) / "axe" / "node_modules" / "axe-core" / "axe.min.js"

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
    "--force-prefers-reduced-motion",
)


def missing() -> str:
    """Say what is not installed; '' when all is there."""
    absent = [program for program in PROGRAMS if not shutil.which(program)]
    try:
        import selenium  # noqa: F401
    except ImportError:
        absent.append("selenium")
    if not AXE.exists():
        absent.append("axe-core")
    return ", ".join(absent)


needs_browser = pytest.mark.skipif(
    bool(missing()) and os.environ.get("ZK_TEST_PAGE", "0") in ("", "0"),
    reason=f"make test-page installs what is missing: {missing()}",
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Run Chromium as Selenium's driver, with a temporary profile of its own."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(prefix="zc.zk-browser-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or ""
        for option in (*OPTIONS, f"--user-data-dir={profile}"):
            options.add_argument(option)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
        try:
            yield driver
        finally:
            driver.quit()


class Browser:
    """A person who uses the page and sees it."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, path: str = "") -> None:
        self.driver.get("about:blank")
        self.driver.get(self.url + (f"#{path}" if path else ""))

    def find(self, selector: str) -> list[Any]:
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that are in sight."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])]"
            ".filter((each) => each.checkVisibility()).map((each) => each.textContent)",
            selector,
        )

    def wait_for(self, selector: str, text: str, seconds: float = 10) -> None:
        wait_until(
            lambda: any(text in each for each in self.texts(selector)),
            lambda: f"{text!r} in {selector}: {self.texts(selector)}",
            seconds,
        )

    def wait_until_gone(self, selector: str, text: str) -> None:
        wait_until(
            lambda: not any(text in each for each in self.texts(selector)),
            f"no {text!r} in {selector}",
        )

    def click(self, selector: str, text: str = "") -> None:
        for each in self.find(selector):
            if text in each.text:
                each.click()
                return
        raise AssertionError(f"no {text!r} in {selector}: {self.texts(selector)}")

    def complaints(self) -> list[str]:
        """Return the browser's log: scripts that were blocked, errors in ours."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def findings(self) -> list[str]:
        """Have axe look at the page as it is, and return what it finds."""
        self.driver.execute_script(AXE.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => done("
            "  violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) =>"
            "    `${id}: ${html.slice(0, 300)} ${failureSummary}`))),"
            "  (fault) => done([String(fault)]));"
        )
        return [str(each) for each in found]

    def press(self, *keys: str) -> None:
        """Press keys, by their names or characters, where the focus is."""
        from selenium.webdriver.common.keys import Keys

        for key in keys:
            self.driver.switch_to.active_element.send_keys(getattr(Keys, key, key))

    def focused(self) -> str:
        """Return the text of what has the focus."""
        return str(self.driver.execute_script("return document.activeElement.textContent"))

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return {script}", *arguments)

    def screenshot(self, file: str) -> None:
        self.driver.save_screenshot(file)

    def resize(self, width: int, height: int) -> None:
        """Have the page be of this size, in pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def prefer(self, scheme: str) -> None:
        """Set a preference like 'dark' or 'light' colours, or '' for none."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
