"""What several explanations of one history share, computed once and kept with the model.

The ten explanations of a list have the served scores, the scores without each event and the bounds of the search for
counterfactuals in common. The cache of the last history that a model was asked about is kept with the model; it is
dropped with the model, or when the model is fitted again.

What is masked is an item with all its events: who has played a song six times asks what the song did, not its third
time. Arrays over the events of a history hold at each event what masking its item does.

Ranks are exact. Scores without each event come from sums in another order than the served ones, so where two scores
differ by less than rounding can tell, the model is asked for the very scores that it would serve.
"""

from __future__ import annotations

import threading
import weakref
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from xattn.data import History
from xattn.errors import check_no_overflow
from xattn.explain.question import Approximation, Scorer, comes_before, rank_of
from xattn.kernels.approximate import count_ahead
from xattn.kernels.topk import top_k

__all__ = ["HistoryCache", "cache_of"]

MOST_KEPT = 24_000_000  # scores without each event (events × items) that are kept: 96 MB; a longer history asks anew
MOST_SETS = 24  # sets of events without which scores are kept: the explanations of a list share their first reasons
MANY = 600  # items that may be ahead of a target without some event, as long as that is quick to tell
MOST_SERVED = 4  # events without which the target may be behind more than that, for which the list is served anew
TIED = 1e-11  # of the largest score: sums of the same terms in two orders differ by less
BLOCK = 2_000_000  # numbers (targets × events, or maskings × events) held at a time: 16 MB


class HistoryCache:
    """`scores` (M,) as served for `history`, and what the model would serve without events of it."""

    def __init__(self, scorer: Scorer, history: History) -> None:
        self._scorer = weakref.ref(scorer)  # the model keeps the cache alive, not the cache the model
        self.history = history
        self._reaches: dict[int, np.ndarray | None] = {}
        self._served: dict[tuple[int, ...], np.ndarray] = {}

    @property
    def scorer(self) -> Scorer:
        scorer = self._scorer()
        assert scorer is not None, "whoever asks holds the model"
        return scorer

    @cached_property
    def scores(self) -> np.ndarray:
        scores = check_no_overflow("scores", self.scorer.scores_of(self.history))
        scores.flags.writeable = False
        return scores

    def served(self, positions: tuple[int, ...]) -> np.ndarray:
        """(M,) the scores that the model serves without the items at these positions; the last few are kept."""
        scores = self._served.get(positions)
        if scores is None:
            scores = self.scorer.scores_of(self.history.without(self.history.alike(positions)))
            check_no_overflow("scores", scores)
            while len(self._served) >= MOST_SETS:
                self._served.pop(next(iter(self._served)), None)
            self._served[positions] = scores
        return scores

    def served_without_each(self, events: np.ndarray, items: np.ndarray) -> np.ndarray:
        """(R, J) the scores of `items` that the model serves without the item of each of the `events` (R,) in turn."""
        found = np.empty((len(events), len(items)))
        step = max(1, BLOCK // max(len(self.history), len(items), 1))
        for low in range(0, len(events), step):
            block = events[low : low + step]
            live = self.history.live & (self.history.item != self.history.item[block][:, None])
            found[low : low + step] = self.scorer.scores_masked(self.history, live, items)
        return found

    def scores_without_each(self, items: np.ndarray) -> np.ndarray:
        """(J, n) the scores of `items` without the item of each event in turn, all its events masked together."""
        scores = self.scorer.scores_without_each(self.history, items)
        if len(self._several):
            scores[:, self._at] = self.served_without_each(self._several, items)[self._which].T
        return scores

    def without_each(self, target: int) -> np.ndarray:
        """(n,) the target's score without the item of each event."""
        return np.asarray(self.scores_without_each(np.array([target]))[0])

    @cached_property
    def _several(self) -> np.ndarray:
        """The newest event of each item that was met several times."""
        newest = self.history.newest
        return np.asarray(newest[self.history.repeated[newest]])

    @cached_property
    def _at(self) -> np.ndarray:
        """All events of these items."""
        return np.flatnonzero(self.history.repeated)

    @cached_property
    def _which(self) -> np.ndarray:
        """The place in `_several` of the item of each event of `_at`."""
        items = self.history.item[self._several]
        order = np.argsort(items)
        return np.asarray(order[np.searchsorted(items, self.history.item[self._at], sorter=order)])

    # --- ranks --------------------------------------------------------------------------------------------------------

    @cached_property
    def _near(self) -> Approximation | None:
        if len(self.history) * len(self.scorer.base_) > MOST_KEPT:
            return None
        near = self.scorer.approximate_of(self.history)
        if near is None:  # exact, then, to rounding
            every = np.arange(len(self.scorer.base_))
            exact = np.ascontiguousarray(self.scores_without_each(every).T)
            return Approximation(exact, np.full(len(every), self.tied))
        if len(self._several):
            near.scores[self._at] = self.served_without_each(self._several, np.arange(len(self.scorer.base_)))[
                self._which
            ]
        return near

    @cached_property
    def _most(self) -> np.ndarray:
        """(M,) what no score without one event exceeds."""
        assert self._near is not None
        most: np.ndarray = self._near.scores.max(axis=0, initial=-np.inf) + self._near.slack
        return most

    @cached_property
    def tied(self) -> float:
        """Scores that differ by no more may be equal, or in the other order, as they are served."""
        return TIED * float(np.abs(self.scores).max(initial=0.0))

    def ranks_without_each(self, target: int, own: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """(n,) the target's rank among the `allowed` items without each event, where its score is `own` (n,)."""
        if not len(self.history):
            return np.zeros(0, np.int64)
        others, events = allowed.copy(), np.arange(len(own))
        others[target] = False
        if self._near is None:
            return 1 + self._ahead(np.flatnonzero(others), target, own, events)
        ranks, far = np.zeros(len(own), np.int64), self._far_behind(others, own)
        for event in far.tolist():
            ranks[event] = rank_of(self.served((event,)), target, allowed) or 0
        rows = np.setdiff1d(events, far)
        if len(rows):
            items = np.flatnonzero(others & (self._most >= own[rows].min()))  # nobody else is ever ahead
            near = np.ascontiguousarray(self._near.scores[np.ix_(rows, items)])
            ahead, flagged = count_ahead(near, self._near.slack[items], np.ones(len(items), bool), own[rows])
            ranks[rows] = 1 + ahead + self._ahead(items[flagged], target, own, rows)
        return ranks

    def _far_behind(self, others: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Events without which so many items may be ahead that serving is quicker than telling them apart; a few."""
        count = int(others.sum())
        if count <= MANY:
            return np.empty(0, np.int64)
        edge = np.partition(self._most[others], count - MANY)[count - MANY]
        far = np.flatnonzero(own < edge)
        return far if len(far) <= MOST_SERVED else np.empty(0, np.int64)

    def _ahead(self, items: np.ndarray, target: int, own: np.ndarray, events: np.ndarray) -> np.ndarray:
        """(R,) how many of `items` are served before the target without each of the `events` (R,)."""
        ahead, base = np.zeros(len(events), np.int64), self.scorer.base_
        idle = bool((own == base[target]).all())
        step = max(1, BLOCK // max(len(own), 1))
        for low in range(0, len(items), step):
            block = items[low : low + step]
            scores = self.scores_without_each(block)
            close = np.abs(scores - own) <= self.tied
            if idle:  # no event says anything of the target: where that holds of another item too, equal is equal
                close[(scores == base[block][:, None]).all(axis=1)] = False
            before = comes_before(scores, block[:, None], own, target) & ~close
            ahead += np.count_nonzero(before[:, events], axis=0)
            ahead += self._close_ahead(block, close[:, events], target, events)
        return ahead

    def _close_ahead(self, items: np.ndarray, close: np.ndarray, target: int, events: np.ndarray) -> np.ndarray:
        """(R,) how many of the pairs `close` (J, R) of items and events are served before the target."""
        ahead, rows, columns = np.zeros(len(events), np.int64), close.any(axis=1), close.any(axis=0)
        if rows.any():
            served = self.served_without_each(events[columns], np.concatenate([[target], items[rows]]))
            before = comes_before(served[:, 1:], items[rows], served[:, :1], target)
            ahead[columns] = np.count_nonzero(before & close[rows][:, columns].T, axis=1)
        return ahead

    # --- lists and sets of events -------------------------------------------------------------------------------------

    def lists_without_each(self, k: int, allowed: np.ndarray) -> np.ndarray:
        """(n, k) rows of the `k` best `allowed` items without each event, as served; −1 where there are fewer."""
        n = len(self.history)
        lists = np.full((n, k), -1, np.int64)
        if not k or not n:
            return lists
        items = self._near_the_top(k, allowed)
        scores = np.empty((n, len(items)))
        step = max(1, BLOCK // n)
        for low in range(0, len(items), step):
            block = items[low : low + step]
            scores[:, low : low + step] = self.scores_without_each(block).T
        best = top_k(scores, None, k + 1).items
        listed = np.where(best >= 0, np.take_along_axis(scores, np.maximum(best, 0), axis=1), -np.inf)
        with np.errstate(invalid="ignore"):  # −inf − −inf, where there are fewer
            close = np.flatnonzero((listed[:, :-1] - listed[:, 1:] <= self.tied).any(axis=1))
        if len(close):
            best[close] = top_k(self.served_without_each(close, items), None, k + 1).items
        found = best[:, :k]
        lists[:, : found.shape[1]] = np.where(found >= 0, items[found], -1)
        return lists

    def _near_the_top(self, k: int, allowed: np.ndarray) -> np.ndarray:
        """Rows, in their order, of all items that may be among the `k` best `allowed` ones without some event."""
        if self._near is None:
            return np.flatnonzero(allowed)
        scores, slack = self._near.scores, self._near.slack
        sure = top_k(scores - slack, allowed, k).items[:, -1]  # the k-th of what scores are at least
        edge = np.where(sure >= 0, scores[np.arange(len(scores)), sure] - slack[sure], -np.inf)
        may: np.ndarray = ((scores + slack) >= edge[:, None]).any(axis=0) & allowed
        return np.flatnonzero(may)

    def reach(self, m: int) -> np.ndarray | None:
        """(M,) what each item's score cannot exceed when up to `m` items are masked; None where no bound is known."""
        if m not in self._reaches:
            often = np.sort(np.unique(self.history.item[self.history.live], return_counts=True)[1])
            self._reaches[m] = self.scorer.reach_of(self.history, int(often[-m:].sum()))
        return self._reaches[m]


class _Kept:
    """The last cache of a model, with the model's attributes as they were then."""

    def __init__(self, cache: HistoryCache, state: dict[str, Any]) -> None:
        self.cache = cache
        self.state = state

    def fits(self, state: dict[str, Any], history: History) -> bool:
        """The history is the same, and no attribute of the model has been set since."""
        same = len(state) == len(self.state) and all(state[name] is self.state.get(name, self) for name in state)
        return same and _equal(self.cache.history, history)


_last: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
_lock = threading.Lock()


def cache_of(scorer: Scorer, history: History) -> HistoryCache:
    """The cache of this history: the kept one where it is the last that this model was asked about, else a new one."""
    state = dict(vars(scorer))
    with _lock:
        kept = _last.get(scorer)
    if kept is not None and kept.fits(state, history):
        return kept.cache
    cache = HistoryCache(scorer, history)
    with _lock:
        _last[scorer] = _Kept(cache, state)
    return cache


def _equal(a: History, b: History) -> bool:
    if a is b:
        return True
    if len(a) != len(b) or a.user != b.user:
        return False
    for name in ("item", "live", "age", "rating", "kind", "elapsed"):
        x, y = getattr(a, name), getattr(b, name)
        if (x is None) != (y is None) or (x is not None and y is not None and not np.array_equal(x, y)):
            return False
    return True
