"""What can be said of an item that nobody has met without learning anything: how popular its kind is, or nothing."""

from __future__ import annotations

import numpy as np

from xattn.data import History, Interactions
from xattn.errors.constraints import Choice, Whole, constraints
from xattn.evaluate.rivals.base import Rival
from xattn.features import feature_set
from xattn.progress import Progress

__all__ = ["GenrePopularity", "Random"]


class GenrePopularity(Rival):
    """An item is as popular as its kinds are on average: the mean, over its features, of their mean number of events.

    `weighted` "none": the same list for everybody; "own": each feature counts as often as the history has it.
    """

    _constraints = constraints(weighted=Choice(("none", "own")))

    def __init__(self, *, weighted: str = "own") -> None:
        self.weighted = weighted

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        has = (feature_set(data.items).F > 0).astype(float)
        counts = data.counts()
        met = has[counts > 0]
        popularity = (counts[counts > 0] @ met) / np.maximum(met.sum(axis=0), 1)
        self._has = has
        self._worth = has.multiply(popularity).multiply(1 / np.maximum(has.sum(axis=1), 1)[:, None]).tocsr()  # (M, d)

    def _scores(self, history: History) -> np.ndarray:
        if self.weighted == "none" or not history.live.any():
            return np.asarray(self._worth.sum(axis=1))
        return np.asarray(self._worth @ self._has[history.item[history.live]].mean(axis=0))


class Random(Rival):
    """A random order, another one for every history; the same again for the same history and `random_state`."""

    _constraints = constraints(random_state=Whole())

    def __init__(self, *, random_state: int = 0) -> None:
        self.random_state = random_state

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        pass

    def _scores(self, history: History) -> np.ndarray:
        seed = [self.random_state, *history.item[history.live].tolist()]
        return np.random.default_rng(seed).random(self.data_.n_items)
