"""A page of the service in headless Chromium: what a person does on it, and every address that it asks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

PATIENCE = 120_000
"""Milliseconds: how long a step takes is the machine's affair."""
DOWNLOAD = 20_000
"""Milliseconds after which a download that the page handed over is lost: a busy Chromium drops one in a hundred."""
COUNT_DOWNLOADS = """(() => {
  window.handedOver = 0;
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function () { window.handedOver += Boolean(this.download); click.call(this); };
})()"""


@contextmanager
def chromium() -> Iterator:
    """Yield a headless Chromium; the test is skipped without Playwright."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        made = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        made.close()


class Page:
    """A page of the service, and every address that it asked."""

    def __init__(self, browser, address: str, **options) -> None:
        self.context = browser.new_context(accept_downloads=True, **options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.asked: list[str] = []
        self.problems: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self.note)
        self.page.add_init_script(COUNT_DOWNLOADS)
        self.page.goto(address)
        self.page.wait_for_selector("body[data-ready]")

    def note(self, message) -> None:
        if message.type == "error" and "400" not in message.text:
            self.problems.append(message.text)

    def add(self, *files: tuple[str, bytes]) -> None:
        done = int(self.page.get_attribute("body", "data-done") or 0)
        payload = [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in files]
        self.page.set_input_files("#files", payload)
        self.page.wait_for_selector(f'body[data-done="{done + len(files)}"]')

    def saved(self, button: str) -> bytes:
        """Return the file behind a button; one that the page hands over and the browser loses is asked for again."""
        from playwright.sync_api import TimeoutError as LostError

        for _ in range(3):
            before = self.page.evaluate("handedOver")
            try:
                with self.page.expect_download(timeout=DOWNLOAD) as download:
                    self.page.click(button)
                return Path(download.value.path()).read_bytes()
            except LostError:
                assert self.page.evaluate("handedOver") == before + 1
        raise AssertionError("the browser lost three downloads in a row")


def until(tab, condition: str) -> None:
    """Wait for a condition of the page; its security policy forbids Playwright's own way."""
    end = time.monotonic() + PATIENCE / 1000
    while not tab.evaluate(condition):
        assert time.monotonic() < end, condition
        time.sleep(0.05)


def add_head(page: Page) -> None:
    until(page.page, "!!crowdscale.viewer.tool")  # keys do nothing before the tab's tool is there
    page.page.focus("#view")
    page.page.keyboard.press("Shift+ArrowRight")
    page.page.keyboard.press("Enter")
