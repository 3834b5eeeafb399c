"""The trade-off of the attention threshold θ: weights under it count as 0 in the score too, so ledgers get shorter.

A copy of the model is fitted once without everybody's last event; θ acts when scores are served, so one fitted model
answers for every θ. The report holds, for each θ: accuracy on the last events, cells of a ledger that are not 0, events
with any weight, what is left of a score without the five strongest events, and the time of one list of scores and of
one ledger.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import clone

from xattn.errors import check_probability, check_some, check_whole, refuse
from xattn.evaluate.faithfulness.case import Met
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import Questions, check_asked, last_events
from xattn.evaluate.ranking import rank
from xattn.evaluate.reports.common import check_model, figure, opening, sentence
from xattn.evaluate.reports.quality import quality
from xattn.evaluate.setup import asked
from xattn.progress import Progress, silent, steps
from xattn.recommenders import Recommender

__all__ = ["THRESHOLDS", "threshold"]

THRESHOLDS = (0.0, 0.01, 0.02, 0.05, 0.1, 0.2)
TIMED = 20  # users; the report gives the median


def threshold(
    model: Any,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    k: int = 10,
    sample: int = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """A report of kind "threshold"; `rows` hold threshold, ndcg@k, hr@k, cells, events, del@5, score_ms, explain_ms.

    Accuracy is measured on everybody, ledgers on `sample` users. Raises InputError for wrong arguments, for a model
    without a threshold, and where no user has two events.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import CollaborativeAttention
    >>> model = CollaborativeAttention(min_events=1).fit(planted("recency", seed=0).data)
    >>> rows = threshold(model, thresholds=(0.0, 0.2), sample=10)["rows"]
    >>> rows[0]["cells"]["value"] > rows[1]["cells"]["value"]
    True
    """
    model = check_model(model)
    if "threshold" not in model.get_params(deep=False):
        refuse("no_threshold", got=type(model).__name__)
    check_some("thresholds", thresholds, "number_held")
    wanted = [check_probability("thresholds", theta) for theta in thresholds]
    k = check_whole("k", k, low=1, high=model.data_.n_items)
    sample, seed = check_whole("sample", sample, low=1), check_whole("seed", seed)
    if np.diff(model.data_.indptr).max() < 2:
        refuse("fitted_to_single_events")
    questions = check_asked(last_events(model.data_))
    (progress or silent)("fit", 0.0)
    fitted = asked(clone(model), "next-item").fit(questions.train)
    chosen = np.random.default_rng(seed).permutation(len(questions.histories))[:sample]
    rows = []
    for theta in steps(progress, "{:g}".format, wanted):
        rows.append({"threshold": theta, **_row(_served_at(fitted, theta), questions, chosen, k, seed)})
    return {**opening("threshold", model, seed), "k": k, "rows": rows, "summary": _summary(rows, k)}


def _served_at(fitted: Recommender, theta: float) -> Recommender:
    """The same fitted model with another threshold."""
    other: Recommender = clone(fitted).set_params(threshold=theta)
    other.data_, other.scale_ = fitted.data_, fitted.scale_
    other._restore(fitted._state())
    return other


def _row(model: Recommender, questions: Questions, chosen: np.ndarray, k: int, seed: int) -> dict[str, Any]:
    ranked = rank(model, questions, k)
    accuracy = per_user(ranked.ranks, k)
    met, counted = Met.of(model.data_), []
    for at in chosen.tolist():
        history = questions.histories[at]
        for target in ranked.lists[at][:1].tolist():
            heads = model.cells_of(history, target)
            cells = sum(int(np.count_nonzero(head.contribution)) for head in heads)
            looked = np.sum([np.zeros(len(history)), *(head.weight for head in heads)], axis=0)
            left = quality(model, history, target, met)["del@5"]
            counted.append((cells, int(np.count_nonzero(looked)), left))
    table = np.array(counted, float).reshape(-1, 3)
    timed = chosen[:TIMED].tolist()
    return {
        f"ndcg@{k}": figure(accuracy[f"ndcg@{k}"], seed),
        f"hr@{k}": figure(accuracy[f"hr@{k}"], seed),
        "cells": figure(table[:, 0], seed),
        "events": figure(table[:, 1], seed),
        "del@5": figure(table[:, 2], seed),
        "score_ms": _milliseconds([lambda at=at: model.scores_of(questions.histories[at]) for at in timed]),
        "explain_ms": _milliseconds(
            [
                lambda at=at: (
                    model.explain(
                        history=questions.histories[at], item=model.data_.items.ids[int(ranked.lists[at][0])]
                    ).cells
                )
                for at in timed
                if len(ranked.lists[at])
            ]
        ),
    }


def _milliseconds(calls: list[Any]) -> float | None:
    """Median time of the calls."""
    taken = []
    for call in calls:
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken)) if taken else None


def _summary(rows: list[dict[str, Any]], k: int) -> list[dict[str, Any]]:
    """The largest threshold whose accuracy is within the interval of the most accurate one, and what it saves."""
    metric = f"ndcg@{k}"
    best = max(rows, key=lambda row: row[metric]["value"])
    free = [row for row in rows if row[metric]["value"] >= best[metric]["ci95"][0]]
    chosen = max(free, key=lambda row: row["threshold"])
    first = min(rows, key=lambda row: row["threshold"])
    if chosen["cells"]["value"] is None:
        return []
    values = {"threshold": chosen["threshold"], "cells": chosen["cells"]["value"], "before": first["cells"]["value"]}
    return [sentence("threshold_free", accuracy=chosen[metric]["value"], best=best[metric]["value"], **values)]
