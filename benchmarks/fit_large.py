"""Time and peak memory of fits to a million events: 6,000 people, 3,400 items, made up.

    python benchmarks/fit_large.py [--events N] [--models closed,full]

The data is that of `xattn.bench.made_up`. Each model is fitted in a process of its own, so that the peak is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable

from xattn import CollaborativeAttention, HybridAttention
from xattn.bench.made_up import made_up
from xattn.recommenders import Recommender

MODELS: dict[str, Callable[[], Recommender]] = {
    "closed": CollaborativeAttention,
    "full": lambda: HybridAttention(learned="always"),
}


def run(name: str, events: int) -> None:
    """Fit one model and print a line."""
    data = made_up(events)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    model = MODELS[name]()
    begun = time.perf_counter()
    said: dict[str, float] = {}

    def progress(what: str, share: float) -> None:
        if share >= said.get(what, -1.0) + 0.1:
            said[what] = share
            print(f"  {time.perf_counter() - begun:6.1f} s  {what} {share:.0%}", file=sys.stderr, flush=True)

    model.fit(data, progress=progress)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name}: {data.n_events:,} events, {seconds:.1f} s, peak {peak:,.0f} MB (data alone {before:,.0f} MB)")
    for epoch in getattr(model, "epochs_", []):
        print(f"  epoch {epoch.number}: loss {epoch.loss:.3f}, held out {epoch.validation:.4f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--models", default="closed,full")
    choice = parser.parse_args()
    for chosen in choice.models.split(","):
        process = multiprocessing.get_context("spawn").Process(target=run, args=(chosen, choice.events))
        process.start()
        process.join()
