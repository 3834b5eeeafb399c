"""How fast a store takes events in, and how fast lists with ten ledgers go out; in process and over loopback.

    PYTHONPATH=. python benchmarks/live_speed.py [--items 10000] [--store sqlite:///FILE] [--seconds 20] [--learned]

With --learned the model has deep heads, trained for a minute: how good they are does not matter here. Made-up people
and items; nothing is kept. Every event is acknowledged, so durable, before it is counted. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import threading
import time
from typing import Any

import numpy as np

from tests.live.stage import served
from xattn.bench.made_up import made_up
from xattn.live import Live, Plan, open_store
from xattn.live.client import Client
from xattn.recommenders import HybridAttention
from xattn.serve import Limits, make_app


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    return {f"p{q}_ms": round(float(np.quantile(seconds, q / 100)) * 1e3, 2) for q in (50, 95, 99)}


def rate(count: int, work: Any) -> float:
    """How many a second."""
    start = time.perf_counter()
    work()
    return round(count / (time.perf_counter() - start))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--store")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--learned", action="store_true")
    given = parser.parse_args()
    data = made_up(200_000, users=2_000, items=given.items, features=True)
    rng = np.random.default_rng(0)
    ids = data.items.ids
    found: dict[str, Any] = {"items": given.items}
    with tempfile.TemporaryDirectory() as folder:
        url = given.store or f"sqlite:///{folder}/events.db"
        learned: dict[str, Any] = {"learned": "always", "fit_minutes": 1.0} if given.learned else {"learned": "never"}
        model = HybridAttention(**learned).fit(data)
        found["alpha"] = model.alpha_
        with open_store(url) as store, Live(store, model=model, plan=Plan(solve_after=0, in_process=True)) as live:

            def event(name: str) -> dict[str, Any]:
                return {"id": name, "user": f"u{rng.integers(500)}", "item": ids[rng.integers(len(ids))]}

            batches = [[event(f"b{b}-{i}") for i in range(500)] for b in range(40)]
            found["events_per_second_in_batches"] = rate(20_000, lambda: [live.add(batch) for batch in batches])
            singles = [[event(f"s{n}")] for n in range(1_500)]
            found["events_per_second_single"] = rate(1_500, lambda: [live.add(one) for one in singles])
            live.warm()

            def lists(seconds: float) -> list[float]:
                times, end = [], time.perf_counter() + seconds
                while time.perf_counter() < end:
                    user = data.user_ids[rng.integers(data.n_users)]
                    start = time.perf_counter()
                    live.recommend(user)
                    times.append(time.perf_counter() - start)
                    time.sleep(0.005)
                return times

            found["lists_in_process"] = quantiles(lists(given.seconds))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            with served(make_app(live, keys=False, limits=Limits(rate=1e6, burst=1e6))) as address:
                client = Client(address)
                times = []
                start = time.perf_counter()
                for n in range(int(given.seconds * 50)):  # 50 a second
                    time.sleep(max(0.0, start + n / 50 - time.perf_counter()))
                    begun = time.perf_counter()
                    client.recommend(data.user_ids[rng.integers(data.n_users)])
                    times.append(time.perf_counter() - begun)
                found["lists_over_http_at_50_a_second"] = quantiles(times)
            solving = threading.Thread(target=live.solve)
            solving.start()
            times = []
            while solving.is_alive():
                times += lists(0.5)
            found["lists_while_solving"] = quantiles(times)
            found["memory_growth_mb"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
