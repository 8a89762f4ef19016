"""A real browser for the page: chromium through selenium; missing, a skip, but a failure in CI."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from convcheck.visualizer.page import build_page

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip
WAIT_S = 30.0
STARTS = 3


def _missing(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing, and CI must not leave out the browser tests")
    pytest.skip(f"{what} is missing: the page is not tried in a browser")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One chromium for all tests, with a profile of its own and its logs kept."""
    try:
        from selenium import webdriver
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
    except ImportError:
        _missing("selenium")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    chromedriver = shutil.which("chromedriver")
    for path, name in ((chromium, "chromium"), (chromedriver, "chromedriver")):
        if path is None:
            _missing(name)
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = _started(lambda: webdriver.Chrome(options=options, service=Service(chromedriver)))
    try:
        yield driver
    finally:
        driver.quit()


def _started(start: Callable[[], Any]) -> Any:
    """The browser; a start that a busy machine let run out of time is tried again."""
    from selenium.common.exceptions import SessionNotCreatedException

    for _ in range(STARTS - 1):
        try:
            return start()
        except SessionNotCreatedException as error:
            print(f"chromium did not start, trying again: {error.msg}")
    return start()


class Page:
    """A page in the browser: what the tests do with it and read from it."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser = browser
        self.path = path

    def open(self, fragment: str = "") -> None:
        """Loads the page afresh with a fragment."""
        self.browser.get("about:blank")
        self.browser.get_log("browser")
        self.browser.get_log("performance")
        self.browser.get(f"file://{self.path}{fragment}")

    def go(self, fragment: str) -> None:
        """Changes the fragment, as a link on the page would, and waits until it is drawn."""
        self.visit([fragment], "null")

    def visit(self, fragments: list[str], read: str) -> list[Any]:
        """What the expression `read` gives after each of the fragments."""
        return self.browser.execute_async_script(
            f"""
            const [fragments, done] = arguments;
            const found = [];
            const next = () => {{
              if (found.length === fragments.length) return done(found);
              const seen = () => {{ found.push({read}); next(); }};
              addEventListener("hashchange", seen, {{ once: true }});
              location.hash = fragments[found.length];
            }};
            next();
            """,
            fragments,
        )

    def resize(self, width: int, height: int = 900) -> None:
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def prefer(self, **features: str) -> None:
        """Emulates media features, such as prefers_color_scheme="dark"."""
        listed = [{"name": n.replace("_", "-"), "value": v} for n, v in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": listed})

    def run(self, script: str, *arguments: Any) -> Any:
        return self.browser.execute_script(script, *arguments)

    def until(self, script: str, *arguments: Any) -> Any:
        """The value of `script` once it is true."""
        ends = time.monotonic() + WAIT_S
        while True:
            value = self.run(script, *arguments)
            if value:
                return value
            assert time.monotonic() < ends, f"never true: {script}"
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        """The text of the first visible element."""
        return self.run(
            "const all = [...document.querySelectorAll(arguments[0])];"
            "return (all.find((one) => one.checkVisibility()) ?? all[0])?.textContent ?? ''",
            selector,
        )

    def keys(self, *names: str) -> None:
        """Presses keys with the focus on the page's current drawing."""
        from selenium.webdriver import ActionChains

        self.run(
            "document.activeElement?.blur(); [...document.querySelectorAll("
            "'svg[tabindex=\"0\"]')].find((one) => one.checkVisibility()).focus()"
        )
        chain = ActionChains(self.browser)
        for name in names:
            chain.send_keys(name)
        chain.perform()

    def hover(self, selector: str, row: float, column: float, rows: int, columns: int) -> None:
        """Moves the real pointer over a cell of a grid of rows x columns cells."""
        from selenium.webdriver import ActionChains

        element = next(
            one
            for one in self.browser.find_elements("css selector", selector)
            if one.is_displayed()
        )
        self.run("arguments[0].scrollIntoView({ block: 'center' })", element)
        margin, width, height = self.run(
            "const cell = arguments[0].querySelector('.cell');"
            "const scale = arguments[0].getBoundingClientRect().width /"
            "  arguments[0].viewBox.baseVal.width;"
            "const box = arguments[0].getBoundingClientRect();"
            "return [cell.x.baseVal.value * scale, box.width, box.height]",
            element,
        )
        x = margin + (column + 0.5) * (width - 2 * margin) / columns - width / 2
        y = margin + (row + 0.5) * (height - 2 * margin) / rows - height / 2
        ActionChains(self.browser).move_to_element_with_offset(element, int(x), int(y)).perform()

    def complaints(self) -> list[str]:
        """What the console holds since the page was opened."""
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses asked for since the page was opened."""
        events = [json.loads(entry["message"]) for entry in self.browser.get_log("performance")]
        return [
            event["message"]["params"]["request"]["url"]
            for event in events
            if event["message"]["method"] == "Network.requestWillBeSent"
        ]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """`opened(fragment, **what the page holds)`: the page, opened; its console must stay empty."""
    pages = []

    def build(fragment: str = "", *, html: str | None = None, **given: Any) -> Page:
        path = tmp_path / f"page{len(pages)}.html"
        path.write_text(html if html is not None else build_page(**given), encoding="utf-8")
        page = Page(browser, path)
        page.resize(1024)
        page.prefer()
        page.open(fragment)
        pages.append(page)
        return page

    yield build
    for page in pages[-1:]:
        assert page.complaints() == []
