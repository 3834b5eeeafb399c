"""A visit to the pages in a real browser: the real server, started in a folder that knows nothing of this project."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from tests.ports import free_port
from xattn.app.recommend.view import FEW_EVENTS, TABS
from xattn.i18n import t

__all__ = ["START", "Visit", "serving", "serving_at", "settled"]

ROOT = Path(__file__).parents[2]
PATIENCE = 240  # seconds for the model to be fitted on a busy machine that has compiled nothing yet
SLOW = 90  # seconds for any one thing on the page, on a busy machine
START = "import sys; from xattn.app import serve; serve(int(sys.argv[1]))"


@contextmanager
def serving(folder: Path, start: str = START) -> Iterator[str]:
    """The address of a server that is ready; at the end it is interrupted as by Ctrl-C, and must end cleanly."""
    port = free_port()
    log = folder / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", start, str(port)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(port, process, log)
        assert f"http://localhost:{port}" in log.read_text(), "the address is printed"
        yield f"http://localhost:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        said = log.read_text()
        assert said.endswith("Stopped.\n")
        assert "Traceback" not in said
    finally:
        process.kill()
        process.wait()


@contextmanager
def serving_at(address: str | None, start: str = START) -> Iterator[str]:
    """The server at `address`, or one of our own that the program `start` starts."""
    if address:
        yield address
        return
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), start) as own:
        yield own


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/readyz", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"not ready after {PATIENCE} s: {log.read_text()}")


class Visit:
    """A page in a context of its own that notes what it must not do: fail, complain, ask foreign hosts."""

    def __init__(self, browser: Any, **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **context})
        self.context.set_default_timeout(1000 * SLOW)
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("request", lambda request: self._note(request.url))

    def _hear(self, said: Any) -> None:
        """Note errors."""
        if said.type == "error":
            self.faults.append(said.text)

    def _note(self, url: str) -> None:
        if urlparse(url).hostname not in {"localhost", None}:
            self.faults.append(url)

    @property
    def lines(self) -> Any:
        """The lines of the list of recommendations."""
        return self.page.locator("[class*=st-key-rec_why_] button")

    def open(self, address: str) -> float:
        """Open an address of the recommendations; seconds until the first reason is on the screen."""
        start = time.monotonic()
        self.page.goto(address)
        self.lines.first.wait_for()
        return time.monotonic() - start

    def tab(self, name: str, lang: str = "en") -> None:
        """Open a tab of the explanation."""
        tab = self.page.get_by_role("tab", name=t(TABS[name], lang), exact=True)
        tab.click()
        self.page.wait_for_function(
            "name => document.querySelector('[role=tab][aria-selected=true]').innerText.trim() === name",
            arg=t(TABS[name], lang),
        )
        settled(self.page)

    def turn_to(self, address: str, title: str) -> Any:
        """Open any address; the page, when its title stands there and nothing runs any more."""
        self.page.goto(address)
        self.page.get_by_role("heading", name=title, level=1).wait_for()
        settled(self.page)
        return self.page

    def press(self, key: str, shown: Any) -> None:
        """Press a key until what it calls stands there: one that comes while the page is drawn anew is lost."""
        for _ in range(3):
            settled(self.page)
            if shown.is_visible():
                return
            self.page.keyboard.press(key)
            for _ in range(10):
                self.page.wait_for_timeout(500)
                if shown.is_visible():
                    break
        shown.wait_for()

    def open_first(self, how: str) -> None:
        """Click (or tap) the first line, then what if. The browser draws parts as it loads them, so wait for all."""
        self.lines.nth(9).wait_for()
        settled(self.page)
        getattr(self.lines.first, how)()
        self.page.locator(".st-key-rec_close").wait_for()
        self.tab("whatif")
        self.boxes.nth(FEW_EVENTS - 1).wait_for()

    @property
    def boxes(self) -> Any:
        """The events that can be unticked beside the list."""
        return self.page.locator(".st-key-rec_boxes").get_by_test_id("stCheckbox")

    def check(self) -> list[list[str]]:
        """Score and rank: with the event, announced without it, re-scored without it."""
        rows = self.page.get_by_test_id("stTable").locator("tbody tr")
        rows.nth(2).wait_for()
        return [[cell.inner_text() for cell in rows.nth(row).locator("td").all()[-2:]] for row in range(3)]

    def shoot(self, path: Path) -> None:
        """Keep a picture of the whole page."""
        size = self.page.viewport_size
        height = self.page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
        self.page.set_viewport_size({"width": size["width"], "height": min(height + 50, 6000)})
        self.page.wait_for_timeout(800)
        self.page.screenshot(path=path)
        self.page.set_viewport_size(size)

    def close(self) -> None:
        assert not self.faults
        self.context.close()


def settled(page: Any) -> None:
    """Wait until the page has finished what it is doing: twice, as a busy machine may take a while to begin."""
    for _ in range(2):
        page.wait_for_timeout(300)
        page.locator("[data-test-script-state=running]").wait_for(state="detached")
