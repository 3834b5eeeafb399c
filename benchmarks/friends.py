"""What friends say: UserAttention with and without a table of friends, on liked genres of music (deezer-ro).

    python benchmarks/friends.py DATA [--users 1000]

DATA is a folder with the folder deezer-ro: 41,773 people, 84 genres, 125,826 friendships. One liked genre is hidden of
each of the asked people, drawn; the others of theirs, and all of everybody else's, are known. The order of likes means
nothing, so no time takes part. Temperature and bonus are chosen on other people, as many. Printed: NDCG@10 and recall@5
of the hidden genre among those not known, with 95 % bootstrap intervals over people, and of the paired difference.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from pathlib import Path

import numpy as np
import pandas as pd

from xattn import History, Interactions, UserAttention
from xattn.evaluate.bootstrap import interval

TEMPERATURES = (0.01, 0.02, 0.05, 0.1, 0.2)
BONUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4)


def read(folder: Path) -> tuple[Interactions, pd.DataFrame]:
    with gzip.open(folder / "deezer-ro" / "RO_genres.json.gz", "rt") as file:
        likes = json.load(file)
    rows = [(user, genre) for user, genres in likes.items() for genre in genres]
    edges = pd.read_csv(folder / "deezer-ro" / "RO_edges.csv.gz", dtype=str)
    return Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item"]), name="deezer-ro"), edges


def hidden(data: Interactions, n: int, rng: np.random.Generator) -> np.ndarray:
    """(2 n,) events to hide, one of each drawn person who has three likes or more: n to choose by, n to report."""
    able = np.flatnonzero(np.diff(data.indptr) >= 3)
    users = rng.choice(able, 2 * n, replace=False)
    return data.indptr[users] + rng.integers(np.diff(data.indptr)[users])


def measured(model: UserAttention, train: Interactions, user: np.ndarray, item: np.ndarray) -> np.ndarray:
    """(n, 2) NDCG@10 and recall@5 of each person's hidden item; ties count against the model."""
    found = np.empty((len(user), 2))
    for row, (one, target) in enumerate(zip(user.tolist(), item.tolist(), strict=True)):
        history = History.of(train, one)
        score = model.scores_of(history).copy()
        score[history.item] = -np.inf
        rank = int((score >= score[target]).sum())
        found[row] = (rank <= 10) / np.log2(rank + 1), rank <= 5
    return found


def said(values: np.ndarray) -> str:
    low, high = interval(values, 0)
    return f"{values.mean():.4f} [{low:.4f}, {high:.4f}]"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--users", type=int, default=1000)
    asked = parser.parse_args()
    data, edges = read(asked.data)
    events = hidden(data, asked.users, np.random.default_rng(0))
    mask = np.ones(data.n_events, bool)
    mask[events] = False
    train = data.select(mask)
    user, item = data.user[events], data.item[events]
    choose, report = np.arange(asked.users), np.arange(asked.users, 2 * asked.users)
    start = time.perf_counter()
    model = UserAttention(friends=edges).fit(train)
    print(f"fit {time.perf_counter() - start:.1f} s, {len(model.friends_) // 2:,} friendships", flush=True)
    chosen = {}
    for temperature in TEMPERATURES:
        for bonus in BONUSES:
            model.temperature, model.friend_bonus = temperature, bonus
            ndcg = measured(model, train, user[choose], item[choose])[:, 0].mean()
            chosen[temperature, bonus] = ndcg
            print(f"T {temperature} bonus {bonus}: NDCG@10 {ndcg:.4f} (chosen on)", flush=True)
    figures = {}
    for name, allowed in (("without friends", (0.0,)), ("with friends", BONUSES)):
        temperature, bonus = max((key for key in chosen if key[1] in allowed), key=lambda key: chosen[key])
        model.temperature, model.friend_bonus = temperature, bonus
        figures[name] = measured(model, train, user[report], item[report])
        ndcg, recall = (said(column) for column in figures[name].T)
        print(f"{name}, T {temperature} bonus {bonus}: NDCG@10 {ndcg}, recall@5 {recall}", flush=True)
    gain = figures["with friends"] - figures["without friends"]
    print(f"difference: NDCG@10 {said(gain[:, 0])}, recall@5 {said(gain[:, 1])}")


if __name__ == "__main__":
    main()
