"""A history: the events of one person, oldest first, as rows of a data set; what a model attends to.

n events, each with an age that counts back from the newest. Masking an event (`without`) takes it out of sight and
leaves the others as old as they were:

    item   12   7  12  40        item rows (n,)
    age     3   2   1   0        positions, 0 is the newest (n,)
    live    1   0   1   1        after without([1]) (n,)
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from xattn.data.interactions import Interactions
from xattn.data.reading.faults import calendar
from xattn.data.reading.formats.frames import frame_table
from xattn.data.reading.read import history_of, in_order
from xattn.data.scale import check_opinions
from xattn.data.source import Source
from xattn.data.values import MISSING
from xattn.errors import (
    check_array,
    check_id,
    check_index_array,
    check_mask,
    check_moment,
    check_number,
    check_positions,
    check_same_length,
    check_type,
    is_listing,
    refuse,
    some_of,
)

__all__ = ["History", "days_before"]

HISTORY = Source("`history`")
DAY = 86_400.0  # seconds
_last: WeakKeyDictionary[Interactions, History] = WeakKeyDictionary()  # of each data set the user asked about last


@dataclass(frozen=True, eq=False)
class History:
    """n events of one person, oldest first: `item` rows, `rating` (or None), `age` ≥ 0, `live` (False where masked).

    `user` is the user row when the events are a known user's own, else None. `unknown` holds the ids that were
    given and are not in the data; they have no row and take no age. `kind` is the event type where the data has
    one. `elapsed` (n,) ≥ 0 is how many days ago each event was when the list is asked (None: not known). That is at the
    moment of the newest event, unless `at` of `of` or `given`, or `paused`, say otherwise. Arrays are read-only.

    >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}))
    >>> history = History.given(data, ["b", "nowhere", "a"])
    >>> history.item, history.age, history.unknown
    (array([1, 0]), array([1., 0.]), ('nowhere',))
    >>> history.without([0]).live
    array([False,  True])
    """

    item: np.ndarray
    rating: np.ndarray | None
    age: np.ndarray
    live: np.ndarray
    user: int | None = None
    unknown: tuple[str, ...] = ()
    kind: np.ndarray | None = None
    elapsed: np.ndarray | None = None

    def __post_init__(self) -> None:
        item = check_index_array("item", self.item, size=2**62, what="item_row")
        age = check_array("age", self.age, ndim=1, dtype=np.float64)
        arrays = {"item": item, "age": age, "live": check_mask("live", self.live, size=item.size)}
        if self.rating is not None:
            arrays["rating"] = check_opinions("rating", self.rating)
        if self.kind is not None:
            arrays["kind"] = np.array([str(kind) for kind in self.kind], dtype=object)
        if self.elapsed is not None:
            arrays["elapsed"] = check_array("elapsed", self.elapsed, ndim=1, dtype=np.float64)
        check_same_length(**{name: array.size for name, array in arrays.items()})
        if age.size and age.min() < 0:
            refuse("negative", name="age", got=age.min())
        if self.elapsed is not None and age.size and arrays["elapsed"].min() < 0:
            refuse("negative", name="elapsed", got=arrays["elapsed"].min())
        for name, array in arrays.items():
            kept = array.copy()
            kept.flags.writeable = False
            object.__setattr__(self, name, kept)

    def __len__(self) -> int:
        return int(self.item.size)

    @property
    def key(self) -> np.ndarray:
        """(n,) equal where the item is."""
        return self.item

    @cached_property
    def newest(self) -> np.ndarray:
        """(G,) the position of the newest live event of each item, oldest first: each item that is in sight once."""
        live = np.flatnonzero(self.live)
        _, last = np.unique(self.item[live][::-1], return_index=True)
        return np.sort(live[::-1][last])

    @cached_property
    def repeated(self) -> np.ndarray:
        """(n,) which events are live and of an item with further live events."""
        live = np.flatnonzero(self.live)
        _, place, often = np.unique(self.item[live], return_inverse=True, return_counts=True)
        found = np.zeros(len(self), bool)
        found[live[often[place] > 1]] = True
        return found

    def alike(self, positions: Iterable[int]) -> np.ndarray:
        """The positions of all live events of the items that stand at `positions`, oldest first."""
        return np.flatnonzero(
            self.live & np.isin(self.item, self.item[check_positions("positions", positions, size=len(self))])
        )

    def __repr__(self) -> str:
        masked = f", {int((~self.live).sum())} masked" if not self.live.all() else ""
        unknown = f", {len(self.unknown)} unknown" if self.unknown else ""
        whose = "someone new" if self.user is None else f"user row {self.user}"
        return f"History({len(self)} events of {whose}{masked}{unknown})"

    @classmethod
    def of(cls, data: Interactions, user_row: int, at: Any = None) -> History:
        """The events of a user row; a user without events has an empty history.

        `at` is the moment in which a list is asked (ISO 8601 or a datetime, without a zone UTC; or seconds since 1970);
        what came after it counts as just now. Raises InputError where the data hold no dates.
        """
        if at is not None:
            found = cls.of(data, user_row)
            time = data.time if data.dated else None
            return replace(found, elapsed=_days_before(None if time is None else time[data.events_of(user_row)], at))
        kept = _last.get(check_type("data", data, Interactions, "interactions"))
        if kept is not None and kept.user == user_row:
            return kept
        own = data.events_of(user_row)
        rating, kind = (None if vector is None else vector[own] for vector in (data.rating, data.kind))
        n = own.stop - own.start
        elapsed = None if data.time is None else days_before(data.time[own])
        found = cls(
            data.item[own], rating, np.arange(n)[::-1], np.ones(n, dtype=bool), int(user_row), (), kind, elapsed
        )
        _last[data] = found
        return found

    @classmethod
    def given(cls, data: Interactions, events: Any, at: Any = None) -> History:
        """Events that somebody names, oldest first: ids, (id, rating) pairs, (id, rating, moment) triples, a mapping
        id → rating, or a frame.

        A frame has an item column, and perhaps a rating and a time column. Where there are moments, events are sorted
        by them, stably, those without one first. `at` is the moment in which a list is asked, as in `of`. Raises
        InputError when there is no event, when no item is known, when a rating or a moment is none, when only some have
        a rating, or when `at` is given and not all of the events have a date.

        >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}))
        >>> events = [("a", 4.0, "2026-01-31"), ("b", 5.0, "2026-01-30")]
        >>> History.given(data, events, at="2026-02-02").elapsed
        array([3., 2.])
        """
        check_type("data", data, Interactions, "interactions")
        triples = _triples(events)
        if not triples:
            refuse("empty_history")
        triples = [triples[place] for place in in_order([when for *_, when in triples])]
        ids = [item for item, *_ in triples]
        rows = data.items.rows(ids)
        known = rows != MISSING
        unknown = tuple(dict.fromkeys(item for item, row in zip(ids, rows.tolist(), strict=True) if row == MISSING))
        if not known.any():
            refuse("unknown_items", n=data.n_items, of=data.name, **some_of(unknown, 3))
        rated = [rating for _, rating, _ in triples if rating is not None]
        if rated and len(rated) < len(triples):
            refuse("some_ratings", got=len(rated), n=len(triples))
        rating = np.array(rated, dtype=np.float64)[known] if rated else None
        n = int(known.sum())
        found = cls(rows[known], rating, np.arange(n)[::-1], np.ones(n, dtype=bool), None, unknown)
        told = [when for _, _, when in triples if when is not None]
        time = np.array(told)[known] if len(told) == len(triples) else None
        if at is not None:
            return replace(found, elapsed=_days_before(None if time is None or not calendar(time) else time, at))
        return found if time is None else replace(found, elapsed=days_before(time))

    def followed_by(self, item: Any, rating: Any = None, kind: str | None = None) -> History:
        """This history with m further events after it, the last of them the newest; the events so far are m older.

        `item` are rows (m,), `rating` is one for each, one for all, or none; `kind` is the type of all of them, left
        out that of the newest event so far. They are of the moment in which the list is asked. Where only one side has
        ratings, the other's events are without an opinion.

        >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}))
        >>> history = History.of(data, 0).followed_by([0], rating=5.0)
        >>> history.item, history.age, history.rating
        (array([0, 1, 0]), array([2., 1., 0.]), array([nan, nan,  5.]))
        """
        new = check_index_array("item", item, size=2**62, what="item_row")
        n, m = len(self), len(new)
        ratings = None
        if self.rating is not None or rating is not None:
            old = np.full(n, np.nan) if self.rating is None else self.rating
            ratings = np.append(old, _opinions(rating, m))
        kinds = None
        if kind is not None:
            check_type("kind", kind, str, "one_event_type")
        if self.kind is not None or kind is not None:
            before = [""] * n if self.kind is None else self.kind.tolist()
            kinds = np.array([*before, *[kind or (before[-1] if before else "")] * m], dtype=object)
        return replace(
            self,
            item=np.append(self.item, new),
            rating=ratings,
            age=np.append(self.age + m, np.arange(m)[::-1]),
            live=np.append(self.live, np.ones(m, bool)),
            kind=kinds,
            elapsed=None if self.elapsed is None else np.append(self.elapsed, np.zeros(m)),
        )

    def paused(self, days: float) -> History:
        """This history, asked so many days after its newest event; where moments are not known, as it is.

        >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"], "time": [0, 86400]}))
        >>> History.of(data, 0).elapsed, History.of(data, 0).paused(2.0).elapsed
        (array([1., 0.]), array([3., 2.]))
        """
        later = check_number("days", days, low=0.0)
        if self.elapsed is None or not len(self):
            return self
        return replace(self, elapsed=self.elapsed - self.elapsed.min() + later)

    def without(self, positions: int | Iterable[int]) -> History:
        """This history with the events at these positions (0 is the oldest) masked; the others keep their age."""
        live = self.live.copy()
        live[check_positions("without", positions, size=len(self))] = False
        return replace(self, live=live)


def _days_before(time: np.ndarray | None, at: Any) -> np.ndarray:
    """`days_before` the moment `at` that somebody names. Raises InputError where there are no dates (None)."""
    asked = check_moment("at", at)
    if time is None:
        refuse("no_dates")
    return days_before(time, asked)


def days_before(time: np.ndarray, asked: float | None = None) -> np.ndarray:
    """(n,) how many days before the moment `asked`, or the last of them, each moment was; moments in seconds."""
    at = time.max(initial=-np.inf) if asked is None else asked
    return np.asarray(np.maximum(at - time, 0.0) / DAY)


def _opinions(rating: Any, m: int) -> np.ndarray:
    """`rating` as one for each of m events: one of each, one for all, or none (NaN)."""
    if rating is None or isinstance(rating, numbers.Real):
        return np.full(m, np.nan if rating is None or rating != rating else check_number("rating", rating))
    found = check_opinions("rating", rating)
    check_same_length(item=m, rating=found.size)
    return found


def _triples(events: Any) -> list[tuple[str, float | None, float | None]]:
    """Whatever `History.given` takes, as (id, rating or None, moment or None)."""
    if isinstance(events, pd.DataFrame):
        return history_of(frame_table(events, HISTORY))
    if isinstance(events, Mapping):
        events = list(events.items())
    if not is_listing(events):
        refuse("type", name="history", what="ids_or_pairs", got=events)
    return [_triple(event) for event in events]


def _triple(event: Any) -> tuple[str, float | None, float | None]:
    if not isinstance(event, (tuple, list)):
        return check_id("history", event), None, None
    if len(event) not in (2, 3):
        refuse("id_or_pair", got=event)
    item, rating, when = (*event, None)[:3]
    return (
        check_id("history", item),
        None if rating is None else check_number("rating in history", rating),
        None if when is None else check_moment("moment in history", when),
    )
