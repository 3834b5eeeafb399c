"""The promise, in full: every model, every user of the bundled data, every event masked and all scored again.

    python benchmarks/promise.py [--dtype float64] [--users 40] [--models EASE,ItemKNN] [--data ties]

For the top ten of each user and for items far down the list it compares

    ledgers    the sum of base and cells with the served score
    removals   the announced score without each item, all its events, with the score that is served without it
    ranks      the announced rank without each item with the rank that is served without it

on the bundled data (`movielens`) and on planted data full of ties (`ties`: every item has a twin that the same people
take with it). It prints the largest gap of scores, relative to max(1, |score|), and how many ranks are wrong, with the
numbers compared. It ends with 1 where a gap is over the bar or a rank is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import xattn
from xattn.explain.cache import cache_of
from xattn.explain.question import rank_of
from xattn.recommenders import Recommender

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        name: (name, {})
        for name in (
            "Popularity",
            "ItemKNN",
            "UserAttention",
            "EASE",
            "RecencyEASE",
            "ContentAttention",
            "CollaborativeAttention",
            "HybridAttention",
            "NeuralAttention",
            "SequenceAttention",
        )
    },
    "HybridAttention learned": ("HybridAttention", {"learned": "always"}),
    "HybridAttention by time": (
        "HybridAttention",
        {"recency_days": (1e-4, 1.0), "days_floor": 0.1, "learned": "never"},
    ),
    "EASE float64": ("EASE", {"dtype": "float64"}),
    "HybridAttention float64": ("HybridAttention", {"dtype": "float64"}),
}
DATA = ("movielens", "ties")
BAR = {"float32": 1e-5, "float64": 1e-10}
K = 10
FAR = (20, 100, 400, 1000, 2000)  # further ranks whose items are explained


@dataclass
class Found:
    """What was compared, and the worst of it."""

    ledger_gap: float = 0.0
    removal_gap: float = 0.0
    wrong_ranks: int = 0
    ledgers: int = 0
    removals: int = 0
    ranks: int = 0


def ties() -> xattn.Interactions:
    """40 items and their twins, which everybody takes together: long histories, and near ties all down the list."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, str, int, float]] = []
    for user in range(60):
        for item in rng.integers(40, size=60 if user < 4 else 20).tolist():
            rating = float(rng.integers(1, 6))
            rows += [(f"u{user}", f"i{item:02d}{twin}", len(rows), rating) for twin in ("", "x")]
    ids = [f"i{item:02d}{twin}" for item in range(40) for twin in ("", "x")]
    genre = ["Drama" if item % 2 else "War" for item in range(40) for _ in range(2)]
    items = xattn.ItemTable(tuple(ids), tuple(ids), pd.DataFrame({"genre": genre}))
    frame = pd.DataFrame(rows, columns=["user", "item", "time", "rating"])
    return xattn.Interactions.from_frame(frame, items, name="ties")


def check(model: Recommender, users: tuple[str, ...]) -> Found:
    """Compare what is announced with what is served, for these users."""
    found = Found()
    for user in users:
        history = model.history(user)
        scores = model.scores_of(history)
        allowed = np.ones(len(scores), bool)
        allowed[history.item] = False
        order = np.lexsort((np.arange(len(scores)), -scores))
        order = order[allowed[order]]
        targets = np.concatenate([order[:K], order[[rank - 1 for rank in FAR if K < rank <= len(order)]]])
        for target in targets[:K].tolist():
            total = model.base_[target] + sum(float(c.contribution.sum()) for c in model.cells_of(history, target))
            gap = abs(total - scores[target]) / max(1.0, abs(scores[target]))
            found.ledger_gap = max(found.ledger_gap, gap)
            found.ledgers += 1
        cache = cache_of(model, history)
        announced = cache.scores_without_each(targets)
        ranks = [
            cache.ranks_without_each(target, own, allowed)
            for target, own in zip(targets.tolist(), announced, strict=True)
        ]
        for position in range(len(history)):
            served = model.scores_of(history.without(history.alike([position])))
            apart = np.abs(announced[:, position] - served[targets]) / np.maximum(1.0, np.abs(served[targets]))
            found.removal_gap = max(found.removal_gap, float(apart.max(initial=0.0)))
            found.removals += len(targets)
            for target, rank in zip(targets.tolist(), ranks, strict=True):
                found.wrong_ranks += int(rank[position] != rank_of(served, target, allowed))
                found.ranks += 1
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=BAR, default="float32", help="type of the value tables")
    parser.add_argument("--users", type=int, help="only so many users, evenly spread")
    parser.add_argument("--models", help="only these, with commas between")
    parser.add_argument("--data", choices=DATA, help="only this data; else both")
    given = parser.parse_args()
    names = [name.strip() for name in given.models.split(",")] if given.models else list(MODELS)
    for name in names:
        if name not in MODELS:
            parser.error(f"--models must be among {', '.join(MODELS)}; got {name!r}.")
    if given.users is not None and given.users < 1:
        parser.error(f"--users must be at least 1; got {given.users}.")
    worst, wrong = 0.0, 0
    columns = f"{'ledger gap':>11} {'removal gap':>12} {'wrong ranks':>12} {'ledgers':>8} {'removals':>9} {'ranks':>9}"
    print(f"{'data':10} {'model':24} {columns} {'seconds':>8}")
    for which in [given.data] if given.data else DATA:
        data = ties() if which == "ties" else xattn.load_dataset("movielens-small")
        rows = np.linspace(0, data.n_users - 1, min(given.users or data.n_users, data.n_users)).round().astype(int)
        users = tuple(data.user_ids[row] for row in rows.tolist())
        for name in names:
            made, settings = MODELS[name]
            make = getattr(xattn, made)
            start = time.perf_counter()
            precision = {"dtype": given.dtype} if "dtype" in make().get_params() else {}
            model = make(**precision | settings)
            found = check(model.fit(data), users)
            seconds = time.perf_counter() - start
            gaps = f"{found.ledger_gap:11.2g} {found.removal_gap:12.2g} {found.wrong_ranks:12,}"
            counts = f"{found.ledgers:8,} {found.removals:9,} {found.ranks:9,}"
            print(f"{which:10} {name:24} {gaps} {counts} {seconds:8.1f}", flush=True)
            worst = max(worst, found.ledger_gap, found.removal_gap)
            wrong += found.wrong_ranks
    bar = BAR[given.dtype]
    print(f"largest gap {worst:.2g}; the bar is {bar:g}; wrong ranks {wrong:,}")
    return int(worst > bar or wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
