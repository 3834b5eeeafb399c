"""Protocols: how a model is put to the test, and the tidy result.

*next-item*: the last event of every user (stable by time) is held out; a model fitted on the rest ranks it among all
items that the user has not met before. The whole catalogue is ranked; nothing is sampled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.data.split import Split, leave_last_out
from xattn.errors import InputError, check_choice, check_whole
from xattn.evaluate.memory import peak_megabytes
from xattn.evaluate.metrics import coverage, diversity, interval, novelty, per_user, rank_against
from xattn.features import item_features
from xattn.kernels.topk import top_k
from xattn.model.closed_form import Progress
from xattn.recommenders import Recommender

__all__ = ["PROTOCOLS", "evaluate", "target_ranks"]

PROTOCOLS = ("next-item",)


def target_ranks(model: Recommender, split: Split, k: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """(ranks (U,), top-k lists) of a fitted model over the targets of a split; a user's seen items are no candidates.

    The target itself stays one, also where the user has met it before (a repeat purchase).
    """
    ranks, lists = np.empty(len(split)), []
    for n, (user, target) in enumerate(zip(split.user, split.item, strict=True)):
        history = model.history(split.train.user_ids[user])
        scores = model.scores_of(history)
        allowed = np.ones(len(scores), bool)
        allowed[history.item] = False
        lists.append(top_k(scores[None, :], allowed[None, :], k).items[0])
        ranks[n] = rank_against(scores, int(target), allowed)
    return ranks, [row[row >= 0] for row in lists]


def evaluate(
    data: Interactions,
    models: dict[str, Callable[[], Recommender]] | Sequence[Recommender],
    *,
    protocol: str = "next-item",
    k: int = 10,
    seed: int = 0,
    min_events: int = 1,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit and test unfitted models; returns ``{"protocol", "dataset", "users", "items", "events", "k", "rows":
    [...]}``.

    A row holds model, ndcg@k, hr@k, recall@k, mrr, coverage, diversity, novelty, ci95 (metric → [low, high],
    bootstrap over users), fit_s, score_s (seconds for all users) and peak_mb (of the process so far). `min_events`
    keeps the N-core.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import Popularity
    >>> result = evaluate(planted("genre", seed=0).data, [Popularity()])
    >>> result["rows"][0]["model"], 0 <= result["rows"][0]["ndcg@10"] <= 1
    ('Popularity', True)
    """
    check_choice("protocol", protocol, PROTOCOLS)
    min_events = check_whole("min_events", min_events, low=1)
    tell = progress or (lambda what, share: None)
    data = data.core(min_events) if min_events > 1 else data
    k = check_whole("k", k, low=1, high=data.n_items)
    named = models if isinstance(models, dict) else {type(m).__name__: (lambda m=m: m) for m in models}
    if not named:
        raise InputError("`models` must hold at least one model; got none.")
    split = leave_last_out(data)
    if not len(split):
        raise InputError("`data` must hold a user with at least two events; got none.")
    F, counts = item_features(data.items).F, split.train.counts()
    rows = []
    for done, (name, make) in enumerate(named.items()):
        tell(name, done / len(named))
        start = time.perf_counter()
        model = make().fit(split.train)
        fitted = time.perf_counter()
        ranks, lists = target_ranks(model, split, k)
        scored = time.perf_counter()
        metrics = per_user(ranks, k)
        rows.append(
            {
                "model": name,
                **{metric: float(values.mean()) for metric, values in metrics.items()},
                "coverage": coverage(lists, data.n_items),
                "diversity": diversity(lists, F),
                "novelty": novelty(lists, counts),
                "ci95": {metric: list(interval(values, seed)) for metric, values in metrics.items()},
                "fit_s": fitted - start,
                "score_s": scored - fitted,
                "peak_mb": peak_megabytes(),
            }
        )
    tell("done", 1.0)
    sizes = {"users": len(split), "items": data.n_items, "events": data.n_events}
    return {"protocol": protocol, "dataset": data.name, **sizes, "k": k, "rows": rows}
