"""Interactions: who acted on what, and when. The frozen table of events that every model is fitted on.

Events of one user stand together, oldest first, as in a sparse matrix by rows (U users, M items, N events):

    user row u owns the events indptr[u] : indptr[u + 1]

    indptr   0        3     5            (U + 1,)
    item     4  0  4  2  0              (N,) item rows; the same item may come again, each time is an event
    time     1  2  2  7  9              (N,) seconds, never falling within a user

Everything is checked once, here; the arrays are read-only from then on. This is the one place where ids become rows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xattn.data.columns import match_columns
from xattn.data.items import ItemTable
from xattn.data.scale import Scale, check_opinions
from xattn.data.source import Source
from xattn.data.values import MISSING, coded_ids, numbers, plain_texts, seconds
from xattn.errors import (
    InputError,
    UnknownIdError,
    check_array,
    check_id,
    check_index_array,
    check_mask,
    check_offsets,
    check_same_length,
    check_whole,
    shown,
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
        if not isinstance(self.name, str):
            raise InputError(f"`name` must be text; got {shown(self.name)}.")
        _refuse_other(self.items)
        self._keep("user_ids", tuple(check_id("user_ids", value) for value in self.user_ids))
        if not self.user_ids:
            raise InputError("`user_ids` must hold at least one user; got none.")
        if len(self._user_rows) < len(self.user_ids):
            twice = next(value for row, value in enumerate(self.user_ids) if self._user_rows[value] != row)
            raise InputError(f"`user_ids` must hold each user once; got {shown(twice)} twice.")
        self._keep("item", check_index_array("item", self.item, size=len(self.items), what="item row"))
        parts = len(self.user_ids)
        self._keep("indptr", check_offsets("indptr", self.indptr, parts=parts, total=self.item.size))
        if self.time is not None:
            self._keep("time", check_array("time", self.time, ndim=1, dtype=np.float64))
        if self.rating is not None:
            self._keep("rating", check_opinions("rating", self.rating))
        self._keep("scale", None if self.rating is None else self.scale or Scale.of(self.rating))
        if self.kind is not None:
            self._keep("kind", np.array([str(value) for value in self.kind], dtype=object))
        vectors = {n: getattr(self, n) for n in ("item", "rating", "time", "kind")}
        check_same_length(**{n: len(vector) for n, vector in vectors.items() if vector is not None})
        if self.time is not None:
            falls = np.diff(self.time) < 0
            starts = self.indptr[1:-1]
            falls[starts[(starts > 0) & (starts < self.item.size)] - 1] = False  # from one user to the next it may fall
            if falls.any():
                got = f"a fall after event {int(np.flatnonzero(falls)[0])}"
                raise InputError(f"`time` must never fall within a user (events oldest first); got {got}.")

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
            of = shown(self.name).strip("'")
            raise UnknownIdError(f"`{what}` must be one of the {size:,} {what}s of {of}; got {shown(str(given))}.")
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
    def checksum(self) -> str:
        """sha256 over all contents (not the name): equal data, equal text of 64 hexadecimal digits."""
        digest = hashlib.sha256()
        for texts in (self.user_ids, self.items.ids, self.items.titles, [str(c) for c in self.items.frame.columns]):
            digest.update(_bytes_of(texts))
        for _, column in self.items.frame.items():
            plain = column.to_numpy()
            digest.update(_bytes_of(plain_texts(column) if plain.dtype.kind not in "fiub" else plain))
        for vector in (self.indptr, self.item, self.rating, self.time, self.kind):
            digest.update(b"none" if vector is None else _bytes_of(vector))
        return digest.hexdigest()

    # --- other interactions ------------------------------------------------------------------------------------------

    def select(self, mask: Any) -> Interactions:
        """The events where `mask` (N booleans) is true; users and items stay the same tables, so rows mean the same."""
        mask = check_mask("mask", mask, size=self.n_events)
        kept = np.concatenate([[0], np.cumsum(mask)])
        vectors: dict[str, Any] = {n: None if v is None else v[mask] for n, v in self._vectors().items()}
        return Interactions(self.name, self.user_ids, self.items, kept[self.indptr], **vectors, scale=self.scale)

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
        from xattn.data.growth import extended

        return extended(self, other)

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
            of = shown(self.name).strip("'")
            raise InputError(f"`min_events` must leave some events of {of}; got {least}, which leaves none.")
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
    def from_frame(
        cls,
        frame: pd.DataFrame,
        items: ItemTable | None = None,
        name: str = "frame",
        *,
        columns: Mapping[str, str] | None = None,
        drop_missing: bool = False,
        source: Source = FRAME,
    ) -> Interactions:
        """A frame of events, one per line, with a user and an item column, perhaps rating, time and event type.

        Headers are recognised by their spelling (`xattn.data.columns`), or named by `columns` (role → header, roles
        user, item, rating, time, kind, title). Without a time column the order of the lines is the order in time. Items
        that `items` does not hold are added at its end, with the title of a title column if there is one. Lines without
        a user or an item are refused, or left out with ``drop_missing=True``. Raises DataError.
        """
        if not isinstance(frame, pd.DataFrame):
            raise InputError(f"`frame` must be a pandas DataFrame of events; got {shown(frame)}.")
        if items is not None:
            _refuse_other(items)
        names = [str(label) for label in frame.columns]
        roles = ["user", "item", "rating", "time", "kind", "title"]
        found = match_columns(names, roles, source, required=["user", "item"], given=columns)
        if not len(frame):
            raise source.error("it must hold at least one event", "a header and no events")
        column = {role: frame.iloc[:, position] for role, position in found.items()}
        user, item = (coded_ids(column[role], source, role) for role in ("user", "item"))
        missing = (user.codes == MISSING) | (item.codes == MISSING)
        lines = np.flatnonzero(~missing)
        _refuse_missing(missing, drop_missing, source)
        if lines.size < len(frame):  # numbers of a line left out are not read
            place = source.place
            source = source._replace(place=lambda row: place(int(lines[row])))
            column = {role: values.iloc[lines] for role, values in column.items()}
        values: dict[str, Any] = {
            role: read(column[role].reset_index(drop=True), source, f"column {shown(names[found[role]])}")
            for role, read in (("rating", numbers), ("time", seconds))
            if role in column
        }
        if "kind" in column:
            values["kind"] = np.array(plain_texts(column["kind"]), dtype=object)
        user_codes, user_ids = _used(user.codes[lines], user.ids)
        item_codes, item_ids = _used(item.codes[lines], item.ids)
        titles = _first_titles(item_codes, item_ids, column["title"]) if "title" in column else {}
        table = items if items is not None else ItemTable.bare(())
        table = table.extended([item_ids[i] for i in np.flatnonzero(table.rows(item_ids) == MISSING)], titles)
        keys = (values["time"], user_codes) if "time" in values else (user_codes,)
        order = np.lexsort(keys)  # by user, then time; lexsort is stable, so equal times keep the order of the lines
        indptr = np.concatenate([[0], np.cumsum(np.bincount(user_codes, minlength=len(user_ids)))])
        values = {role: vector[order] for role, vector in values.items()}
        return cls(name, user_ids, table, indptr, table.rows(item_ids)[item_codes][order], **values)


def _refuse_other(items: Any) -> None:
    if not isinstance(items, ItemTable):
        raise InputError(f"`items` must be an ItemTable; got {shown(items)}.")


def _refuse_missing(missing: np.ndarray, drop_missing: bool, source: Source) -> None:
    count = int(missing.sum())
    if count == missing.size:
        raise source.error("some line must name a user and an item", "none")
    if count and not drop_missing:
        where = source.place(int(np.flatnonzero(missing)[0]))
        got = f"{count:,} line{'s' * (count != 1)} without (first: {where}); `drop_missing=True` leaves them out"
        raise source.error("every line must name a user and an item", got)


def _used(codes: np.ndarray, ids: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Codes and ids without ids that no code uses."""
    used, packed = np.unique(codes, return_inverse=True)
    return packed, tuple(ids[code] for code in used.tolist())


def _first_titles(codes: np.ndarray, ids: tuple[str, ...], column: pd.Series[Any]) -> dict[str, str]:
    """Item id → the first title that is not empty."""
    texts = plain_texts(column)
    there = np.flatnonzero([bool(text.strip()) for text in texts])
    first, where = np.unique(codes[there], return_index=True)
    return {ids[code]: texts[there[at]] for code, at in zip(first.tolist(), where.tolist(), strict=True)}


def _bytes_of(values: np.ndarray | Iterable[str]) -> bytes:
    """Contents as bytes that end where they end: length first, so that no two sequences share them."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        body = str(values.dtype).encode() + np.ascontiguousarray(values).tobytes()
    else:
        body = json.dumps([str(value) for value in values]).encode()
    return len(body).to_bytes(8, "little") + body
