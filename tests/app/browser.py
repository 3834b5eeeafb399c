"""A real browser for the tests that click: Debian's Chromium (or any other) driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

__all__ = ["chromium", "found_chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = [  # nothing of the browser's own goes out to the network
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def found_chromium() -> str | None:
    """The path of a Chromium: XATTN_CHROMIUM, else the first on the PATH."""
    return os.environ.get("XATTN_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser with a fresh profile; the test is skipped, and says why, where there is none."""
    path = found_chromium()
    if path is None:
        pytest.skip(f"NO BROWSER: none of {', '.join(NAMES)} is on the PATH and XATTN_CHROMIUM is not set")
    playwright = pytest.importorskip("playwright.sync_api", reason="NO BROWSER: playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()
