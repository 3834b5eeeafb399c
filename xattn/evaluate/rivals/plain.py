"""Rivals that learn nothing: by how popular an item's kind is, by what is near to the last items, at random.

Where the items nearest to the last one or two are as good an answer as a learned one, a data set does not tell good
models from bad ones. So such a rival belongs beside every table of what comes next.
"""

from __future__ import annotations

import numpy as np

from xattn.data import History, Interactions
from xattn.errors.constraints import Choice, Range, Whole, constraints
from xattn.evaluate.rivals.base import Rival
from xattn.evaluate.rivals.factors import taken
from xattn.features import feature_set
from xattn.progress import Progress

__all__ = ["GenrePopularity", "LastItems", "Random"]

SHRINK = 1.0  # beside the lengths of a cosine, so that two items with one user in common are not the same
FADE = 0.5  # of each event before the last one
LITTLE = 1e-9  # of popularity, which orders what is near to nothing


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


class LastItems(Rival):
    """Nearest to the last items: Σ_a ½ᵃ [cos(users of x₋ₐ, users of j) + features · cos(features of both)].

    The `last` events of a history count, a = 0 the newest; `features` weighs features in common beside users in common.
    Nothing is learned. Items that are near to none of these events are in the order of popularity.
    """

    _constraints = constraints(last=Whole(1), features=Range(0.0))

    def __init__(self, *, last: int = 2, features: float = 0.1) -> None:
        self.last = last
        self.features = features

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        self._users = taken(data).T.tocsr().astype(float)  # (M, U)
        self._norm = np.sqrt(self._users.sum(axis=1)).A1
        self._unit = feature_set(data.items).unit
        self._popularity = LITTLE * data.counts()

    def _scores(self, history: History) -> np.ndarray:
        scores = self._popularity.copy()
        for age, item in enumerate(history.item[history.live][::-1][: self.last].tolist()):
            shared = (self._users @ self._users[[item]].T).toarray()[:, 0]
            near = shared / (self._norm * self._norm[item] + SHRINK)
            alike = self.features * (self._unit @ self._unit[[item]].T).toarray()[:, 0]
            scores += FADE**age * (near + alike)
        return scores
