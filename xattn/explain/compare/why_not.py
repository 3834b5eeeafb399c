"""Why not this item: how far it is from the list, cell by cell, and what would bring it in.

The gap is the score of the last item of the list minus that of the item; split into cells it is the difference of two
ledgers. What would bring it in is searched among *plausible* events: the items that the model itself thinks most likely
to come next, each as a new, newest event, rated as the person rates what they like. Single events are tried first, then
the best one with every second, up to three. A single event is the smallest answer there is; two or three are a small
one. What is returned was served by the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import History
from xattn.data.scale import Scale
from xattn.errors import check_choice, refuse
from xattn.explain.compare.difference import Difference
from xattn.explain.competitors import Competitors
from xattn.explain.question import Question, Scorer, rank_of
from xattn.explain.tell.words import joined, quotable, spaced
from xattn.i18n import LANGUAGES, t
from xattn.i18n.numbers import figure
from xattn.kernels.topk import top_k

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["Added", "WhyNot", "why_not"]

POOL = 60  # plausible events that are tried
SERVED = 12  # of a model whose heads do not tell what an event would add: each has to be served
MOST_ADDED = 3
CLOSEST = 4  # of the events that look best, how many are served before the next round
BEST = 400  # items of now that an addition is measured against before it is served


@dataclass(frozen=True)
class Added:
    """`items` (ids, oldest first) as further events put the item at rank `rank_after`, within the list.

    `found` is False where no set that was tried does it; `items` is then empty. `exact`: no smaller set does it.
    `tried` counts the plausible events that were looked at.
    """

    items: tuple[str, ...]
    titles: tuple[str, ...]
    found: bool
    exact: bool
    rank_after: int | None
    tried: int


class WhyNot:
    """An item outside the list. `gap` is the score of the list's last item (`cutoff`) minus that of the item.

    `cells` is that gap cell by cell (the frame of `Difference.cells`), and sums to it.
    """

    def __init__(self, ledger: Ledger, last: Ledger) -> None:
        self.ledger = ledger
        self.difference: Difference = last - ledger
        self.gap = self.difference.total
        self.cutoff, self.cutoff_title = last.item, last.title
        self.rank, self.k = ledger.rank, ledger.k

    def __repr__(self) -> str:
        return f"WhyNot({self.ledger.item}: rank {self.rank}, {self.gap:.6g} short of {self.cutoff})"

    @property
    def cells(self) -> pd.DataFrame:
        """The gap cell by cell; the first row is what the bases differ by."""
        return self.difference.cells

    @cached_property
    def added(self) -> Added:
        """The fewest plausible events that would bring the item in."""
        return _added(self.ledger.scorer, self.ledger.question)

    def text(self, lang: str = "en", scenario: str = "films") -> str:
        """The gap and what would close it, in words."""
        check_choice("lang", lang, LANGUAGES)
        facts = {"title": quotable(self.ledger.title, lang), "cutoff": quotable(self.cutoff_title, lang)}
        sentences = [t("words.why_not", lang, **facts, rank=self.rank, k=self.k, gap=figure(self.gap))]
        found = self.added
        if found.found:
            did = t(f"words.did.{scenario}", lang)
            sentences.append(t("words.added", lang, did=did, names=joined(found.titles, lang), rank=found.rank_after))
        else:
            sentences.append(t("words.added_none", lang, n=found.tried))
        return spaced(sentences, lang)

    def to_dict(self) -> dict[str, Any]:
        """As plain lists and dicts."""
        found = self.added
        return {
            "item": self.ledger.item,
            "rank": self.rank,
            "k": self.k,
            "gap": self.gap,
            "cutoff": self.cutoff,
            "cells": self.cells.to_dict(orient="records"),
            "added": {
                "items": list(found.items),
                "found": found.found,
                "exact": found.exact,
                "rank_after": found.rank_after,
                "tried": found.tried,
            },
            "text": {lang: self.text(lang) for lang in LANGUAGES},
        }


def why_not(ledger: Ledger) -> WhyNot:
    """The WhyNot of a ledger's item. Raises InputError where the item is in the list, or may not be in it."""
    question, scores = ledger.question, ledger.cache.scores
    if ledger.rank is None or ledger.rank <= question.k:
        found = "never_listed" if ledger.rank is None else "listed_at"
        refuse("not_missing", found=found, got=ledger.rank, k=question.k)
    last = int(top_k(scores[None, :], question.allowed[None, :], question.k).items[0][-1])
    return WhyNot(ledger, type(ledger)(ledger.scorer, question._replace(target=last)))


# --- what would bring it in -------------------------------------------------------------------------------------------


def _added(scorer: Scorer, question: Question) -> Added:
    history, chosen, tried = question.history, list[int](), 0
    names = scorer.data_.items
    for step in range(MOST_ADDED):
        pool = _plausible(scorer, question, history)
        looks = _margins(scorer, question, history, pool)
        pool = pool if looks is not None else pool[:SERVED]
        tried = max(tried, len(pool))
        order = np.argsort(looks, kind="stable") if looks is not None else np.arange(len(pool))
        best: tuple[int, int] | None = None
        for at in order[:CLOSEST] if looks is not None else order:
            after = _with(scorer, history, [int(pool[at])])
            rank = _rank_with(scorer, question, after)
            if best is None or rank < best[0]:
                best = rank, int(pool[at])
            if rank <= question.k and looks is not None:
                break
        if best is None:
            break
        chosen.append(best[1])
        history = _with(scorer, history, [best[1]])
        if best[0] <= question.k:
            ids, titles = (tuple(column[row] for row in chosen) for column in (names.ids, names.titles))
            return Added(ids, titles, True, step == 0, best[0], tried)
    return Added((), (), False, False, None, tried)


def _plausible(scorer: Scorer, question: Question, history: History) -> np.ndarray:
    """The items that the model thinks most likely to come next, without the target."""
    may = question.allowed_after(history)
    may[question.target] = False
    best = top_k(scorer.scores_of(history)[None, :], may[None, :], POOL).items[0]
    found: np.ndarray = best[best >= 0]
    return found


def _with(scorer: Scorer, history: History, items: list[int]) -> History:
    """`history` with further events after it, the last of age 0, rated as the person rates what they like."""
    kind = None
    rating = None if history.rating is None else _liked(history.rating, scorer.data_.scale)
    if history.kind is not None and len(history):
        kinds, counts = np.unique(history.kind.astype(str), return_counts=True)
        kind = str(kinds[np.argmax(counts)])
    return history.followed_by(items, rating, kind)


def _liked(rating: np.ndarray, scale: Scale | None) -> float | None:
    """The rating in the middle of those in the upper half of the scale; of amounts, the one in the middle of all.

    The upper end of the scale where nothing is rated so high; None where nothing says what a rating could be.
    """
    rated = rating[~np.isnan(rating)]
    if scale is None and not len(rated):
        return None
    amounts = scale is not None and scale.kind != "opinion"
    low, high = (float(rated.min()), float(rated.max())) if scale is None else (scale.low, scale.high)
    liked = rated if amounts else rated[rated >= (low + high) / 2]
    if len(liked):
        return float(np.median(liked))
    return None if amounts else high


def _rank_with(scorer: Scorer, question: Question, history: History) -> int:
    return rank_of(scorer.scores_of(history), question.target, question.allowed_after(history)) or 0


def _margins(scorer: Scorer, question: Question, history: History, pool: np.ndarray) -> np.ndarray | None:
    """(P,) how far ahead of the target the list's last item would be with each of `pool` added: the less, the better.

    None where the model's heads do not tell. All of the pool become events of age 0, of which one at a time is in
    sight; measured against the best items of now, so it is what looks best, and has to be served.
    """
    if not len(pool):
        return np.empty(0)
    allowed = question.allowed_after(history)
    allowed[question.target] = False
    best = top_k(scorer.scores_of(history)[None, :], allowed[None, :], BEST).items[0]
    together = replace(
        _with(scorer, history, pool.tolist()), age=np.concatenate([history.age + 1, np.zeros(len(pool))])
    )
    competitors = Competitors.among(scorer, together, question.target, best[best >= 0])
    if competitors is None or len(competitors.items) < question.k:
        return None
    live = np.zeros((len(pool), int(together.live.sum())), bool)
    live[:, : int(history.live.sum())] = True
    live[np.arange(len(pool)), int(history.live.sum()) + np.arange(len(pool))] = True
    lead = competitors.lead(live)
    if question.seen == "drop":  # what has been acted on is in the list no more
        lead[competitors.items[None, :] == pool[:, None]] = np.inf
    return -np.partition(lead, question.k - 1, axis=1)[:, question.k - 1]
