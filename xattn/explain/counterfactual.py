"""The counterfactual: a smallest set of events without which the target is not in the list, and what takes its place.

Sizes 1 (always) and 2 (for short histories) are searched through, so the answer is then exact: no smaller set does
it. Beyond, ever more events are masked in the order of their removal effects, all of them at last, until the target
is out, and what was not needed is put back; that set is small, not proven smallest, and says so. Every set that is
returned was re-scored through the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from xattn.explain.question import Question, Scorer, rank_of
from xattn.explain.removal import Removals
from xattn.kernels.topk import top_k

__all__ = ["Counterfactual", "counterfactual"]

ALL_TRIED = 3  # of so few events, singles, pairs and all together are all the sets there are
MOST_PAIRS = 120  # pairs of events that are all tried: histories of up to 16 events


@dataclass(frozen=True)
class Counterfactual:
    """`remove` (item ids) drops the target out of the top k; `replaced_by` then enters it.

    `positions` are the events' places in the history. `exact`: no smaller set does it. `found` is False where the
    target was not in the list to begin with, or stayed in it with every set that was tried, the whole history among
    them (`exact`: every set was tried); `remove` is empty in both cases.
    """

    remove: tuple[str, ...]
    positions: tuple[int, ...]
    exact: bool
    found: bool
    replaced_by: str | None
    k: int
    rank_after: int | None


def counterfactual(scorer: Scorer, question: Question, single: Removals) -> Counterfactual:
    """Search for the set; `single` are the removals of single events."""
    history, k = question.history, question.k
    rank = rank_of(scorer.scores_of(history), question.target, question.allowed)
    live = np.flatnonzero(history.live)

    def rank_without(positions: tuple[int, ...]) -> int:
        scores = scorer.scores_of(history.without(list(positions)))
        return rank_of(scores, question.target, question.allowed) or 0

    if rank is None or rank > k or not len(live):
        return Counterfactual((), (), True, False, None, k, rank)
    out = live[single.rank[live] > k]
    if len(out):
        best = int(out[np.argmin(single.score[out])])
        return _answer(scorer, question, (best,), exact=True)
    pairs_tried = len(live) * (len(live) - 1) // 2 <= MOST_PAIRS
    if pairs_tried:
        for pair in combinations(live.tolist(), 2):
            if rank_without(pair) > k:
                return _answer(scorer, question, pair, exact=True)
    order = live[np.argsort(single.score[live], kind="stable")].tolist()  # the worst loss first
    sizes = [*sorted({round(2 * 1.25**step) for step in range(60)} & set(range(2, len(order)))), len(order)]
    high = next((size for size in sizes if rank_without(tuple(order[:size])) > k), None)
    if high is None:
        return Counterfactual((), (), len(order) <= ALL_TRIED, False, None, k, rank)
    chosen, before = order[:high], 0
    while len(chosen) != before:  # an event that was needed may be idle once another is back, so until nothing changes
        before = len(chosen)
        for position in reversed(chosen):
            fewer = [p for p in chosen if p != position]
            if fewer and rank_without(tuple(fewer)) > k:
                chosen = fewer
    return _answer(scorer, question, tuple(chosen), exact=len(chosen) == (3 if pairs_tried else 2))


def _answer(scorer: Scorer, question: Question, positions: tuple[int, ...], exact: bool) -> Counterfactual:
    history, k, ids = question.history, question.k, scorer.data_.items.ids
    after = scorer.scores_of(history.without(list(positions)))
    allowed = question.allowed[None, :]
    old, new = (top_k(s[None, :], allowed, k).items[0] for s in (scorer.scores_of(history), after))
    entered = [int(j) for j in new if j >= 0 and j not in old]
    return Counterfactual(
        remove=tuple(ids[history.item[p]] for p in positions),
        positions=tuple(int(p) for p in positions),
        exact=exact,
        found=True,
        replaced_by=ids[entered[0]] if entered else None,
        k=k,
        rank_after=rank_of(after, question.target, question.allowed),
    )
