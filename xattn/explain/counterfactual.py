"""The counterfactual: a smallest set of events without which the target is not in the list, and what takes its place.

Single events are all tried. Larger sets are searched through size by size, with bounds that rule out most of them
(`kernels/minimal.py`), as long as the search is short. What it finds is exact: no smaller set does it. Where the search
would take too long, the set grows by the event that brings the target closest to the edge of the list, and events that
turn out not to be needed are put back. Such a set is small but not proven smallest: it says so, and gives the size that
is known to be needed. A model whose heads do not tell what a set does is asked about pairs of few events one by one.

Every set that is returned was served by the model: the rank after it and the newcomer are the served ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from xattn.explain.cache import HistoryCache
from xattn.explain.competitors import Competitors
from xattn.explain.question import Question, rank_of
from xattn.explain.removal import Removals
from xattn.kernels.minimal import FOUND, NONE, smallest_of_size
from xattn.kernels.topk import top_k

__all__ = ["Counterfactual", "counterfactual"]

MOST_PAIRS = 120  # pairs of events that are all tried by serving them: histories of up to 16 events
SIZES = (2, 4, 7)  # the search prepares for sets of up to so many events, then for larger ones
MOST_STEPS = 30e6  # comparisons of a search in one size: some 30 ms


@dataclass(frozen=True)
class Counterfactual:
    """`remove` (item ids) drops the target out of the top k; `replaced_by` then enters it.

    `positions` are the events' places in the history. `exact`: no smaller set does it; `at_least` is the size that is
    known to be needed, which is then their number. `found` is False where the target was not in the list to begin with,
    or stayed in it with every set that was tried, the whole history among them (`exact`: no set at all does it);
    `remove` is empty in both cases.
    """

    remove: tuple[str, ...]
    positions: tuple[int, ...]
    exact: bool
    found: bool
    replaced_by: str | None
    k: int
    rank_after: int | None
    at_least: int = 0


class _Found(NamedTuple):
    """A set that drops the target, or None, and the size that every such set is known to have at least."""

    positions: tuple[int, ...] | None
    at_least: int


def counterfactual(cache: HistoryCache, question: Question, single: Removals) -> Counterfactual:
    """Search for the set; `single` are the removals of single events, whose ranks are the served ones."""
    rank = rank_of(cache.scores, question.target, question.allowed)
    live = np.flatnonzero(question.history.live)
    if rank is None or rank > question.k or not len(live):
        return Counterfactual((), (), True, False, None, question.k, rank)
    served = _Served(cache, question)
    alone = live[single.rank[live] > question.k]
    found = _Found((int(alone[np.argmin(single.score[alone])]),), 1) if len(alone) else _searched(served)
    if found.positions is None:
        found = _tried(served, single, live, found.at_least)
    if found.positions is None:  # the whole history was tried, and each smaller set if they are known to be too small
        every = found.at_least >= len(live)
        return Counterfactual((), (), every, False, None, question.k, rank, found.at_least)
    return _answer(served, found.positions, found.at_least)


class _Served(NamedTuple):
    """What the model serves without sets of events."""

    cache: HistoryCache
    question: Question

    def scores(self, positions: tuple[int, ...]) -> np.ndarray:
        return self.cache.served(positions)

    def rank(self, positions: tuple[int, ...]) -> int:
        return rank_of(self.scores(positions), self.question.target, self.question.allowed) or 0

    def drops(self, positions: tuple[int, ...]) -> bool:
        return self.rank(positions) > self.question.k


# --- by the heads -----------------------------------------------------------------------------------------------------


def _searched(served: _Served) -> _Found:
    """The search with bounds, then the greedy one; no set where the model's heads do not tell."""
    question = served.question
    n = int(question.history.live.sum())
    at_least, competitors = 2, None
    for most in SIZES:
        wider = Competitors.of(served.cache, question, min(most, n))
        if wider is None:
            break
        competitors = wider
        for m in range(at_least, min(most, n - 1) + 1):
            status, events = smallest_of_size(competitors.heads, m, question.k, competitors.tolerance, MOST_STEPS)
            positions = tuple(competitors.positions[events].tolist())
            if status == FOUND and served.drops(positions):
                return _Found(positions, at_least)
            if status != NONE:  # out of time, or a tie that rounding made
                return _greedy(served, competitors, at_least)
            at_least = m + 1
    return _Found(None, at_least) if competitors is None else _greedy(served, competitors, at_least)


def _greedy(served: _Served, competitors: Competitors, at_least: int) -> _Found:
    """Mask the event that brings the target closest to the edge, until it is out; then put back what was not needed."""
    n, k = len(competitors.positions), served.question.k
    if len(competitors.items) < k:  # too few may ever be ahead
        return _Found(None, at_least)
    live = np.ones(n, bool)
    chosen: list[int] = []

    def margin(lead: np.ndarray) -> np.ndarray:
        """(B,) how far the target is from being out: ≤ 0 where k competitors are ahead."""
        return np.partition(lead, k - 1, axis=1)[:, k - 1]

    def positions(events: list[int]) -> tuple[int, ...]:
        return tuple(sorted(competitors.positions[events].tolist()))

    def drops(events: list[int]) -> bool:
        kept = np.ones((1, n), bool)
        kept[0, events] = False
        return bool(margin(competitors.lead(kept))[0] <= competitors.tolerance) and served.drops(positions(events))

    while len(chosen) < n:
        margins = margin(competitors.lead_without_each(live))
        best = int(np.flatnonzero(live)[np.argmin(margins)])
        live[best] = False
        chosen.append(best)
        if margins.min() <= competitors.tolerance and served.drops(positions(chosen)):
            return _Found(positions(_needed(chosen, drops)), at_least)
    return _Found(None, at_least)


def _needed(chosen: list[int], drops: Callable[[list[int]], bool]) -> list[int]:
    """`chosen` without what is idle: each event that is left is needed."""
    before = 0
    while len(chosen) != before:  # an event that was needed may be idle once another is back, so until nothing changes
        before = len(chosen)
        for event in list(chosen):
            fewer = [e for e in chosen if e != event]
            if fewer and drops(fewer):
                chosen = fewer
    return chosen


# --- by serving -------------------------------------------------------------------------------------------------------


def _tried(served: _Served, single: Removals, live: np.ndarray, at_least: int) -> _Found:
    """Pairs of few events, then ever more events in the order of their effects, each set served."""
    if at_least == 2 and len(live) * (len(live) - 1) // 2 <= MOST_PAIRS:
        for pair in combinations(live.tolist(), 2):
            if served.drops(pair):
                return _Found(pair, 2)
        at_least = 3

    def positions(events: list[int]) -> tuple[int, ...]:
        return tuple(sorted(events))

    order = live[np.argsort(single.score[live], kind="stable")].tolist()  # the worst loss first
    sizes = [*sorted({round(2 * 1.25**step) for step in range(60)} & set(range(2, len(order)))), len(order)]
    enough = next((size for size in sizes if served.drops(positions(order[:size]))), None)
    if enough is None:
        return _Found(None, at_least)
    needed = _needed(order[enough - 1 :: -1], lambda events: served.drops(positions(events)))
    return _Found(positions(needed), at_least)


def _answer(served: _Served, positions: tuple[int, ...], at_least: int) -> Counterfactual:
    """The answer of a set that drops the target, with what the model then serves."""
    cache, question = served.cache, served.question
    k, ids = question.k, cache.scorer.data_.items.ids
    old, new = (
        top_k(scores[None, :], question.allowed[None, :], k).items[0]
        for scores in (cache.scores, served.scores(positions))
    )
    entered = [int(j) for j in new if j >= 0 and j not in old]
    return Counterfactual(
        remove=tuple(ids[question.history.item[p]] for p in positions),
        positions=positions,
        exact=len(positions) <= at_least,
        found=True,
        replaced_by=ids[entered[0]] if entered else None,
        k=k,
        rank_after=served.rank(positions),
        at_least=at_least,
    )
