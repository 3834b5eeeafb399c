"""Interactions: who acted on what, and when. The frozen table of events that every model is fitted on.

Events of one user stand together, oldest first, as in a sparse matrix by rows (U users, M items, N events):

    user row u owns the events indptr[u] : indptr[u + 1]

    indptr   0        3     5            (U + 1,)
    item     4  0  4  2  0              (N,) item rows; the same item may come again, each time is an event
    time     1  2  2  7  9              (N,) seconds, never falling within a user

Everything is checked once, here; the arrays are read-only from then on. This is the one place where ids become rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xattn.data.checksum import canonical, checksum_of
from xattn.data.growth import both
from xattn.data.items import ItemTable
from xattn.data.reading.events import Events, Options, events_of
from xattn.data.reading.faults import calendar, exact_repeats
from xattn.data.reading.formats.frames import frame_table
from xattn.data.scale import Scale, check_opinions
from xattn.data.source import Source
from xattn.data.values import MISSING
from xattn.errors import (
    UnknownIdError,
    check_array,
    check_id,
    check_ids,
    check_index_array,
    check_listing,
    check_mask,
    check_offsets,
    check_same_length,
    check_some,
    check_type,
    check_whole,
    refuse,
    shown,
    takes_old_names,
)

__all__ = ["Interactions", "ItemTable"]

FRAME = Source("`frame`")


@dataclass(frozen=True, eq=False)
class Interactions:
    """N events of U users on M items.

    `rating`, `time` (seconds) and `kind` (event type, text) are vectors of N or None where the data has none. `scale`
    says what the ratings mean (NaN: no opinion); it is judged from them where none is given. `report`
    is that of the file, if any.
    Raises InputError when a stated condition does not hold. Usually built by `from_frame` or `read_interactions`.

    >>> frame = pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"], "time": [2, 1, 5]})
    >>> data = Interactions.from_frame(frame, name="tiny")
    >>> data
    Interactions('tiny': 2 users, 2 items, 3 events, with time)
    >>> data.item, data.events_of(data.user_row("u"))
    (array([1, 0, 0]), slice(0, 2, None))
    """

    name: str
    user_ids: tuple[str, ...]
    items: ItemTable
    indptr: np.ndarray
    item: np.ndarray
    rating: np.ndarray | None = None
    time: np.ndarray | None = None
    kind: np.ndarray | None = None
    scale: Scale | None = None
    report: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_type("name", self.name, str, "text")
        check_type("items", self.items, ItemTable, "item_table")
        self._keep("user_ids", tuple(check_id("user_ids", one) for one in check_ids("user_ids", self.user_ids, "user")))
        check_some("user_ids", self.user_ids, "user")
        if len(self._user_rows) < len(self.user_ids):
            twice = next(value for row, value in enumerate(self.user_ids) if self._user_rows[value] != row)
            refuse("twice", name="user_ids", what="user", got=twice)
        self._keep("item", check_index_array("item", self.item, size=len(self.items), what="item_row"))
        parts = len(self.user_ids)
        self._keep("indptr", check_offsets("indptr", self.indptr, parts=parts, total=self.item.size))
        if self.time is not None:
            self._keep("time", check_array("time", self.time, ndim=1, dtype=np.float64))
        if self.rating is not None:
            self._keep("rating", check_opinions("rating", self.rating))
        self._keep("scale", None if self.rating is None else self.scale or Scale.of(self.rating))
        if self.kind is not None:
            self._keep("kind", np.array([str(value) for value in check_listing("kind", self.kind)], dtype=object))
        vectors = {n: getattr(self, n) for n in ("item", "rating", "time", "kind")}
        check_same_length(**{n: len(vector) for n, vector in vectors.items() if vector is not None})
        if self.time is not None:
            falls = np.diff(self.time) < 0
            starts = self.indptr[1:-1]
            falls[starts[(starts > 0) & (starts < self.item.size)] - 1] = False  # from one user to the next it may fall
            if falls.any():
                refuse("time_falls", got=np.flatnonzero(falls)[0])

    def _keep(self, name: str, value: Any) -> None:
        """Set a field for good: arrays become read-only copies that nobody else can write."""
        if isinstance(value, np.ndarray) and (value.flags.writeable or value.base is not None):
            value = value.copy()
            value.flags.writeable = False
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        extra = [name for name in ("rating", "time", "kind") if getattr(self, name) is not None]
        sizes = f"{self.n_users:,} users, {self.n_items:,} items, {self.n_events:,} events"
        return f"Interactions({shown(self.name)}: {sizes}{', with ' + ', '.join(extra) if extra else ''})"

    # --- sizes, ids, rows --------------------------------------------------------------------------------------------

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.items)

    @property
    def n_events(self) -> int:
        return int(self.item.size)

    @cached_property
    def _user_rows(self) -> dict[str, int]:
        return {value: row for row, value in enumerate(self.user_ids)}

    def user_row(self, user: Any) -> int:
        """The row of a user id (text or whole number); UnknownIdError when there is none."""
        return self._row("user", user, self._user_rows.get(check_id("user", user)), self.n_users)

    def item_row(self, item: Any) -> int:
        """The row of an item id (text or whole number); UnknownIdError when there is none."""
        rows = self.items.rows([check_id("item", item)])
        return self._row("item", item, None if rows[0] == MISSING else int(rows[0]), self.n_items)

    def _row(self, what: str, given: Any, row: int | None, size: int) -> int:
        if row is None:
            what_of = {"user": "users", "item": "items"}[what]
            refuse("unknown_id", kind=UnknownIdError, name=what, what=what_of, n=size, of=self.name, got=str(given))
        return row

    def events_of(self, user_row: int) -> slice:
        """The events of a user row, oldest first, as a slice into `item`, `rating`, `time` and `kind`."""
        row = check_whole("user_row", user_row, high=self.n_users - 1)
        return slice(int(self.indptr[row]), int(self.indptr[row + 1]))

    @cached_property
    def user(self) -> np.ndarray:
        """The user row of each event (N,)."""
        rows = np.repeat(np.arange(self.n_users), np.diff(self.indptr))
        rows.flags.writeable = False
        return rows

    def counts(self) -> np.ndarray:
        """Events per item (M,) int64."""
        return np.bincount(self.item, minlength=self.n_items)

    @cached_property
    def dated(self) -> bool:
        """Whether `time` holds moments of the calendar, which a clock can be set beside. Running numbers and seconds
        since a start of their own tell of the order and of pauses alone."""
        return self.time is not None and calendar(self.time)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over all contents (not the name): equal data, equal text of 64 hexadecimal digits.

        Two data sets of one checksum hold the same users, items, titles, item columns, given features, events, ratings,
        times, types and scale, so a model fitted to one answers for the other.
        """
        rating, time = (None if vector is None else canonical(vector) for vector in (self.rating, self.time))
        kind = None if self.kind is None else self.kind.tolist()
        events = (self.user_ids, self.items.checksum, self.indptr, self.item, rating, time, kind)
        if self.scale is None:
            return checksum_of(*events)
        return checksum_of(
            *events, self.scale.kind, self.scale.origin, canonical(np.array([self.scale.low, self.scale.high]))
        )

    def in_language(self, lang: str) -> Interactions:
        """The same data, whose items are called by their titles in `lang` where they have one (`ItemTable`).

        The same object comes back where no item has one.
        """
        items = self.items.in_language(lang)
        if items is self.items:
            return self
        found: Interactions | None = self._spoken.get(lang)
        if found is None:
            found = replace(self, items=items)
            found.__dict__["checksum"] = self.checksum
            self._spoken[lang] = found
        return found

    @cached_property
    def _spoken(self) -> dict[str, Interactions]:
        return {}

    # --- other interactions ------------------------------------------------------------------------------------------

    def select(self, mask: Any) -> Interactions:
        """The events where `mask` (N booleans) is true; users and items stay the same tables, so rows mean the same."""
        mask = check_mask("mask", mask, size=self.n_events)
        kept = np.concatenate([[0], np.cumsum(mask)])
        vectors: dict[str, Any] = {n: None if v is None else v[mask] for n, v in self._vectors().items()}
        return Interactions(self.name, self.user_ids, self.items, kept[self.indptr], **vectors, scale=self.scale)

    def without_repeats(self) -> Interactions:
        """These events, each once: an event that says again, to the last field, what one of its user says is left out.

        Where there is neither a time nor a rating nothing tells a line that stands twice from something done twice;
        all events then stay. The same object comes back where nothing is left out.
        """
        if self.time is None and self.rating is None:
            return self
        columns = [self.user, self.item, *(vector for vector in (self.rating, self.time) if vector is not None)]
        if self.kind is not None:
            columns.append(np.unique(self.kind.astype(str), return_inverse=True)[1])
        again = exact_repeats(columns)
        if not again.size:
            return self
        first = np.ones(self.n_events, bool)
        first[again] = False
        return self.select(first)

    def extended(self, other: Interactions) -> Interactions:
        """These events and those of `other` as one data set; users and items keep their rows, new ones come after.

        Within a user events are in order of time where both sets have times, the old event first at equal times; else
        the new ones come last, and the result has no times. Items that only `other` holds bring their title, and what
        it says of them in the columns of this table. Raises InputError where one set has ratings or event types and the
        other has not.

        >>> old, new = (
        ...     Interactions.from_frame(pd.DataFrame({"user": list(users), "item": list(items)}), name="tiny")
        ...     for users, items in (("uv", "ab"), ("wu", "ac"))
        ... )
        >>> old.extended(new), old.extended(new).item
        (Interactions('tiny': 3 users, 3 items, 4 events), array([0, 2, 1, 0]))
        """
        return Interactions(**both(self, check_type("other", other, Interactions, "interactions")))

    def without_users(self, users: Iterable[Any]) -> Interactions:
        """The same data without these users: neither their ids nor their events are in it; items stay the same table.

        Raises UnknownIdError for a user that is not there, and InputError where no user remains.

        >>> data = Interactions.from_frame(pd.DataFrame({"user": ["u", "v"], "item": ["a", "b"]}))
        >>> data.without_users(["u"]).user_ids
        ('v',)
        """
        stays = np.ones(self.n_users, bool)
        stays[[self.user_row(user) for user in users]] = False
        rows = np.flatnonzero(stays)
        mask = stays[self.user]
        vectors: dict[str, Any] = {n: None if v is None else v[mask] for n, v in self._vectors().items()}
        indptr = np.concatenate([[0], np.cumsum(np.diff(self.indptr)[rows])])
        ids = tuple(self.user_ids[row] for row in rows.tolist())
        return Interactions(self.name, ids, self.items, indptr, **vectors, scale=self.scale)

    def core(self, min_events: int) -> Interactions:
        """The largest part in which each user and each item has at least `min_events` events; the tables shrink to it.

        Users and items are dropped in turn until nothing changes (the k-core of the user–item graph: Seidman 1983).
        Raises InputError when nothing remains.
        """
        least = check_whole("min_events", min_events, low=1)
        mask, before = np.ones(self.n_events, dtype=bool), -1
        while mask.sum() != before:
            before = mask.sum()
            mask &= np.bincount(self.user[mask], minlength=self.n_users)[self.user] >= least
            mask &= np.bincount(self.item[mask], minlength=self.n_items)[self.item] >= least
        if not mask.any():
            refuse("min_events", of=self.name, got=least)
        part = self.select(mask)
        users, items = np.flatnonzero(np.diff(part.indptr)), np.flatnonzero(part.counts())
        new_row = np.full(self.n_items, MISSING, dtype=np.int64)
        new_row[items] = np.arange(items.size)
        vectors = {**part._vectors(), "item": new_row[part.item]}
        indptr = part.indptr[np.append(users, self.n_users)]
        ids = tuple(self.user_ids[row] for row in users.tolist())
        return Interactions(self.name, ids, self.items.take(items), indptr, **vectors, scale=self.scale)

    def _vectors(self) -> dict[str, Any]:
        return {"item": self.item, "rating": self.rating, "time": self.time, "kind": self.kind}

    # --- frames ------------------------------------------------------------------------------------------------------

    def to_frame(self) -> pd.DataFrame:
        """One line per event, in the order of the events: user, item, and rating, time, kind where there are any."""
        columns: dict[str, Any] = {
            "user": [self.user_ids[row] for row in self.user.tolist()],
            "item": [self.items.ids[row] for row in self.item.tolist()],
        }
        for name, vector in self._vectors().items():
            if name != "item" and vector is not None:
                columns[name] = vector.copy()
        return pd.DataFrame(columns)

    @classmethod
    @takes_old_names(drop_missing="missing=refuse,drop")
    def from_frame(
        cls,
        frame: pd.DataFrame,
        items: ItemTable | None = None,
        name: str = "frame",
        *,
        columns: Mapping[str, Any] | None = None,
        missing: str = "refuse",
        source: Source = FRAME,
    ) -> Interactions:
        """A frame of events, one per line, with a user and an item column, perhaps rating, time and event type.

        Columns are recognised by name and values, or named by `columns` (role → header). Without a time column the
        order of the lines is the order in time. Items that `items` does not hold are added at its end, with the title
        of a title column if there is one. Lines without a user or an item are refused, or left out with
        ``missing="drop"``. Raises DataError. `read_interactions` takes frames too, and has more options.
        """
        check_type("frame", frame, pd.DataFrame, "frame_of_events")
        options = Options({} if columns is None else columns, missing=missing)
        return cls.of_events(events_of(frame_table(frame, source), options), items, name)

    @classmethod
    def of_events(cls, events: Events, items: ItemTable | None, name: str) -> Interactions:
        """Events that a table held, with the items of `items` and, at its end, those that it does not hold."""
        if items is not None:
            check_type("items", items, ItemTable, "item_table")
        table = (items if items is not None else ItemTable.bare(())).extended(events.item_ids, events.titles)
        item = table.rows(events.item_ids)[events.item]
        vectors = (events.rating, events.time, events.kind)
        return cls(name, events.user_ids, table, events.indptr, item, *vectors, events.scale, events.report)
