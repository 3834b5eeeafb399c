"""One history of one model under study: what several explanations share is computed once.

The ten explanations of a list have the served scores, the scores without each event and the bounds of the search for
counterfactuals in common. The study of the last history that a model was asked about is kept with the model, and is
dropped with it, or when the model is fitted again.
"""

from __future__ import annotations

import threading
import weakref
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from xattn.data import History
from xattn.explain.question import Approximation, Scorer, rank_of
from xattn.kernels.approximate import count_ahead
from xattn.kernels.topk import top_k

__all__ = ["Study", "study_of"]

MOST_KEPT = 24_000_000  # scores without each event (events × items) that are kept: 96 MB; a longer history asks anew
MOST_SETS = 24  # sets of events without which scores are kept: the explanations of a list share their first reasons
MANY = 600  # items that may be ahead of a target without some event, as long as that is quick to tell
MOST_SERVED = 4  # events without which the target may be behind more than that, for which the list is served anew
TIED = 1e-13  # of the largest score
MOST_SETTLED = 32  # events for which a near tie is settled by serving; items far behind have twins by the dozen
BLOCK = 2_000_000  # scores (targets × events) held at a time: 16 MB


class Study:
    """`scores` (M,) as served for `history`, and what the model would serve without events of it."""

    def __init__(self, scorer: Scorer, history: History) -> None:
        self._scorer = weakref.ref(scorer)  # the model keeps the study alive, not the study the model
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
        scores: np.ndarray = self.scorer.scores_of(self.history)
        scores.flags.writeable = False
        return scores

    def served(self, positions: tuple[int, ...]) -> np.ndarray:
        """(M,) the scores that the model serves without the events at these positions; the last few are kept."""
        scores = self._served.get(positions)
        if scores is None:
            scores = self.scorer.scores_of(self.history.without(list(positions)))
            while len(self._served) >= MOST_SETS:
                self._served.pop(next(iter(self._served)), None)
            self._served[positions] = scores
        return scores

    @cached_property
    def _near(self) -> Approximation | None:
        if len(self.history) * len(self.scorer.base_) > MOST_KEPT:
            return None
        near = self.scorer.approximate_of(self.history)
        if near is None:  # exact, then, to rounding
            every = np.arange(len(self.scorer.base_))
            exact = np.ascontiguousarray(self.scorer.scores_without_each(self.history, every).T)
            near = Approximation(exact, np.full(len(every), self._tied))
        return near

    @cached_property
    def _most(self) -> np.ndarray:
        """(M,) what no score without one event exceeds."""
        assert self._near is not None
        most: np.ndarray = self._near.scores.max(axis=0, initial=-np.inf) + self._near.slack
        return most

    def without_each(self, target: int) -> np.ndarray:
        """(n,) the target's score without each event."""
        own = self.scorer.scores_without_each(self.history, np.array([target]))
        return np.asarray(own[0])

    def ranks_without_each(self, target: int, own: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        """(n,) the target's rank among the `allowed` items without each event, where its score is `own` (n,)."""
        if not len(self.history):
            return np.zeros(0, np.int64)
        if self._near is None:
            others = np.flatnonzero(allowed)
            ahead, close = self._ahead(others[others != target], target, own)
            return self._settled(1 + ahead, close, target, own, allowed)
        others = allowed.copy()
        others[target] = False
        ranks, far = np.zeros(len(own), np.int64), self._far_behind(others, own)
        for event in far.tolist():
            ranks[event] = rank_of(self.served((event,)), target, allowed) or 0
        rows = np.setdiff1d(np.arange(len(own)), far)
        if len(rows):
            items = np.flatnonzero(others & (self._most >= own[rows].min()))  # nobody else is ever ahead
            near = np.ascontiguousarray(self._near.scores[np.ix_(rows, items)])
            ahead, flagged = count_ahead(near, self._near.slack[items], np.ones(len(items), bool), own[rows])
            more, close = self._ahead(items[flagged], target, own)
            ranks[rows] = 1 + ahead + more[rows]
            close[far] = False
            ranks = self._settled(ranks, close, target, own, allowed)
        return ranks

    def _settled(
        self, ranks: np.ndarray, close: np.ndarray, target: int, own: np.ndarray, allowed: np.ndarray
    ) -> np.ndarray:
        """`ranks` with those of the `close` (n,) events as served, the worst losses first, as far as that is quick."""
        events = np.flatnonzero(close)
        for event in events[np.argsort(own[events], kind="stable")][:MOST_SETTLED].tolist():
            ranks[event] = rank_of(self.served((event,)), target, allowed) or 0
        return ranks

    def _far_behind(self, others: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Events without which so many items may be ahead that serving is quicker than telling them apart; a few."""
        count = int(others.sum())
        if count <= MANY:
            return np.empty(0, np.int64)
        edge = np.partition(self._most[others], count - MANY)[count - MANY]
        far = np.flatnonzero(own < edge)
        return far if len(far) <= MOST_SERVED else np.empty(0, np.int64)

    def _ahead(self, items: np.ndarray, target: int, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(ahead, close), both (n,), without each event: how many of `items` are ahead of the target (ties by
        row), and whether one is so close that rounding decides, so that the served scores may decide otherwise.
        """
        ahead, close = np.zeros(len(own), np.int64), np.zeros(len(own), bool)
        base = self.scorer.base_
        step = max(1, BLOCK // max(len(own), 1))
        for low in range(0, len(items), step):
            block = items[low : low + step]
            scores = self.scorer.scores_without_each(self.history, block)
            tied = (scores == own) & (block < target)[:, None]
            ahead += np.count_nonzero((scores > own) | tied, axis=0)
            plain = (scores == base[block][:, None]) & (own == base[target])  # nothing is summed: equal is equal
            close |= ((np.abs(scores - own) <= self._tied) & ~plain).any(axis=0)
        return ahead, close

    @cached_property
    def _tied(self) -> float:
        """Scores that differ by no more may be equal: sums in another order."""
        return TIED * float(np.abs(self.scores).max(initial=0.0))

    def near_the_top(self, k: int, allowed: np.ndarray) -> np.ndarray:
        """Rows, in their order, of all items that may be among the `k` best `allowed` ones without some event."""
        if self._near is None:
            return np.flatnonzero(allowed)
        scores, slack = self._near.scores, self._near.slack
        sure = top_k(scores - slack, allowed, k).items[:, -1]  # the k-th of what scores are at least
        edge = np.where(sure >= 0, scores[np.arange(len(scores)), sure] - slack[sure], -np.inf)
        may: np.ndarray = ((scores + slack) >= edge[:, None]).any(axis=0) & allowed
        return np.flatnonzero(may)

    def reach(self, m: int) -> np.ndarray | None:
        """(M,) what each item's score cannot exceed when up to `m` events are masked; None where no bound is known."""
        if m not in self._reaches:
            self._reaches[m] = self.scorer.reach_of(self.history, m)
        return self._reaches[m]


class _Kept:
    """The last study of a model, with the model's attributes as they were then."""

    def __init__(self, study: Study, state: dict[str, Any]) -> None:
        self.study = study
        self.state = state

    def fits(self, state: dict[str, Any], history: History) -> bool:
        """Same history, and no attribute of the model has been set since."""
        same = len(state) == len(self.state) and all(state[name] is self.state.get(name, self) for name in state)
        return same and _equal(self.study.history, history)


_last: WeakKeyDictionary[Any, _Kept] = WeakKeyDictionary()
_lock = threading.Lock()


def study_of(scorer: Scorer, history: History) -> Study:
    """The study of this history: the kept one where it is the last that this model was asked about, else a new one."""
    state = dict(vars(scorer))
    with _lock:
        kept = _last.get(scorer)
    if kept is not None and kept.fits(state, history):
        return kept.study
    study = Study(scorer, history)
    with _lock:
        _last[scorer] = _Kept(study, state)
    return study


def _equal(a: History, b: History) -> bool:
    if a is b:
        return True
    if len(a) != len(b) or a.user != b.user:
        return False
    for x, y in ((a.item, b.item), (a.live, b.live), (a.age, b.age), (a.rating, b.rating), (a.kind, b.kind)):
        if (x is None) != (y is None) or (x is not None and y is not None and not np.array_equal(x, y)):
            return False
    return True
