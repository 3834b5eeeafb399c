"""Time and peak memory of fits to a million events: 6,000 people, 3,400 items, made up.

    python benchmarks/fit_large.py [--events N] [--models closed,full]

Popularity falls as a power law; what comes next depends on what was done in the last few events. Each model is fitted
in a process of its own, so that the peak is its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from xattn import CollaborativeAttention, HybridAttention, Interactions, ItemTable
from xattn.recommenders import Recommender

USERS, ITEMS, GROUPS = 6_000, 3_400, 60
MODELS: dict[str, Callable[[], Recommender]] = {
    "closed": CollaborativeAttention,
    "full": lambda: HybridAttention(learned="always"),
}


def made_up(events: int, seed: int = 0) -> Interactions:
    """Histories of log-normal lengths; half of the events stay in the group of a recent one."""
    rng = np.random.default_rng(seed)
    lengths = np.exp(rng.normal(0.0, 0.9, USERS))
    lengths = np.maximum(5, lengths * events / lengths.sum()).astype(int)
    share = 1.0 / np.arange(1, ITEMS + 1) ** 0.8
    group = rng.integers(0, GROUPS, ITEMS)
    members = [np.flatnonzero(group == g) for g in range(GROUPS)]
    within = [share[m] / share[m].sum() for m in members]
    item = rng.choice(ITEMS, lengths.sum(), p=share / share.sum())
    stays, back = rng.random(len(item)) < 0.5, rng.integers(1, 5, len(item))
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    start = np.repeat(indptr[:-1], lengths)
    for at in np.flatnonzero(stays).tolist():
        if at - back[at] >= start[at]:
            g = group[item[at - back[at]]]
            item[at] = rng.choice(members[g], p=within[g])
    table = ItemTable.bare(tuple(str(j) for j in range(ITEMS)))
    return Interactions("made up", tuple(str(u) for u in range(USERS)), table, indptr, item)


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
