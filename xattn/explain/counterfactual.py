"""The counterfactual: a smallest set of events without which the target is not in the list, and what takes its place.

Single events are all tried. Larger sets are searched through size by size with bounds that rule out most of them
(`kernels/minimal.py`), as long as the search is short; what it finds is then exact: no smaller set does it. Beyond, the
set grows by the event that brings the target closest to the edge of the list, and what was not needed is put back; that
set is small, not proven smallest, and says so, with the size that is known to be needed. Models whose heads do not tell
what a set does are asked about pairs of few events one by one.

Every set that is returned was served by the model: the rank after it and the newcomer are the served ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from xattn.explain.cache import Study
from xattn.explain.competitors import Race
from xattn.explain.question import Question, rank_of
from xattn.explain.removal import Removals
from xattn.kernels.minimal import FOUND, NONE, smallest_of_size
from xattn.kernels.topk import top_k

__all__ = ["Counterfactual", "counterfactual"]

ALL_TRIED = 3  # of so few events, singles, pairs and all together are all the sets there are
MOST_PAIRS = 120  # pairs of events that are all tried by serving them: histories of up to 16 events
SIZES = (2, 4, 7)  # the search prepares for sets of up to so many events, then for larger ones
MOST_STEPS = 30e6  # comparisons of a search in one size: some 30 ms


@dataclass(frozen=True)
class Counterfactual:
    """`remove` (item ids) drops the target out of the top k; `replaced_by` then enters it.

    `positions` are the events' places in the history. `exact`: no smaller set does it; `at_least` is the size that is
    known to be needed, which is then their number. `found` is False where the target was not in the list to begin with,
    or stayed in it with every set that was tried, the whole history among them (`exact`: every set was tried);
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


def counterfactual(study: Study, question: Question, single: Removals) -> Counterfactual:
    """Search for the set; `single` are the removals of single events."""
    history, k = question.history, question.k
    rank = rank_of(study.scores, question.target, question.allowed)
    live = np.flatnonzero(history.live)
    nothing = Counterfactual((), (), True, False, None, k, rank)
    if rank is None or rank > k or not len(live):
        return nothing
    served = _Served(study, question)
    out = live[single.rank[live] > k]
    if len(out):
        best = int(out[np.argmin(single.score[out])])
        if served.drops((best,)):
            return _answer(served, question, study, _Found((best,), 1))
    found = _searched(served, study, question)
    if found.positions is None:
        found = _tried(served, single, live, found.at_least)
    if found.positions is None:
        return Counterfactual((), (), len(live) <= ALL_TRIED, False, None, k, rank, found.at_least)
    return _answer(served, question, study, found)


class _Served:
    """What the model serves without sets of events."""

    def __init__(self, study: Study, question: Question) -> None:
        self.study = study
        self.question = question

    def scores(self, positions: tuple[int, ...]) -> np.ndarray:
        return self.study.served(positions)

    def rank(self, positions: tuple[int, ...]) -> int:
        return rank_of(self.scores(positions), self.question.target, self.question.allowed) or 0

    def drops(self, positions: tuple[int, ...]) -> bool:
        return self.rank(positions) > self.question.k


# --- by the heads -----------------------------------------------------------------------------------------------------


def _searched(served: _Served, study: Study, question: Question) -> _Found:
    """The search with bounds, then the greedy one; no set where the model's heads do not tell."""
    n = int(question.history.live.sum())
    at_least, race, last = 2, None, 0
    for most in SIZES:
        wider = Race.of(study, question, min(most, n))
        if wider is None:
            break
        race = wider
        for m in range(max(last + 1, 2), min(most, n - 1) + 1):
            status, events = smallest_of_size(race.heads, m, question.k, race.tol, MOST_STEPS)
            positions = tuple(race.positions[events].tolist())
            if status == FOUND and served.drops(positions):
                return _Found(positions, at_least)
            if status != NONE:  # out of time, or a tie that rounding made
                return _greedy(served, race, question, at_least)
            at_least = m + 1
        last = most
    return _Found(None, at_least) if race is None else _greedy(served, race, question, at_least)


def _greedy(served: _Served, race: Race, question: Question, at_least: int) -> _Found:
    """Mask the event that brings the target closest to the edge, until it is out; then put back what was not needed."""
    n, k = len(race.positions), question.k
    if len(race.competitors) < k:  # too few may ever be ahead
        return _Found(None, at_least)
    live = np.ones(n, bool)
    chosen: list[int] = []

    def margin(d: np.ndarray) -> np.ndarray:
        """(B,) how far the target is from being out: ≤ 0 where k competitors are ahead."""
        return np.partition(d, k - 1, axis=1)[:, k - 1]

    while len(chosen) < n:
        margins = margin(race.ahead_without_each(live))
        best = int(np.flatnonzero(live)[np.argmin(margins)])
        live[best] = False
        chosen.append(best)
        if margins.min() <= race.tol and served.drops(_at(race, chosen)):
            break
    else:
        return _Found(None, at_least)
    before = 0
    while len(chosen) != before:  # an event that was needed may be idle once another is back, so until nothing changes
        before = len(chosen)
        for event in list(chosen):
            fewer = [p for p in chosen if p != event]
            if not fewer:
                continue
            kept = np.ones(n, bool)
            kept[fewer] = False
            if margin(race.ahead(kept[None]))[0] <= race.tol and served.drops(_at(race, fewer)):
                chosen = fewer
    return _Found(_at(race, chosen), at_least)


def _at(race: Race, events: list[int]) -> tuple[int, ...]:
    return tuple(sorted(race.positions[events].tolist()))


# --- by asking --------------------------------------------------------------------------------------------------------


def _tried(served: _Served, single: Removals, live: np.ndarray, at_least: int) -> _Found:
    """Pairs of few events, then ever more events in the order of their effects, each set served."""
    if at_least == 2 and len(live) * (len(live) - 1) // 2 <= MOST_PAIRS:
        for pair in combinations(live.tolist(), 2):
            if served.drops(pair):
                return _Found(pair, 2)
        at_least = 3
    order = live[np.argsort(single.score[live], kind="stable")].tolist()  # the worst loss first
    sizes = [*sorted({round(2 * 1.25**step) for step in range(60)} & set(range(2, len(order)))), len(order)]
    high = next((size for size in sizes if served.drops(tuple(sorted(order[:size])))), None)
    if high is None:
        return _Found(None, at_least)
    chosen = _needed(order[:high], served.drops)
    return _Found(tuple(sorted(chosen)), at_least)


def _needed(chosen: list[int], drops: Callable[[tuple[int, ...]], bool]) -> list[int]:
    """`chosen` without what is idle: each event that is left is needed."""
    before = 0
    while len(chosen) != before:
        before = len(chosen)
        for position in reversed(chosen):
            fewer = [p for p in chosen if p != position]
            if fewer and drops(tuple(sorted(fewer))):
                chosen = fewer
    return chosen


def _answer(served: _Served, question: Question, study: Study, found: _Found) -> Counterfactual:
    assert found.positions is not None
    k, ids = question.k, study.scorer.data_.items.ids
    after = served.scores(found.positions)
    allowed = question.allowed[None, :]
    old, new = (top_k(s[None, :], allowed, k).items[0] for s in (study.scores, after))
    entered = np.setdiff1d(new[new >= 0], old, assume_unique=True)
    first = [int(j) for j in new if j in entered]
    return Counterfactual(
        remove=tuple(ids[question.history.item[p]] for p in found.positions),
        positions=found.positions,
        exact=len(found.positions) <= found.at_least,
        found=True,
        replaced_by=ids[first[0]] if first else None,
        k=k,
        rank_after=served.rank(found.positions),
        at_least=found.at_least,
    )
