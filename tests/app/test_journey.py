"""One visit in a real browser to the real server, started in a folder that knows nothing of this repository."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from tests.app.browser import chromium
from xattn.app.why import FEW_EVENTS
from xattn.i18n import t
from xattn.i18n.numbers import figure

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
PATIENCE = 240  # seconds for the model to be fitted on a busy machine that has compiled nothing yet
PROMISED = 5.0  # seconds to the first result on a warm server
START = "import sys; from xattn.app import serve; serve(int(sys.argv[1]))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def server(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that is ready; at the end it is interrupted as by Ctrl-C, and must end cleanly."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(port)],
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


def _wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
    raise AssertionError(f"not ready after {PATIENCE} s: {log.read_text()}")


class Visit:
    """A page in a context of its own that notes what it must not do: fail, complain, ask foreign hosts."""

    def __init__(self, browser: Any, **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "locale": "en-US", **context})
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        self.page.on("request", lambda request: self._note(request.url))

    def _note(self, url: str) -> None:
        if urlparse(url).hostname not in {"localhost", None}:
            self.faults.append(url)

    def open(self, address: str, lang: str = "en") -> float:
        """Open an address of the page; seconds until the first score is on the screen."""
        start = time.monotonic()
        self.page.goto(address)
        score = re.compile(t("recommendations.score", lang, score="").replace("*", "").strip() + " [0-9]")
        self.page.get_by_text(score).first.wait_for()
        return time.monotonic() - start

    def open_first(self, how: str) -> None:
        """Click (or tap) Why this? on the first card. The browser draws parts as it loads them, so wait for all."""
        buttons = self.page.get_by_role("button", name=t("recommendations.why"))
        buttons.nth(9).wait_for()
        getattr(buttons.first, how)()
        self.page.get_by_test_id("stCheckbox").nth(FEW_EVENTS - 1).wait_for()

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
    """Wait until the page has finished what it is doing."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state=running]").wait_for(state="detached")


def test_a_visit(browser: Any, server: str, tmp_path: Path) -> None:
    visit = Visit(browser)
    page = visit.page
    first = [visit.open(f"{server}/?user=42")]
    if first[0] > PROMISED:  # another process may have been in the way
        first.append(visit.open(f"{server}/?user=42"))
    assert min(first) <= PROMISED

    visit.open_first("click")
    label = page.get_by_test_id("stCheckbox").first.locator("label")
    told = re.search(r"without it: (\S+), rank (\d+)", label.inner_text())
    assert told, label.inner_text()
    visit.shoot(tmp_path / "why.png")

    label.click()
    _, announced, rescored = visit.check()
    assert announced == rescored == [told[1], told[2]]
    page.get_by_text(t("why.equal")).wait_for()
    assert t("recommendations.outside", k=10, rank=int(told[2])) in page.get_by_test_id("stMain").inner_text()

    with page.expect_download() as download:
        page.get_by_role("button", name=t("why.json")).click()
    ledger = json.loads(Path(download.value.path()).read_text("utf-8"))
    assert figure(ledger["score"]) == rescored[0]
    assert ledger["rank"] == int(rescored[1])
    with page.expect_download() as download:
        page.get_by_role("button", name=t("why.csv")).click()
    assert len(Path(download.value.path()).read_text("utf-8-sig").splitlines()) == 70  # a header, 69 of the 70 events

    page.get_by_role("radio", name="中文").click()
    page.get_by_role("heading", name=t("recommendations.title", "zh")).wait_for()
    settled(page)
    assert visit.check()[1:] == [announced, rescored]
    permalink = page.url
    params = parse_qs(urlparse(permalink).query)
    assert set(params) == {"user", "model", "k", "without", "item", "lang"}
    assert params["lang"] == ["zh"]
    visit.close()

    other = Visit(browser, color_scheme="dark")
    other.open(permalink, "zh")
    assert other.check()[1:] == [announced, rescored]
    other.page.get_by_text(t("why.equal", "zh")).wait_for()
    other.shoot(tmp_path / "permalink-dark.png")
    other.close()


def test_back_and_forward(browser: Any, server: str) -> None:
    visit = Visit(browser)
    visit.open(server)
    visit.page.get_by_role("link", name=t("app.worked")).click()
    visit.page.get_by_role("heading", name=t("app.worked")).wait_for()
    visit.page.get_by_role("link", name=t("app.recommendations")).click()
    visit.open_first("click")
    visit.page.wait_for_url("**item=**")
    boxes = visit.page.get_by_test_id("stCheckbox")
    visit.page.go_back()
    boxes.first.wait_for(state="detached")
    assert "item=" not in visit.page.url
    visit.page.go_forward()
    boxes.first.wait_for()
    visit.page.go_back()
    boxes.first.wait_for(state="detached")
    visit.page.go_back()
    visit.page.get_by_role("heading", name=t("app.worked")).wait_for()
    visit.close()


def test_a_phone(browser: Any, server: str, tmp_path: Path) -> None:
    visit = Visit(browser, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    visit.open(f"{server}/?user=42")
    visit.open_first("tap")
    settled(visit.page)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390, "nothing hangs over the side"
    visit.shoot(tmp_path / "phone.png")
    visit.close()


@pytest.mark.parametrize(
    "query", ["user=nobody", "k=x", "model=__import__", "item=%00", "without=%3Cscript%3E", "lang=fr"]
)
def test_a_bad_address_is_no_dead_end(browser: Any, server: str, query: str) -> None:
    visit = Visit(browser)
    visit.open(f"{server}/?{query}")
    main = visit.page.locator("body").inner_text()
    assert f"{query.partition('=')[0]} in the address must " in main
    assert "Traceback" not in main
    visit.close()
