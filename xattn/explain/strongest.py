"""The strongest sets: for each size K the K events without which a score is lowest, found by asking the model.

Or without which the *lead* is smallest, the score less that of the k-th best other item: what keeps an item among the
k best. Most of a score may come from events that speak for its rivals as well; without them it stays where it is.

    f(S)                                                  the score with the set S of events masked
    f(S ∪ i) ≈ f(S) + f(i) − f(∅) + Σ_{j∈S} d_ij          d_ij = f(i, j) − f(i) − f(j) + f(∅)

Effects are no sum: two events may stand in for each other, so that neither is missed alone, and the K largest single
effects are no best set of K. Sets are therefore asked about, up to a budget of each size. All single events are asked,
and all pairs, or as many as the budget allows, of the events that are missed most. Of larger sets all are asked where
they are few enough; else those of which the second line, whose pairs are known, foretells the lowest scores, and runs
of events that came one after the other, which sequential models take as one. What was asked is true of each set; which
sets were asked says whether the best of them is the best there is.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, combinations
from math import comb
from typing import NamedTuple

import numpy as np
import pandas as pd

from xattn.explain.cache import HistoryCache
from xattn.explain.question import Question, rank_of
from xattn.progress import Progress, listener, part_of, told_to

__all__ = ["BUDGET", "GOALS", "Strongest", "leads", "strongest_frame", "strongest_sets", "sufficient_frame"]

BUDGET = 500  # sets of each size: all pairs of 32 events, all triples of 15; docs/your-model.md has what it reaches
GOALS = ("score", "lead")
RUNS = 5  # one set in so many is a run
BLOCK = 1_000_000  # foretold scores held at a time: 8 MB
Value = Callable[[np.ndarray], np.ndarray]  # maskings (B, n), False where an event is masked → scores (B,)


class Strongest(NamedTuple):
    """A set of `events` (their places, in order), the `score` without it, and whether no set of its size has a lower
    one (`exact`); if not, no lower one is known."""

    events: tuple[int, ...]
    score: float
    exact: bool


def strongest_sets(
    value: Value, n: int, most: int, budget: int = BUDGET, progress: Progress | None = None
) -> list[Strongest]:
    """The strongest set of each size 1, 2, … `most` of n events, by about `budget` sets asked of each size.

    Of sets with equal scores the first in order is taken.

    >>> said = np.array([3.0, 2.0, 2.0])
    >>> for one in strongest_sets(lambda live: np.maximum(live @ said, 4.0), 3, 2):
    ...     print(one)
    Strongest(events=(0,), score=4.0, exact=True)
    Strongest(events=(0, 1), score=4.0, exact=True)
    """
    most = min(most, n)
    if not most:
        return []

    def asked(sets: np.ndarray) -> np.ndarray:
        """The scores without each of the sets, told as the stretch of their size."""
        K = sets.shape[1]
        tell = part_of(progress or listener(), (K - 1) / most, K / most)
        tell("without", 0.0)
        with told_to(tell):
            return np.asarray(value(_masked(sets, n)), np.float64)

    sets = np.arange(n)[:, None]
    scores = asked(sets)
    found = [_best(sets, scores, exact=True)]
    if most == 1:
        return found
    single = scores - float(value(np.ones((1, n), bool))[0])
    near = np.sort(np.argsort(scores, kind="stable")[: _pairs_of(budget)])
    sets = np.array(list(combinations(near.tolist(), 2)))
    pairs = asked(sets)
    joint = np.zeros((n, n))
    joint[sets[:, 0], sets[:, 1]] = pairs - scores[sets].sum(axis=1) + (scores[0] - single[0])
    joint += joint.T
    scores = pairs
    found.append(_best(sets, scores, exact=len(near) == n))
    for K in range(3, most + 1):
        every = comb(n, K) <= budget
        sets = _all(n, K) if every else _likely(sets, scores, single, joint, budget)
        scores = asked(sets)
        found.append(_best(sets, scores, every))
    return found


def _pairs_of(budget: int) -> int:
    """How many events have at most `budget` pairs; at least two."""
    return max(2, int((1 + (1 + 8 * budget) ** 0.5) // 2))


def _all(n: int, K: int) -> np.ndarray:
    """All sets (B, K) of K of n events."""
    flat = np.fromiter(chain.from_iterable(combinations(range(n), K)), np.int64, K * comb(n, K))
    return flat.reshape(-1, K)


def _masked(sets: np.ndarray, n: int) -> np.ndarray:
    """(B, n) the maskings that take out `sets` (B, K)."""
    live = np.ones((len(sets), n), bool)
    live[np.arange(len(sets))[:, None], sets] = False
    return live


def _best(sets: np.ndarray, scores: np.ndarray, exact: bool) -> Strongest:
    best = int(np.argmin(scores))
    return Strongest(tuple(sets[best].tolist()), float(scores[best]), exact)


def _likely(sets: np.ndarray, scores: np.ndarray, single: np.ndarray, joint: np.ndarray, budget: int) -> np.ndarray:
    """About `budget` sets, one event larger than `sets` (B, K): runs of events, the newest, and those foretold."""
    n, K = len(single), sets.shape[1] + 1
    runs = np.arange(n - K + 1)[-max(1, budget // RUNS) :, None] + np.arange(K)
    foretold = _foretold(sets, scores, single, joint, max(1, budget - len(runs)))
    return np.unique(np.concatenate([runs, foretold]), axis=0)


def _foretold(sets: np.ndarray, scores: np.ndarray, single: np.ndarray, joint: np.ndarray, budget: int) -> np.ndarray:
    """The `budget` sets, one event larger than `sets` (B, K), of which the lowest scores are foretold."""
    n, K = len(single), sets.shape[1]
    lowest = np.argsort(scores, kind="stable")[: max(1, BLOCK // n)]
    sets = sets[lowest]
    ahead = scores[lowest][:, None] + single + joint[sets].sum(axis=1)
    ahead[np.arange(len(sets))[:, None], sets] = np.inf  # an event is masked once
    flat = ahead.ravel()
    wanted = min(budget * (K + 1), len(flat) - K * len(sets))  # a set is reached from up to K + 1 smaller ones
    at = np.argpartition(flat, wanted - 1)[:wanted]
    at = at[np.argsort(flat[at], kind="stable")]
    grown = np.sort(np.column_stack([sets[at // n], at % n]), axis=1)
    first = np.sort(np.unique(grown, axis=0, return_index=True)[1])
    return np.asarray(grown[first[:budget]])


# --- of a recommendation ----------------------------------------------------------------------------------------------


def leads(scores: np.ndarray, target: int, others: np.ndarray, k: int) -> np.ndarray:
    """(B,) by how much the target's score is ahead of the k-th best of `others` (item rows), of `scores` (B, M).

    The worst of them counts where they are fewer; where there are none, the score itself.

    >>> leads(np.array([[3.0, 1.0, 2.0, 5.0]]), 0, np.array([1, 2, 3]), 2)
    array([1.])
    """
    k = min(k, len(others))
    own: np.ndarray = scores[:, target]
    return np.asarray(own - np.partition(scores[:, others], -k, axis=1)[:, -k]) if k else own


def strongest_frame(
    cache: HistoryCache, question: Question, most: int, by: str, budget: int, progress: Progress | None = None
) -> pd.DataFrame:
    """The strongest sets of items, all whose events are masked together; the columns are those of `Ledger.strongest`.

    Scores and ranks are served ones, whatever the search went by.
    """
    rows = []
    for one in _of_items(cache, question, most, by, budget, progress):
        gone = tuple(int(p) for p in question.history.newest[list(one.events)])
        size, events, masked, left, *placed = _served(cache, question, gone, gone)
        rows.append((size, events, masked, left - float(cache.scores[question.target]), left, *placed, one.exact))
    columns = ["size", "events", "positions", "effect", "score_without", "rank_without", "lead_without", "exact"]
    return pd.DataFrame(rows, columns=columns)


def sufficient_frame(
    cache: HistoryCache, question: Question, most: int, by: str, budget: int, progress: Progress | None = None
) -> pd.DataFrame:
    """The sets of items that hold the target up best when the events of all others are masked; the columns are those of
    `Ledger.sufficient`."""
    newest = question.history.newest.tolist()
    rows = []
    for one in _of_items(cache, question, most, by, budget, progress, alone=True):
        kept = tuple(newest[place] for place in one.events)
        gone = tuple(place for place in newest if place not in kept)
        rows.append((*_served(cache, question, kept, gone), one.exact))
    columns = ["size", "events", "positions", "score_alone", "rank_alone", "lead_alone", "exact"]
    return pd.DataFrame(rows, columns=columns)


def _served(
    cache: HistoryCache, question: Question, named: tuple[int, ...], gone: tuple[int, ...]
) -> tuple[int, tuple[str, ...], tuple[int, ...], float, int, float]:
    """Size, ids and all positions of the items whose newest events are `named`; score, rank and lead without `gone`."""
    history, target = question.history, question.target
    ids = cache.scorer.data_.items.ids
    after = cache.served(gone)
    rank = rank_of(after, target, question.allowed) or 0
    lead = float(leads(after[None, :], target, _others(question), question.k)[0])
    events = tuple(ids[int(history.item[p])] for p in named)
    return len(named), events, tuple(history.alike(named).tolist()), float(after[target]), rank, lead


def _others(question: Question) -> np.ndarray:
    """The rows of the other items that may be listed."""
    others: np.ndarray = np.flatnonzero(question.allowed)
    return np.asarray(others[others != question.target])


def _of_items(
    cache: HistoryCache, question: Question, most: int, by: str, budget: int, progress: Progress | None,
    *, alone: bool = False,
) -> list[Strongest]:  # fmt: skip
    """The sets, of places among the items in sight; those that are strongest when they are left `alone`, or else when
    they are gone. Where effects add up, they are the first ones of one order."""
    history, target, others = question.history, question.target, _others(question)
    newest = history.newest
    n, most = len(newest), min(most, len(newest))
    if by == "score" and _adds_up(cache, question):
        lost = cache.without_each(question.target)[newest] if n else np.zeros(0)
        order = np.argsort(lost, kind="stable").tolist()
        return [Strongest(tuple(sorted(order[:K])), np.nan, True) for K in range(1, most + 1)]
    place = np.full(len(history), n)  # of the item of each event; events out of sight have none
    for at, item in enumerate(history.item[newest].tolist()):
        place[history.live & (history.item == item)] = at

    def value(live: np.ndarray) -> np.ndarray:
        seen = np.column_stack([live, np.zeros(len(live), bool)])[:, place]
        if by == "score":
            return np.asarray(cache.scorer.scores_masked(history, seen, np.array([target]))[:, 0])
        rows, found = np.append(target, others), np.empty(len(seen))  # of the others all, so a few maskings at a time
        step = max(1, BLOCK // len(rows))
        for low in range(0, len(seen), step):
            scores = cache.scorer.scores_masked(history, seen[low : low + step], rows)
            found[low : low + step] = leads(scores, 0, np.arange(1, len(rows)), question.k)
        return found

    return strongest_sets((lambda live: -value(~live)) if alone else value, n, most, budget, progress)


def _adds_up(cache: HistoryCache, question: Question) -> bool:
    """Whether what a set takes is the sum of what its events take: heads that share no normaliser and no threshold."""
    fields = cache.scorer.fields_of(question.history, np.array([question.target]))
    return fields is not None and all(field.beta == 0.0 and field.theta == 0.0 for field in fields)
