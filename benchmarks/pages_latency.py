"""From a control to the updated page, measured in a browser: every control of the pages many times over.

    python benchmarks/pages_latency.py [--times 20] [--address http://localhost:8501] [--learned]

Without an address it starts a server of its own. With --learned its model has deep heads, as in `deep_speed.py`, and
the lab is left out, which has no report of it. For each control it prints the median and the 95th percentile of the
milliseconds from the click to the end of the run that it causes, drawing included, and the seconds from opening the
first page to the first explained recommendation, warm. Ends with 1 over the bars.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.app.browser import chromium
from tests.app.visit import START, serving_at

MEDIAN, P95, OPENING = 300.0, 800.0, 3.0  # ms, ms, s
DEEP = """import sys; from benchmarks import deep_speed; from xattn import load_dataset; from xattn.app import serve
serve(int(sys.argv[1]), model=deep_speed.learned().fit(load_dataset("movielens-small")))"""
QUIET = 40  # ms without a change of the page that end an update
# Ends when the script has run and nothing on the page has changed for a moment; says when the last change was.
WATCH = """(quiet) => new Promise(done => {
  const start = performance.now(); let last = start;
  const seen = new MutationObserver(() => { last = performance.now(); });
  seen.observe(document.querySelector('[data-testid=stApp]'),
               {subtree: true, childList: true, characterData: true, attributes: true});
  const ask = () => {
    const app = document.querySelector('[data-testid=stApp]');
    const now = performance.now();
    const idle = app.dataset.testScriptState !== 'running' && last > start && now - last > quiet;
    if (idle || now - start > 20000) { seen.disconnect(); done(last - start); } else { setTimeout(ask, 5); }
  };
  setTimeout(ask, 5);
})"""


def controls(page: Any, server: str, learned: bool) -> Iterator[tuple[str, Callable[[int], None]]]:
    """(name, what to do the n-th time) of each control, the page opened where it stands."""

    def opened(path: str, wait: str) -> None:
        page.goto(server + path)
        page.locator(wait).first.wait_for()
        page.wait_for_timeout(2500)

    def click(selector: str) -> Callable[[int], None]:
        return lambda n: page.locator(selector).first.click()

    def tick(n: int) -> None:
        page.get_by_test_id("stCheckbox").nth(n // 2 % 4).locator("label").click()

    opened("/recommendations?user=42&item=91542&tab=whatif", "[data-testid=stCheckbox]")
    yield "recommendations: untick an event", tick
    opened("/recommendations?user=42&item=91542", "[class*=st-key-rec_pane] table")
    yield "recommendations: depth of the words", lambda n: page.get_by_role("radio", name=DEPTHS[n % 2]).click()
    opened("/recommendations?user=42", "[class*=st-key-rec_why]")
    yield "recommendations: open and close a reason", click("[class*=st-key-rec_why_] button")
    opened("/worked?step=2", ".katex")
    yield "lesson: temperature", lambda n: page.get_by_test_id("stNumberInputStepUp").first.click()
    yield "lesson: next and back", lambda n: page.keyboard.press("ArrowRight" if n % 2 == 0 else "ArrowLeft")
    yield "lesson: choose an event", lambda n: page.get_by_role("radio", name=f"k{n % 3 + 1}").click()
    opened("/?films=1*260_5~1270_5~589_4", "[class*=st-key-front_prove]")
    yield "films: stars", lambda n: page.get_by_test_id("stFeedback").nth(2).get_by_role("radio").nth(n % 4).click()
    opened("/behaviour", "[data-testid=stVegaLiteChart]")
    yield "vectors: temperature", lambda n: page.get_by_test_id("stNumberInputStepUp").first.click()
    if learned:
        return  # the lab has no report of a model that was given
    opened("/lab", "[data-testid=stVegaLiteChart]")
    yield "lab: protocol", lambda n: page.get_by_role("radio", name=PROTOCOLS[n % 2]).click()


DEPTHS = ("A clause", "A sentence")
PROTOCOLS = ("random fifth", "next item")


def measured(page: Any, do: Callable[[int], None], times: int) -> list[float]:
    """Milliseconds of each time; the first two are left out."""
    found = []
    for n in range(times + 2):
        handle = page.evaluate_handle(f"() => ({{wait: ({WATCH})({QUIET})}})")
        do(n)
        found.append(float(page.evaluate("async (h) => await h.wait", handle)))
        page.wait_for_timeout(60)
    return found[2:]


def opening(browser: Any, server: str) -> float:
    """Seconds from a bare address to the first explained recommendation."""
    page = browser.new_page()
    start = time.perf_counter()
    page.goto(f"{server}/recommendations")
    page.locator("[class*=st-key-rec_why_] button").first.wait_for()
    seconds = time.perf_counter() - start
    page.close()
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20, help="how often each control is used")
    parser.add_argument("--address", help="a server that is running already")
    parser.add_argument("--learned", action="store_true", help="serve a model with deep heads")
    asked = parser.parse_args()
    if asked.learned and asked.address:
        parser.error("--learned starts a server of its own, --address names another")
    everything: list[float] = []
    with serving_at(asked.address, DEEP if asked.learned else START) as server, chromium() as browser:
        opening(browser, server)
        seconds = statistics.median(opening(browser, server) for _ in range(3))
        print(f"{'opening to the first reason':44} {seconds:8.2f} s", flush=True)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
        for name, do in controls(page, server, asked.learned):
            times = sorted(measured(page, do, asked.times))
            everything += times
            print(f"{name:44} median {statistics.median(times):6.0f} ms   p95 {p95(times):6.0f} ms", flush=True)
    median, high = statistics.median(everything), p95(sorted(everything))
    print(f"{'all controls':44} median {median:6.0f} ms   p95 {high:6.0f} ms")
    print(f"bars: opening {OPENING:g} s, median {MEDIAN:g} ms, p95 {P95:g} ms")
    return int(seconds > OPENING or median > MEDIAN or high > P95)


def p95(ordered: list[float]) -> float:
    """The 95th percentile of ordered numbers."""
    return ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]


if __name__ == "__main__":
    sys.exit(main())
