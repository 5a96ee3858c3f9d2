"""A real headless Chromium whose every request is written down: a test fails when one leaves this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, ConsoleMessage, Page, sync_playwright

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
AT_HOME = ("127.0.0.1", "localhost", "[::1]")
DESK, PHONE = {"width": 1360, "height": 850}, {"width": 390, "height": 780}


@dataclass
class Watch:
    """What a page asked for and complained about."""

    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """Requests that would leave this machine."""
        return [
            url
            for url in self.requests
            if not url.startswith(("file:", "data:", "blob:", "about:")) and urlsplit(url).hostname not in AT_HOME
        ]

    def on(self, context: BrowserContext) -> None:
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("page", self._on_page)

    def _on_page(self, page: Page) -> None:
        page.on("console", self._on_word)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("websocket", lambda socket: self.requests.append(socket.url))

    def _on_word(self, said: ConsoleMessage) -> None:
        # how fast the processor draws in place of a graphics card is no fault of a page
        if said.type in ("error", "warning") and "GL Driver Message" not in said.text:
            self.complaints.append(said.text)


@pytest.fixture(scope="session")
def chromium() -> Iterator[BrowserType]:
    """What starts browsers: one for the whole run of a process."""
    with sync_playwright() as playwright:
        yield playwright.chromium


def started(chromium: BrowserType, *switches: str) -> Browser:
    """Headless Chromium from CHROMIUM or the system; the test is skipped, saying so, where there is none."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not program or not Path(program).exists():
        pytest.skip("no Chromium here (install the package chromium, or set CHROMIUM to the program)")
    return chromium.launch(executable_path=program, args=[*ARGUMENTS, *switches])


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """The browser of most tests."""
    found = started(chromium)
    yield found
    found.close()


@pytest.fixture
def watch() -> Iterator[Watch]:
    """The record of this test's pages; checked when the test is over."""
    record = Watch()
    yield record
    assert record.outside == [], "a page asked another machine"
    assert record.complaints == [], "the console shows errors"


@pytest.fixture
def page(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A watched page of a desk's size."""
    context = browser.new_context(viewport=DESK, locale="zh-CN")
    watch.on(context)
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(browser: Browser, watch: Watch) -> Iterator[Page]:
    """A watched page of a telephone's size, touched instead of pointed at."""
    context = browser.new_context(viewport=PHONE, locale="zh-CN", is_mobile=True, has_touch=True, device_scale_factor=2)
    watch.on(context)
    yield context.new_page()
    context.close()


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Page, str], Path]:
    """Take a picture for a person to look at: into RIVERGIS_SCREENSHOTS, else into the test's own folder."""
    folder = Path(os.environ.get("RIVERGIS_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> Path:
        page.screenshot(path=folder / f"{name}.png")
        return folder / f"{name}.png"

    return take
