"""A large table dropped on the page "Your data": seconds until its first explained recommendation, and the memory.

    python benchmarks/pages_upload.py --events 1000000      # time, from the drop to "why this?"
    python benchmarks/pages_upload.py --megabytes 200       # memory of the server, at its highest

The table has the shape of a set of film ratings: few people with many events, few items with most of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.app.browser import chromium
from tests.app.visit import Visit, serving
from xattn.files import write_file
from xattn.i18n import t

BLOCK = 100_000  # lines that are written at one time


def table(path: Path, events: int, megabytes: float, items: int) -> int:
    """Write so many events, or as many as fit into that size, which the page still takes; returns how many."""
    rng = np.random.default_rng(0)
    users = max(10, events // 150) if events else 60_000
    blocks, size, written = ["user,item,rating,timestamp\n"], 0, 0
    while written < events or size + len(blocks[-1]) < megabytes * 10**6:
        n = min(BLOCK, events - written) if events else BLOCK
        who = rng.integers(0, users, n)
        what = np.minimum(rng.zipf(1.25, n) - 1, rng.integers(0, items, n))
        rating = rng.integers(1, 11, n) / 2
        when = 1_500_000_000 + rng.integers(0, 10**8, n)
        wide = "x" * 40 if megabytes else ""  # ids as long as those of web logs
        lines = [
            f"u{wide}{u},i{i},{r},{s}"
            for u, i, r, s in zip(who.tolist(), what.tolist(), rating.tolist(), when.tolist(), strict=True)
        ]
        blocks.append("\n".join(lines) + "\n")
        size += len(blocks[-1])
        written += n
    write_file(path, "".join(blocks))
    return written


def children() -> list[int]:
    """The processes that this one has started."""
    return [int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()]


def peak(pid: int) -> float:
    """The most memory that a process has held, in megabytes."""
    line = next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def visit(browser: Any, server: str, path: Path, fit: bool) -> dict[str, float]:
    """Seconds from the drop to each step."""
    seen = Visit(browser)
    seen.context.set_default_timeout(600_000)
    page = seen.turn_to(f"{server}/data", t("mine.title"))
    start, at = time.perf_counter(), {}
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name=t("mine.fit")).wait_for()
    at["read"] = time.perf_counter() - start
    if fit:
        page.get_by_role("button", name=t("mine.fit")).click()
        page.get_by_role("button", name=t("mine.go")).wait_for()
        at["fitted"] = time.perf_counter() - start
        page.get_by_role("button", name=t("mine.go")).click()
        page.locator("[class*=st-key-rec_why_] button").first.click()
        page.locator(".st-key-rec_close").wait_for()
        at["explained"] = time.perf_counter() - start
    seen.context.close()
    return at


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--megabytes", type=float, default=0)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--fit", action="store_true", help="with --megabytes: fit and explain as well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        process = children()[0]
        path = Path(folder) / "large.csv"
        events = table(path, asked.events, asked.megabytes, asked.items)
        print(f"{events:,} events, {path.stat().st_size / 10**6:.0f} MB; before: {peak(process):,.0f} MB", flush=True)
        with chromium() as browser:
            for step, seconds in visit(browser, server, path, not asked.megabytes or asked.fit).items():
                print(f"{step}: {seconds:.1f} s", flush=True)
        print(f"most memory of the server: {peak(process):,.0f} MB")


if __name__ == "__main__":
    main()
