"""Popularity bias: how much of a score and of the lists is what is popular anyway.

`base_share` is base / score of the listed items with a positive score. `correlation` is Spearman's between score and
number of events over all items that a user may get. `bias` is how much more popular the lists are than the histories
(0: alike; the ΔGAP of Abdollahpouri et al., 2019), `gini` how unequally places in lists fall to the items (0: alike,
1: all to one), `coverage` the share of the items in any list. Items are put in five groups, by popularity, that have a
fifth of all events each.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from xattn.evaluate.faithfulness.metrics import shares
from xattn.evaluate.metrics import coverage
from xattn.evaluate.reports.common import DRAWS, Figure, check_model, figure, opening, people, sentence
from xattn.progress import Progress

__all__ = ["FIFTHS", "fifths", "gini", "popularity"]

FIFTHS = ("head", "2", "3", "4", "tail")


def popularity(
    model: Any, *, k: int = 10, sample: int = 400, seed: int = 0, progress: Progress | None = None
) -> dict[str, Any]:
    """A report of kind "popularity"; see the module's text. `rows` are the five groups of items: group, items,
    share_of_events, share_of_lists, base_share.

    Raises InputError for wrong arguments and NotFittedError before `fit`.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import Popularity
    >>> report = popularity(Popularity().fit(planted("genre", seed=0).data), sample=20)
    >>> report["base_share"]["value"], round(report["correlation"]["value"], 6)
    (1.0, 1.0)
    """
    model = check_model(model)
    asked = people(model, sample, k, seed, progress)
    counts = model.data_.counts()
    group = fifths(counts)
    lists, listed_counts, own_counts, bases, related = [], [], [], [], []
    in_lists, base_in = np.zeros((0, len(FIFTHS))), np.zeros((0, len(FIFTHS)))
    for one in asked:
        items = np.array(one.listed, np.int64)
        lists.append(items)
        score, base = one.scores[items], model.base_[items]
        positive = score > 0
        share = np.full(len(items), np.nan)
        share[positive] = base[positive] / score[positive]
        bases.append(_mean(share))
        related.append(_spearman(one.scores[one.allowed], counts[one.allowed]))
        listed_counts.append(_mean(counts[items].astype(float)))
        own_counts.append(_mean(counts[one.history.item].astype(float)))
        inside = group[items][None, :] == np.arange(len(FIFTHS))[:, None]
        in_lists = np.vstack([in_lists, inside.mean(axis=1) if len(items) else np.full(len(FIFTHS), np.nan)])
        base_in = np.vstack([base_in, [_mean(share[at]) for at in inside]])
    exposure = np.bincount(np.concatenate(lists), minlength=len(counts))
    events = np.bincount(group, counts, minlength=len(FIFTHS)) / max(1, counts.sum())
    rows = [
        {
            "group": name,
            "items": int((group == at).sum()),
            "share_of_events": float(events[at]),
            "share_of_lists": figure(in_lists[:, at], seed),
            "base_share": figure(base_in[:, at], seed),
        }
        for at, name in enumerate(FIFTHS)
    ]
    report = {
        **opening("popularity", model, seed),
        "k": asked.k,
        "base_share": figure(bases, seed),
        "correlation": figure(related, seed),
        "bias": _ratio(np.array(listed_counts), np.array(own_counts), seed),
        "gini": gini(exposure),
        "coverage": coverage(lists, len(counts)),
        "rows": rows,
    }
    return {**report, "summary": _summary(report)}


def fifths(counts: np.ndarray) -> np.ndarray:
    """(M,) 0 for the most popular items that have a fifth of all events, … 4 for the tail; items without events too.

    >>> fifths(np.array([1, 10, 1, 8, 0])).tolist()
    [4, 0, 4, 2, 4]
    """
    order = np.argsort(-counts, kind="stable")
    before = np.concatenate([[0], np.cumsum(counts[order])[:-1]])
    out = np.empty(len(counts), np.int64)
    out[order] = np.minimum(4, 5 * before // max(1, counts.sum()))
    out[counts == 0] = 4
    return out


def gini(amounts: np.ndarray) -> float:
    """Gini coefficient of `amounts` (M,) ≥ 0: 0 where all are alike, near 1 where one has everything.

    >>> gini(np.ones(4)), gini(np.array([0, 0, 0, 1.0]))
    (0.0, 0.75)
    """
    sorted_amounts = np.sort(np.asarray(amounts, float))
    M, total = len(sorted_amounts), sorted_amounts.sum()
    if not total > 0:
        return 0.0
    return float((2 * np.arange(1, M + 1) - M - 1) @ sorted_amounts / (M * total))


def _mean(values: np.ndarray) -> float:
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if len(kept) else float("nan")


def _spearman(scores: np.ndarray, counts: np.ndarray) -> float:
    if len(scores) < 2 or np.ptp(scores) == 0 or np.ptp(counts) == 0:
        return float("nan")
    return float(stats.spearmanr(scores, counts).statistic)


def _ratio(listed: np.ndarray, had: np.ndarray, seed: int) -> Figure:
    """(mean of `listed` − mean of `had`) / mean of `had`, over users who have both."""
    both = ~(np.isnan(listed) | np.isnan(had))
    listed, had = listed[both], had[both]
    if not len(had) or not had.mean() > 0:
        return {"value": None, "ci95": None}
    draws = shares(len(had), seed, DRAWS)
    drawn = (draws @ listed) / (draws @ had) - 1.0
    return {"value": float(listed.mean() / had.mean() - 1.0), "ci95": np.quantile(drawn, [0.025, 0.975]).tolist()}


def _summary(report: dict[str, Any]) -> list[dict[str, Any]]:
    lines = []
    if report["base_share"]["value"] is not None:
        lines.append(sentence("base_share", share=report["base_share"]["value"]))
    if report["bias"]["value"] is not None:
        more = report["bias"]["value"]
        lines.append(sentence("lists_more_popular" if more >= 0 else "lists_less_popular", share=abs(more)))
    tail = report["rows"][-1]
    if tail["share_of_lists"]["value"] is not None:
        lines.append(
            sentence("tail", items=tail["items"], events=tail["share_of_events"], lists=tail["share_of_lists"]["value"])
        )
    return lines
