"""The promise, in full: every model, every user of the bundled data, their top ten, every event masked and scored
again.

    python benchmarks/promise.py [--dtype float64] [--users 50] [--models EASE,ItemKNN]

Prints, for each model, the largest gap between a ledger's sum and the served score, and between an announced and a
served removal (both relative to max(1, |score|)), with the numbers of ledgers and removals compared. Ends with 1 over
the bar.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

import xattn
from xattn.recommenders import Recommender

MODELS: dict[str, tuple[str, dict[str, str]]] = {
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
}
BAR = {"float32": 1e-5, "float64": 1e-10}
K = 10


def gaps(model: Recommender, users: tuple[str, ...]) -> tuple[float, float, int, int]:
    """(ledger gap, removal gap, ledgers, removals) over the users' top ten."""
    data, cells_gap, removal_gap, ledgers, removals = model.data_, 0.0, 0.0, 0, 0
    for user in users:
        history = model.history(user)
        scores = model.scores_of(history)
        best = data.items.rows(model.recommend(user=user, k=K)["item"].tolist())
        for target in best:
            total = model.base_[target] + sum(float(c.contribution.sum()) for c in model.cells_of(history, int(target)))
            cells_gap = max(cells_gap, abs(total - scores[target]) / max(1.0, abs(scores[target])))
            ledgers += 1
        announced = model.scores_without_each(history, best)
        for position in range(len(history)):
            served = model.scores_of(history.without([position]))[best]
            apart = np.abs(announced[:, position] - served) / np.maximum(1.0, np.abs(served))
            removal_gap = max(removal_gap, float(apart.max()))
            removals += len(best)
    return cells_gap, removal_gap, ledgers, removals


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dtype", choices=BAR, default="float32", help="type of the value tables")
    parser.add_argument("--users", type=int, help="only so many users, evenly spread")
    parser.add_argument("--models", help="only these, with commas between")
    asked = parser.parse_args()
    names = [name.strip() for name in asked.models.split(",")] if asked.models else list(MODELS)
    for name in names:
        if name not in MODELS:
            parser.error(f"--models must be among {', '.join(MODELS)}; got {name!r}.")
    if asked.users is not None and asked.users < 1:
        parser.error(f"--users must be at least 1; got {asked.users}.")
    data = xattn.load_dataset("movielens-small")
    rows = np.linspace(0, data.n_users - 1, min(asked.users or data.n_users, data.n_users)).round().astype(int)
    users = tuple(data.user_ids[row] for row in rows.tolist())
    worst = 0.0
    print(f"{'model':24} {'ledger gap':>11} {'removal gap':>12} {'ledgers':>8} {'removals':>9} {'seconds':>8}")
    for name in names:
        made, settings = MODELS[name]
        make = getattr(xattn, made)
        start = time.perf_counter()
        model = make(**settings, dtype=asked.dtype) if "dtype" in make().get_params() else make(**settings)
        cells, removal, ledgers, removals = gaps(model.fit(data), users)
        seconds = time.perf_counter() - start
        print(f"{name:24} {cells:11.2g} {removal:12.2g} {ledgers:8,} {removals:9,} {seconds:8.1f}", flush=True)
        worst = max(worst, cells, removal)
    bar = BAR[asked.dtype]
    print(f"largest gap {worst:.2g}; the bar is {bar:g}")
    return int(worst > bar)


if __name__ == "__main__":
    sys.exit(main())
