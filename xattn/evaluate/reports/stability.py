"""Stability of an explanation: would the same model, fitted to other people or from another seed, say the same?

The model is fitted again, `refits` times: to users drawn with repetition ("bootstrap": Efron 1979), each time as many
as there are, or with other random numbers ("seeds"). Every refit explains the same item for the same history. The
report holds, for each event, the interval of its contribution over the refits, the share of refits in which it stays
among the `top` largest contributions, and its median place; for the whole explanation: score, rank, the share of refits
that list the item, and how far reasons agree with those of the model itself (Jaccard of the `top`, Kendall's τ of all).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from xattn.data import History, Interactions
from xattn.errors import check_choice, check_id, check_whole, refuse
from xattn.evaluate.faithfulness.metrics import kendall
from xattn.evaluate.reports.common import check_model, opening, sentence
from xattn.explain.question import rank_of
from xattn.explain.rows import contributions
from xattn.progress import Progress, steps
from xattn.recommenders import Recommender

__all__ = ["HOW", "resampled_users", "stability"]

HOW = ("bootstrap", "seeds")
STEADY, SHAKY = 0.8, 0.5  # share of refits from which a reason is called steady, under which it is called shaky


def stability(
    model: Any,
    user: Any = None,
    item: Any = None,
    *,
    history: Any = None,
    refits: int = 10,
    how: str = "bootstrap",
    top: int = 3,
    k: int = 10,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """A report of kind "stability" about `item` for `user` or `history`; see the module's text.

    Without `item` it is the first recommendation. `rows` (largest contribution first) hold event, title, position,
    contribution, ci95, share_top, rank. Raises InputError for wrong arguments, and for "seeds" where nothing in the
    model is random.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> data = planted("copurchase", seed=0).data
    >>> report = stability(ItemKNN().fit(data), data.user_ids[0], refits=4, top=1)
    >>> report["rows"][0]["share_top"], report["in_list"]
    (0.75, 1.0)
    """
    model = check_model(model)
    refits, top = check_whole("refits", refits, low=2), check_whole("top", top, low=1)
    k, seed = check_whole("k", k, low=1, high=model.data_.n_items), check_whole("seed", seed)
    check_choice("how", how, HOW)
    if how == "seeds" and "random_state" not in model.get_params(deep=False):
        refuse("nothing_random", model=type(model).__name__, got=how)
    asked = model.history(user, history=history)
    allowed = np.ones(model.data_.n_items, bool)
    allowed[asked.item] = False
    if not allowed.any():
        refuse("nothing_left")
    if item is None:
        target = int(np.argmax(np.where(allowed, model.scores_of(asked), -np.inf)))
    else:
        target = model.data_.item_row(check_id("item", item))
    given = replace(asked, user=None)
    own = contributions(model.cells_of(asked, target), len(asked))
    found, scores, ranks = [], [], []
    for number in steps(progress, "refits", range(refits)):
        again = _refitted(model, how, seed, number)
        scored = again.scores_of(given)
        found.append(contributions(again.cells_of(given, target), len(given)))
        scores.append(float(scored[target]))
        ranks.append(rank_of(scored, target, allowed))
    report = {
        **opening("stability", model, seed),
        "user": None if asked.user is None else model.data_.user_ids[asked.user],
        "item": model.data_.items.ids[target],
        "title": model.data_.items.titles[target],
        "how": how,
        "refits": refits,
        "top": top,
        "k": k,
    }
    return {**report, **_told(model, asked, own, np.array(found), scores, ranks, top, k)}


def resampled_users(data: Interactions, rng: np.random.Generator) -> Interactions:
    """As many users as there are, drawn with repetition; each draw is a user of its own, the items stay.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", n_users=5, seed=0).data
    >>> resampled_users(data, np.random.default_rng(0)).n_events == data.n_events
    True
    """
    drawn = np.sort(rng.integers(0, data.n_users, data.n_users))
    length = np.diff(data.indptr)[drawn]
    at = np.concatenate([np.arange(data.indptr[user], data.indptr[user + 1]) for user in drawn.tolist()])
    vectors = {
        name: None if vector is None else vector[at]
        for name, vector in (("rating", data.rating), ("time", data.time), ("kind", data.kind))
    }
    ids = tuple(f"{data.user_ids[user]} #{number}" for number, user in enumerate(drawn.tolist()))
    indptr = np.concatenate([[0], np.cumsum(length)])
    return Interactions(data.name, ids, data.items, indptr, data.item[at], **vectors, scale=data.scale)


def _refitted(model: Recommender, how: str, seed: int, number: int) -> Recommender:
    again: Recommender = clone(model)
    if how == "seeds":
        again.set_params(random_state=seed + 1 + number)
        return again.fit(model.data_)
    return again.fit(resampled_users(model.data_, np.random.default_rng([seed, number])))


def _told(
    model: Recommender,
    history: History,
    own: np.ndarray,
    found: np.ndarray,
    scores: list[float],
    ranks: list[int | None],
    top: int,
    k: int,
) -> dict[str, Any]:
    table, live = model.data_.items, np.flatnonzero(history.live)
    order = live[np.argsort(-own[live], kind="stable")]
    places = np.array([_places(row, live) for row in found])
    reasons = set(order[:top].tolist())
    overlaps, taus = [], []
    for row, place in zip(found, places, strict=True):
        others = {int(i) for i in live if place[i] <= top}
        overlaps.append(len(reasons & others) / len(reasons | others) if reasons | others else 1.0)
        taus.append(kendall(own[live], row[live]))
    rows = [
        {
            "event": table.ids[history.item[i]],
            "title": table.titles[history.item[i]],
            "position": int(i),
            "contribution": float(own[i]),
            "ci95": np.quantile(found[:, i], [0.025, 0.975]).tolist(),
            "share_top": float((places[:, i] <= top).mean()),
            "rank": float(np.median(places[:, i])),
        }
        for i in order.tolist()
    ]
    listed = None if None in ranks else np.array(ranks, float)
    middle: dict[str, float | None] = {"value": None, "low": None, "high": None}
    if listed is not None:
        low, high = np.quantile(listed, [0.025, 0.975])
        middle = {"value": float(np.median(listed)), "low": float(low), "high": float(high)}
    in_list = None if listed is None else float((listed <= k).mean())
    told = {
        "score": _over_refits(scores),
        "rank": middle,
        "in_list": in_list,
        "overlap": _over_refits(overlaps),
        "tau": _over_refits(taus),
        "rows": rows,
    }
    return {**told, "summary": _summary(rows[:top], len(found), top, in_list, k)}


def _places(row: np.ndarray, live: np.ndarray) -> np.ndarray:
    """Place (n,) of each live event by contribution, 1 the largest; of equal ones the older first."""
    out = np.full(len(row), len(row) + 1)
    out[live[np.argsort(-row[live], kind="stable")]] = np.arange(1, len(live) + 1)
    return out


def _over_refits(values: list[float]) -> dict[str, Any]:
    """Mean over the refits, and between which values 95 % of them lie: a spread, no interval of the mean."""
    return {"value": float(np.mean(values)), "ci95": np.quantile(values, [0.025, 0.975]).tolist()}


def _summary(rows: list[dict[str, Any]], refits: int, top: int, listed: float | None, k: int) -> list[dict[str, Any]]:
    lines = []
    for row in rows:
        share = row["share_top"]
        key = "reason_steady" if share >= STEADY else "reason_shaky" if share < SHAKY else "reason_between"
        lines.append(sentence(key, title=row["title"], share=share, refits=refits, top=top))
    if listed is not None:
        lines.append(sentence("listed_again", share=listed, k=k))
    return lines
