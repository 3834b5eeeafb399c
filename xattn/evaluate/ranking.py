"""Ranking: fitted models order the whole catalogue for a history, and what turned out relevant is looked up in it.

All ranking protocols end here; they differ in the `Questions` that they ask. The candidates are those of `recommend`:
with seen="drop" all items that the history does not hold, with "keep" all.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from xattn.evaluate.agreement import agreement
from xattn.evaluate.bootstrap import resampled
from xattn.evaluate.diverse import Ordered, reordering
from xattn.evaluate.metrics import coverage, diversity, novelty, per_user, popularity_bias, ranks_of
from xattn.evaluate.questions import Questions, check_asked
from xattn.evaluate.rows import row_end
from xattn.evaluate.setup import Makers, Model, Setup
from xattn.features import feature_set
from xattn.kernels.topk import top_k
from xattn.progress import steps

__all__ = ["Ranked", "compare", "rank"]


class Ranked(NamedTuple):
    """Of each person the ascending ranks of the relevant items and the top-k list."""

    ranks: list[np.ndarray]
    lists: list[np.ndarray]


def rank(model: Model, questions: Questions, k: int, ordered: Ordered | None = None) -> Ranked:
    """Put the questions to a fitted model, whose lists may be `ordered` anew. What no list can hold has no rank (∞)."""
    ranks, lists = [], []
    missed = questions.missed or [0] * len(questions.histories)
    for history, relevant, beyond in zip(questions.histories, questions.relevant, missed, strict=True):
        scores = model.scores_of(history)
        allowed = questions.allowed(history)
        scores = ordered(scores, allowed) if ordered else scores
        best = top_k(scores[None, :], allowed[None, :], k).items[0]
        lists.append(best[best >= 0])
        open_ = relevant[allowed[relevant]]
        never = np.full(len(relevant) - len(open_) + beyond, np.inf)
        ranks.append(np.concatenate([ranks_of(scores, open_, allowed), never]))
    return Ranked(ranks, lists)


def compare(questions: Questions, models: Makers, setup: Setup) -> list[dict[str, Any]]:
    """A row for each model, fitted and asked in turn; `versus_first` holds p values against the first.

    With `setup.agreement` each row says too how far its lists agree with the first model's.
    """
    train, k = check_asked(questions).train, setup.k
    ordered = reordering(train.items, k, setup.diversity)
    unit, counts = feature_set(train.items).unit, train.counts()
    histories = [history.item for history in questions.histories]
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    first_lists: list[np.ndarray] = []
    for name, make in steps(setup.progress, lambda named: named[0], models.items()):
        start = time.perf_counter()
        model = make().fit(train)
        fitted = time.perf_counter()
        ranks, lists = rank(model, questions, k, ordered)
        scored = time.perf_counter()
        metrics = per_user(ranks, k)
        drawn = _drawn(np.column_stack(list(metrics.values())), setup.seed)
        rows.append(
            {
                "model": name,
                **{metric: float(values.mean()) for metric, values in metrics.items()},
                "coverage": coverage(lists, train.n_items),
                "diversity": diversity(lists, unit),
                "novelty": novelty(lists, counts),
                "popularity_bias": popularity_bias(lists, histories, counts),
                **row_end(metrics, drawn, first, fitted - start, scored - fitted),
            }
        )
        if setup.agreement:
            rows[-1]["agreement"] = None if first is None else agreement(first_lists, lists, k, setup.seed)
        if first is None:
            first, first_lists = drawn, lists
    setup.tell("done", 1.0)
    return rows


def _drawn(values: np.ndarray, seed: int) -> np.ndarray:
    """Means of `values` (U, S) over the users of each draw (draws, S)."""
    return resampled(lambda times: times @ values / len(values), len(values), seed)
