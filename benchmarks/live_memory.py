"""Memory of a server under mixed load over HTTP: events, lists, explanations, feedback, settings, previews.

    PYTHONPATH=. python benchmarks/live_memory.py [--minutes 10]

Made-up people and items; nothing is kept. Prints JSON: memory (MB) each half minute, and the slope of its second half.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.live.stage import served
from xattn.bench.made_up import made_up
from xattn.live import Live, Plan, open_store
from xattn.live.client import Client
from xattn.recommenders import HybridAttention
from xattn.serve import Limits, make_app

EACH = 30.0  # seconds between two looks


def memory() -> float:
    """Resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Load, look, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    data = made_up(100_000, users=1_000, items=3_000, features=True)
    rng, ids = np.random.default_rng(0), data.items.ids
    model = HybridAttention(learned="never").fit(data)
    seen, calls = [], 0
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(f"sqlite:///{folder}/events.db") as store,
        Live(store, model=model, plan=Plan(solve_after=0)) as live,
        served(make_app(live, keys=False, limits=Limits(rate=1e6, burst=1e6))) as address,
    ):
        client = Client(address)
        start = time.perf_counter()
        while time.perf_counter() - start < 60 * given.minutes:
            user = f"u{rng.integers(300)}"
            batch = [{"id": f"{calls}-{i}", "user": user, "item": ids[rng.integers(len(ids))]} for i in range(3)]
            client.send(batch)
            found = client.recommend(user)
            first = found["items"][0]["item"]
            if calls % 10 == 0:
                client.why(found["list_id"], first)
            if calls % 5 == 0:
                said = {"id": f"f{calls}", "user": user, "kind": "not_interested", "item": first}
                client._call("POST", "/feedback", said)
            if calls % 200 == 0:
                client.forget(user)
            calls += 1
            if time.perf_counter() - start > EACH * (len(seen) + 1):
                seen.append(round(memory(), 1))
    late = np.array(seen[len(seen) // 2 :])
    slope = float(np.polyfit(np.arange(len(late)) * EACH / 60, late, 1)[0]) if len(late) > 1 else None
    print(
        json.dumps(
            {"minutes": given.minutes, "rounds": calls, "memory_mb": seen, "mb_a_minute_in_the_second_half": slope}
        )
    )


if __name__ == "__main__":
    main()
