"""People with a short history: how well is the next event foreseen after one, two, three, five events?

    python benchmarks/cold_users.py [--min-events 5] [--models HybridAttention,SASRec] [--folds 5]

Folds of users: nobody asked about was met in training. Of each held-out user the first n events are the history, as of
somebody new, and the event after them is to be found, among all items that these n are not. Prints NDCG@10 with its
95 % bootstrap interval over users, for each n.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from sklearn.model_selection import KFold

import xattn
from xattn import History
from xattn.evaluate.bootstrap import interval
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import Questions
from xattn.evaluate.ranking import rank
from xattn.evaluate.rivals import RIVALS

NAMES = "HybridAttention,ContentAttention,RecencyEASE,EASE,ItemKNN,UserAttention,Popularity"
LENGTHS = (1, 2, 3, 5)
K = 10


def made(name: str) -> object:
    return RIVALS[name]() if name in RIVALS else getattr(xattn, name)()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=NAMES)
    parser.add_argument("--min-events", type=int, default=1)
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    data = xattn.load_dataset("movielens-small")
    data = data.core(asked.min_events) if asked.min_events > 1 else data
    gains: dict[str, list[np.ndarray]] = {}
    names = asked.models.split(",")
    start = time.perf_counter()
    for _, fold in KFold(asked.folds, shuffle=True, random_state=0).split(np.arange(data.n_users)):
        train = data.select(~np.isin(data.user, fold))
        first = data.indptr[fold[np.diff(data.indptr)[fold] > max(LENGTHS)]]
        for name in names:
            model = made(name).fit(train)  # type: ignore[attr-defined]
            columns = []
            for n in LENGTHS:
                histories = [_first(data, at, n) for at in first.tolist()]
                questions = Questions(train, histories, [data.item[[at + n]] for at in first])
                columns.append(per_user(rank(model, questions, K).ranks, K)[f"ndcg@{K}"])
            gains.setdefault(name, []).append(np.column_stack(columns))
    print(
        f"NDCG@{K} after the first n events of {sum(map(len, gains[names[0]])):,} users, {asked.folds} folds of users"
    )
    print(f"{'model':24}" + "".join(f"{f'n = {n}':>24}" for n in LENGTHS))
    for name in names:
        table = np.vstack(gains[name])
        ends = [interval(column, 0) for column in table.T]
        cells = [f"{m:.4f} ({low:.4f}–{high:.4f})" for m, (low, high) in zip(table.mean(axis=0), ends, strict=True)]
        print(f"{name:24}" + "".join(f"{cell:>24}" for cell in cells))
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


def _first(data: xattn.Interactions, at: int, n: int) -> History:
    """The n events from position `at` on, as of somebody new."""
    own = slice(at, at + n)
    rating = None if data.rating is None else data.rating[own]
    return History(data.item[own], rating, np.arange(n)[::-1], np.ones(n, bool))


if __name__ == "__main__":
    sys.exit(main())
