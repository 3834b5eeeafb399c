"""What is served for every set of events: the truth that searches for sets are held against."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from xattn.data import History
from xattn.explain import Ledger
from xattn.recommenders import Recommender

__all__ = ["Served", "asked_about", "served"]


class Served(NamedTuple):
    """Score of the target, and its lead: how far it is ahead of the best item that would take the last place."""

    score: float
    lead: float


def served(model: Recommender, why: Ledger, history: History, size: int, *, alone: bool = False) -> Iterator[Served]:
    """Without each set of `size` items, or with each set `alone`; each set is served by itself."""
    asked = why.question
    others = [j for j in np.flatnonzero(asked.allowed).tolist() if j != asked.target]
    for some in combinations(history.newest.tolist(), size):
        gone = np.setdiff1d(history.newest, some) if alone else some
        scores = model.scores_of(history.without(history.alike(gone)))
        score = float(scores[asked.target])
        yield Served(score, score - float(sorted(scores[others])[-asked.k]))


def asked_about(model: Recommender, user: str, newest: int, k: int) -> tuple[History, Ledger]:
    """The `newest` events of a user, and why the first item of their list is there."""
    history = model.history(user)
    history = history.without(np.arange(max(0, len(history) - newest)))
    return history, model.explain(history=history, item=model.recommend(history=history, k=1)["item"][0], k=k)
