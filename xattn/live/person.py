"""A person as a list sees one: the history that the model attends to, and what may not be listed.

All of it follows from the rows of the store up to one moment, from the data set, and from the moment at which the list
was asked, which is kept with it; so what a list knew can be told again at any time. Events stand in order of their
moment and their id; those of the data set come first where they have no time, and at equal times.

    like        one more event, as good as the scale has         learned: it works through the model
    dislike     one more event, as bad as the scale has          learned, and the item is not listed
    not_interested   the item is not listed, nor are those of the list that had the same largest reason; events of
                     that reason stop counting
    more        what is meant (item, reason, newest of a tag) counts once more, as the newest event
    less        events of the item or reason stop counting; items with the tag are not listed
    undo        a former one is as if it had not been said
"""

from __future__ import annotations

import json
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Row

from xattn.data import History, Interactions
from xattn.data.history import days_before
from xattn.data.values import MISSING
from xattn.errors import UnknownIdError
from xattn.features import feature_set
from xattn.live.store import Kept, Store
from xattn.live.switches import Switches

__all__ = ["Entry", "Person", "empty", "known_to", "person_of", "tagged"]


class Entry(NamedTuple):
    """An event that came live: its moment and id, by which it is ordered, its item row, and what it says."""

    at: float
    id: str
    item: int
    value: float
    kind: str


@dataclass(frozen=True, eq=False)
class Person:
    """A history, what is `blocked` from lists and why (item row → id of what was said), and the `switches`."""

    user: str
    history: History
    blocked: Mapping[int, str]
    switches: Switches

    @property
    def shown(self) -> History:
        """The history that lists may use: none where personalisation is off."""
        return self.history if self.switches.personal else empty(self.history)

    def allowed(self, eligible: np.ndarray) -> np.ndarray:
        """(M,) bool: which of the `eligible` (M,) items may be listed."""
        found = eligible.copy()
        found[list(self.blocked)] = False
        return found


def known_to(row: Row[Any], data: Interactions, store: Store) -> Person:
    """The person of a kept list, as the list knew them."""
    return person_of(data, row.user, store.of(row.user, row.seq), row.asked)


def person_of(data: Interactions, user: str, kept: Kept, asked: float | None = None) -> Person:
    """The person that the data set and the rows of the store make, for a list that is `asked` at a moment, in seconds
    since 1970; left out, at that of the newest event."""
    own = _own(data, user)
    entries = sorted(_entries(data, kept.events))
    switches = Switches.of(kept.settings[-1].settings) if kept.settings else Switches()
    blocked: dict[int, str] = {}
    masks: list[tuple[Entry, int]] = []
    for one in _in_force(kept.feedback):
        where = Entry(one.received if one.time is None else float(one.time), one.id, MISSING, np.nan, "")
        for entry in _said_as_events(data, one, where, own, entries):
            insort(entries, entry)
        for row in _blocks(data, one):
            blocked.setdefault(row, one.id)
        masks += [(where, row) for row in _masks(data, one)]
    for tag in switches.muted:
        for row in tagged(data, tag).tolist():
            blocked.setdefault(row, f"tag: {tag}")
    history = _merged(own, entries, masks, _elapsed(data, own, entries, asked))
    if switches.dropped:
        gone = np.unique(np.concatenate([tagged(data, tag) for tag in switches.dropped]))
        history = replace(history, live=history.live & ~np.isin(history.item, gone))
    return Person(user, history, blocked, switches)


def empty(like: History) -> History:
    """A history without events, with the columns of another."""
    return replace(
        like,
        item=np.empty(0, np.int64),
        rating=None if like.rating is None else np.empty(0),
        age=np.empty(0),
        live=np.empty(0, bool),
        user=None,
        elapsed=None,
        kind=None if like.kind is None else np.empty(0, object),
    )


def tagged(data: Interactions, tag: str) -> np.ndarray:
    """The rows of the items that bear a tag: a feature of the item table, by its name; none where there is no such."""
    found = data.items.kept.get(("tag", tag))
    if found is None:
        features = feature_set(data.items)
        place = features.names.index(tag) if tag in features.names else None
        found = np.empty(0, np.int64) if place is None else np.flatnonzero(features.F[:, [place]].toarray()[:, 0] > 0)
        if place is not None:
            data.items.kept["tag", tag] = found
    return np.asarray(found)


# --- events -----------------------------------------------------------------------------------------------------------


class _Own(NamedTuple):
    """The events of the data set: when each was (None: before all else), and the rest as in a History."""

    at: np.ndarray | None
    history: History


def _own(data: Interactions, user: str) -> _Own:
    try:
        row = data.user_row(user)
    except UnknownIdError:
        rating = None if data.rating is None else np.empty(0)
        kind = None if data.kind is None else np.empty(0, object)
        return _Own(None, History(np.empty(0, np.int64), rating, np.empty(0), np.empty(0, bool), kind=kind))
    history = replace(History.of(data, row), user=None)
    return _Own(None if data.time is None else data.time[data.events_of(row)], history)


def _entries(data: Interactions, rows: Sequence[Row[Any]]) -> Iterator[Entry]:
    for row in rows:
        (item,) = data.items.rows([row.item]).tolist()
        if item != MISSING:  # an item that has left the catalogue
            at = row.received if row.time is None else row.time
            yield Entry(float(at), row.id, item, np.nan if row.value is None else float(row.value), row.type or "")


def _place(own: _Own, at: float) -> int:
    """How many events of the data set stand before a live one of this moment."""
    return len(own.history) if own.at is None else int(np.searchsorted(own.at, at, side="right"))


def _merged(
    own: _Own, entries: Sequence[Entry], masks: Sequence[tuple[Entry, int]], elapsed: np.ndarray | None
) -> History:
    """One history of both, with the events that no longer count masked."""
    history = own.history
    places = [_place(own, entry.at) for entry in entries]
    live = np.ones(len(history), bool)
    lives = np.ones(len(entries), bool)
    for where, row in masks:
        live[: _place(own, where.at)] &= history.item[: _place(own, where.at)] != row
        lives &= np.array([entry.item != row or entry[:2] >= where[:2] for entry in entries], bool)
    n = len(history) + len(entries)
    rating, kind = history.rating, history.kind
    return History(
        np.insert(history.item, places, [entry.item for entry in entries]),
        None if rating is None else np.insert(rating, places, [entry.value for entry in entries]),
        np.arange(n, dtype=np.float64)[::-1],
        np.insert(live, places, lives),
        kind=None if kind is None else np.insert(kind, places, np.array([e.kind for e in entries], object)),
        elapsed=elapsed,
    )


def _elapsed(data: Interactions, own: _Own, entries: Sequence[Entry], asked: float | None) -> np.ndarray | None:
    """How many days ago each event was. An event after the moment `asked` was just now. Where the times of the data set
    are no moments of the calendar, no clock can be set beside them, nor can what came live."""
    at = np.empty(0) if own.at is None else own.at
    if data.dated:
        return days_before(np.insert(at, [_place(own, entry.at) for entry in entries], [e.at for e in entries]), asked)
    return None if data.time is None or entries else days_before(at)


# --- what was said ----------------------------------------------------------------------------------------------------


def _in_force(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """What was said and not taken back, in order of moment and id."""
    undone = {row.undoes for row in rows if row.kind == "undo"}
    stands = [row for row in rows if row.kind != "undo" and row.id not in undone]
    return sorted(stands, key=lambda row: (row.received if row.time is None else row.time, row.id))


def _rows(data: Interactions, *ids: str | None) -> list[int]:
    return [row for row in data.items.rows([one for one in ids if one is not None]).tolist() if row != MISSING]


def _said_as_events(
    data: Interactions, said: Row[Any], where: Entry, own: _Own, entries: Sequence[Entry]
) -> Iterator[Entry]:
    """The events that count from what was said on."""
    if said.kind in ("like", "dislike"):
        certain = data.scale is not None and data.scale.certain
        span = data.scale.span if data.scale is not None and certain else (np.nan, np.nan)
        if certain or said.kind == "like":  # without a scale of opinions, an event would speak for the item
            for row in _rows(data, said.item):
                yield where._replace(item=row, value=span[said.kind == "like"])
    if said.kind == "more":
        rows = _rows(data, said.item, said.event)
        if said.tag is not None:
            before = [entry.item for entry in entries if entry[:2] < where[:2]]
            alike = tagged(data, said.tag)
            mine = own.history.item[: _place(own, where.at)]
            found = [item for item in (*mine.tolist(), *before) if item in set(alike.tolist())]
            rows = found[-1:]
        for row in rows:
            yield where._replace(item=row, value=_value_of(row, own, entries))


def _value_of(row: int, own: _Own, entries: Sequence[Entry]) -> float:
    """What the person last said of the item; NaN for nothing."""
    said = [entry.value for entry in entries if entry.item == row and not np.isnan(entry.value)]
    if said or own.history.rating is None:
        return said[-1] if said else np.nan
    mine = own.history.rating[own.history.item == row]
    return float(mine[-1]) if len(mine) else np.nan


def _blocks(data: Interactions, said: Row[Any]) -> list[int]:
    """The items that are not listed any more."""
    if said.kind == "less" and said.tag is not None:
        return [int(row) for row in tagged(data, said.tag)]
    return _rows(data, said.item, *json.loads(said.alike or "[]")) if said.kind in ("dislike", "not_interested") else []


def _masks(data: Interactions, said: Row[Any]) -> list[int]:
    """The items whose events so far count no more."""
    if said.kind == "not_interested":
        return _rows(data, said.event)
    return _rows(data, said.item, said.event) if said.kind == "less" else []
