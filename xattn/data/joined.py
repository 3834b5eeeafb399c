"""Many histories end to end, so that one pass over flat arrays serves all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np

from xattn.data.history import DAY, History
from xattn.data.interactions import Interactions

__all__ = ["JoinedHistories"]


class JoinedHistories(Sequence[History]):
    """R histories: those of row r are the events `indptr[r]` to `indptr[r + 1]` of the flat arrays.

    Arrays as in History: `item`, `age`, `live`, and `rating` and `kind` where all histories have them. `alike` is False
    where only some have them; both are then None, and each history must be asked for its own. `elapsed` has NaN for the
    events of histories without it, and is None where no history has it. `key` tells the items of
    one history from those of another. As a sequence it makes each History when it is asked for.

    >>> import pandas as pd
    >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"]}))
    >>> two = JoinedHistories.of_users(data, [1, 0])
    >>> two.indptr, two.item, two.age, len(two[1:])
    (array([0, 1, 3]), array([0, 0, 1]), array([0., 1., 0.]), 1)
    """

    def __init__(
        self,
        indptr: np.ndarray,
        item: np.ndarray,
        rating: np.ndarray | None,
        age: np.ndarray,
        live: np.ndarray,
        kind: np.ndarray | None,
        user: Sequence[int | None],
        alike: bool = True,
        made: Sequence[History] | None = None,
        elapsed: np.ndarray | None = None,
    ) -> None:
        self.indptr, self.item, self.rating, self.age, self.live, self.kind = indptr, item, rating, age, live, kind
        self.alike, self.elapsed = alike, elapsed
        self._user, self._made = user, made

    @classmethod
    def of(cls, histories: Sequence[History]) -> JoinedHistories:
        """Join histories that are there already."""
        if isinstance(histories, JoinedHistories):
            return histories
        alike = len({(own.rating is None, own.kind is None) for own in histories}) <= 1
        with_rating, with_kind = (
            alike and bool(histories) and getattr(histories[0], name) is not None for name in ("rating", "kind")
        )

        def flat(name: str, dtype: type) -> np.ndarray:
            return np.concatenate([np.empty(0, dtype), *(getattr(own, name) for own in histories)])

        elapsed = None
        if any(own.elapsed is not None for own in histories):
            gaps = [np.full(len(own), np.nan) if own.elapsed is None else own.elapsed for own in histories]
            elapsed = np.concatenate(gaps)
        return cls(
            np.cumsum([0, *map(len, histories)]),
            flat("item", np.int64),
            flat("rating", np.float64) if with_rating else None,
            flat("age", np.float64),
            flat("live", np.bool_),
            flat("kind", object) if with_kind else None,
            [own.user for own in histories],
            alike,
            histories,
            elapsed,
        )

    @classmethod
    def of_users(cls, data: Interactions, rows: Sequence[int]) -> JoinedHistories:
        """Join the histories of known users, by their rows."""
        rows = list(rows)
        start, stop = data.indptr[:-1][rows], data.indptr[1:][rows]
        indptr = np.concatenate([[0], np.cumsum(stop - start)])
        event = np.repeat(start - indptr[:-1], stop - start) + np.arange(indptr[-1])
        age = (np.repeat(stop, stop - start) - 1 - event).astype(np.float64)
        rating, kind = (None if vector is None else vector[event] for vector in (data.rating, data.kind))
        elapsed = None
        if data.time is not None:
            newest = data.time[np.maximum(stop, 1) - 1] if data.n_events else np.zeros(len(rows))
            elapsed = (np.repeat(newest, stop - start) - data.time[event]) / DAY
        live = np.ones(len(event), bool)
        return cls(indptr, data.item[event], rating, age, live, kind, rows, elapsed=elapsed)

    @property
    def key(self) -> np.ndarray:
        """(N,) equal where the item is, and the history."""
        most = int(self.item.max(initial=0)) + 1
        return self.item + most * np.repeat(np.arange(len(self)), np.diff(self.indptr))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @overload
    def __getitem__(self, place: int) -> History: ...
    @overload
    def __getitem__(self, place: slice) -> JoinedHistories: ...
    def __getitem__(self, place: int | slice) -> History | JoinedHistories:
        if isinstance(place, slice):
            low, high, step = place.indices(len(self))
            if step != 1:
                return JoinedHistories.of([self[r] for r in range(low, high, step)])
            cut = slice(int(self.indptr[low]), int(self.indptr[max(low, high)]))
            mine = (self.item, self.rating, self.age, self.live, self.kind, self.elapsed)
            item, rating, age, live, kind, elapsed = (None if x is None else x[cut] for x in mine)
            assert item is not None
            assert age is not None
            assert live is not None
            made = None if self._made is None else self._made[low:high]
            indptr = self.indptr[low : max(low, high) + 1] - cut.start
            whose = self._user[low:high]
            return JoinedHistories(indptr, item, rating, age, live, kind, whose, self.alike, made, elapsed)
        place = range(len(self))[place]
        if self._made is not None:
            return self._made[place]
        own = slice(int(self.indptr[place]), int(self.indptr[place + 1]))
        others = (self.rating, self.kind, self.elapsed)
        rating, kind, elapsed = (None if vector is None else vector[own] for vector in others)
        user = self._user[place]
        return History(self.item[own], rating, self.age[own], self.live[own], user, (), kind, elapsed)
