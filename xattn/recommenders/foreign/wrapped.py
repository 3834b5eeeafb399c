"""What all wrapped recommenders share: where the model comes from, what a file holds of it, and one check of its order.

A wrapped recommender keeps the contract of all others (`Recommender`). Its `fit` takes the model that was handed in, or
has another one fitted (`Source`); its ledgers say in `amounts` what their amounts are.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import refuse
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.foreign.source import Source

__all__ = ["WEIGHTS", "Wrapped", "event_weights"]

WEIGHTS = ("one", "rating")
JUDGES = 100  # people whose later events say whether the items are in order
FEWEST = 20  # people under which nobody could tell
ORDERS = 99  # random orders of the items, all of which must be worse
CHANCE = 0.5  # the mean place under an order that has nothing to do with the model
MUCH = 1.5  # times as far from chance: popular items next to each other make less of a difference


class Wrapped(Recommender):
    """A recommender around somebody else's model; `source` says which. `_take` sets what the scores need."""

    quick = False
    unsaved: ClassVar[frozenset[str]] = frozenset({"source"})
    source: Source | None

    def _fit(self, data: Interactions, progress: Progress) -> None:
        if self.source is None:
            refuse("wrapped_fit", model=type(self).__name__)
        progress("fit", 0.0)
        model, ids = self.source.of(data)
        self._take(model, data, ids)
        if not self.source.stated:
            self._check_order(data)
        progress("fit", 1.0)

    @abstractmethod
    def _take(self, model: Any, data: Interactions, ids: tuple[str, ...]) -> None:
        """Set `base_` and what the scores need from an adapted model of the items `ids`, in its own order."""

    def _check_order(self, data: Interactions) -> None:
        """Raise InputError where the items seem to be in another order than those of the data.

        The later half of the events of some people have places among all items, by what the model scores after the
        earlier half. If the order is right, their mean place is better than under orders drawn at random, and no much
        better one comes of numbering the items from one further on or back.
        """
        rng = np.random.default_rng(0)
        users = np.sort(rng.permutation(np.flatnonzero(np.diff(data.indptr) >= 2))[:JUDGES])
        if len(users) < FEWEST:
            return
        asked = _Halves.of(data, users)
        place = _percentiles(self.scores_of_many(asked.earlier))
        own = asked.mean(place)
        others = [asked.mean(place[:, rng.permutation(data.n_items)]) for _ in range(ORDERS)]
        worse = int(np.count_nonzero(np.array(others) < own))
        for step in (1, -1):
            moved = _percentiles(self.scores_of_many(asked.shifted(step, data.n_items)))
            further = max(asked.mean(np.roll(where, -step, axis=1)) for where in (place, moved))
            if further - CHANCE > MUCH * max(own - CHANCE, 0.0) and further > max(others):
                refuse("foreign_shift", n=len(users), step="foreign_on" if step > 0 else "foreign_back")
        if worse < ORDERS:
            refuse("foreign_order", n=len(users), worse=worse, of=ORDERS)


class _Halves(NamedTuple):
    """Some people: the `earlier` half of their events; `row` and `item` say who took what in the later one."""

    earlier: list[History]
    row: np.ndarray
    item: np.ndarray

    @classmethod
    def of(cls, data: Interactions, users: np.ndarray) -> _Halves:
        histories = [replace(History.of(data, user), user=None) for user in users.tolist()]
        later = [np.arange((len(events) + 1) // 2, len(events)) for events in histories]
        return cls(
            [events.without(at) for events, at in zip(histories, later, strict=True)],
            np.repeat(np.arange(len(users)), [len(at) for at in later]),
            np.concatenate([events.item[at] for events, at in zip(histories, later, strict=True)]),
        )

    def mean(self, place: np.ndarray) -> float:
        """The mean place of what was taken later, by the places (R, M) of all items."""
        return float(place[self.row, self.item].mean())

    def shifted(self, step: int, n_items: int) -> list[History]:
        """The earlier halves as a model sees them whose items stand one further on, or back."""
        return [replace(events, item=(events.item + step) % n_items) for events in self.earlier]


def _percentiles(scores: np.ndarray) -> np.ndarray:
    """(R, M) the share of the items of a row that score less, ties counted half."""
    found = np.empty(scores.shape)
    for out, row in zip(found, scores, strict=True):
        _, which, times = np.unique(row, return_inverse=True, return_counts=True)
        out[:] = ((np.cumsum(times) - times / 2) / len(row))[which]
    return found


def event_weights(weights: str, history: History) -> np.ndarray:
    """(n,) how strongly each event counts: 1, or its rating (1 for an event without one)."""
    if weights == "one" or history.rating is None:
        return np.ones(len(history))
    return np.where(np.isnan(history.rating), 1.0, history.rating)
