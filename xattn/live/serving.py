"""A list for a person, from a model that is in service; and why each item stood in it.

A list and its explanation are made by the same functions from the same rows of the store, so an explanation that is
asked for later gives the score that was served.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Row

from xattn.data import History, Interactions
from xattn.errors import UnknownIdError, refuse
from xattn.explain import Ledger
from xattn.live.person import Person
from xattn.live.record import Numbers
from xattn.recommenders import Recommender
from xattn.recommenders.listing import listing
from xattn.requests.answers import Listed
from xattn.requests.plain import Id, Plain

__all__ = ["Made", "ServedList", "Serving", "ledger_of", "make_list", "stored_ledger"]


class Serving(NamedTuple):
    """What answers at the moment: a model with its fingerprint, the newest row of the store that it has learned from,
    and the data set that the store stands on."""

    model: Recommender
    fingerprint: str
    knows: int
    data: Interactions


@dataclass(frozen=True)
class ServedList(Plain):
    """A list that was served. `personal` is False where it comes from the base alone; `model` is a fingerprint."""

    list_id: str
    user: Id
    model: str
    personal: bool
    items: tuple[Listed, ...]


class Made(NamedTuple):
    """A list before it is kept: item rows and their numbers."""

    rows: np.ndarray
    numbers: Numbers

    def listed(self, data: Interactions) -> tuple[Listed, ...]:
        """The items as they are served."""
        ids, titles = data.items.ids, data.items.titles
        columns = (self.rows.tolist(), self.numbers.scores.tolist(), self.numbers.bases.tolist())
        return tuple(
            Listed(rank, ids[row], titles[row], score, base)
            for rank, (row, score, base) in enumerate(zip(*columns, strict=True), 1)
        )


def events_of(model: Recommender, person: Person) -> History:
    """The history as the model sees it: with the person's own row, where it has one."""
    shown = person.shown
    if not len(shown):
        return shown
    try:
        return replace(shown, user=model.data_.user_row(person.user))
    except UnknownIdError:
        return shown


def make_list(model: Recommender, person: Person, conditions: Mapping[str, Any], ledger: bool = True) -> Made:
    """The list of a person under the `conditions` of `recommend`; `ledger` False: without what each event gave."""
    events = events_of(model, person)
    asked = listing(model.data_, **conditions)
    asked = asked._replace(eligible=person.allowed(asked.eligible))
    scores = model.scores_of(events)
    (best,) = asked.best(scores[None, :], [events])
    rows = np.asarray(best.items)
    own = model.contributions_of(events, rows) if ledger else np.empty((len(rows), 0))
    base = np.asarray(model.base_[rows], np.float64)
    # a list without chance: each item stands there with probability 1, and says so, for whoever compares policies later
    return Made(rows, Numbers(np.asarray(best.scores, np.float64), base, np.ones(len(rows)), own))


def ledger_of(model: Recommender, person: Person, item: str, conditions: Mapping[str, Any]) -> Ledger:
    """The ledger of an item of a list."""
    ids = model.data_.items.ids
    exclude = [*conditions.get("exclude", ()), *(ids[row] for row in person.blocked)]
    asked = {name: own for name, own in conditions.items() if name != "diversity"}  # ranks are by score
    return model.explain(history=events_of(model, person), item=item, **{**asked, "exclude": exclude})


@dataclass(frozen=True)
class StoredCell(Plain):
    """What an event contributed, all heads together."""

    event: Id
    title: str
    position: int
    contribution: float


@dataclass(frozen=True)
class StoredLedger(Plain):
    """The ledger that was kept with a list, for a model that is gone: the cells sum to score − base."""

    SCHEMA = "xattn.stored-ledger"
    list_id: str
    user: Id
    model: str
    item: Id
    title: str
    rank: int
    score: float
    base: float
    cells: tuple[StoredCell, ...]


def stored_ledger(row: Row[Any], data: Interactions, person: Person, item: str) -> StoredLedger:
    """The ledger in short of an item of a kept list."""
    place = place_of(row, item)
    numbers = Numbers.of(row.numbers, len(json.loads(row.items)))
    history = person.shown
    ids, titles = data.items.ids, data.items.titles
    cells = tuple(
        StoredCell(ids[at], titles[at], position, float(numbers.ledger[place, position]))
        for position, at in enumerate(history.item.tolist())
        if history.live[position]
    )
    score, base = float(numbers.scores[place]), float(numbers.bases[place])
    title = titles[data.item_row(item)]
    return StoredLedger(row.id, row.user, row.model, item, title, place + 1, score, base, cells)


def place_of(row: Row[Any], item: str) -> int:
    """The place of an item in a kept list, from 0. Raises UnknownIdError where it was not in it."""
    items = json.loads(row.items)
    if item not in items:
        refuse("not_in_list", kind=UnknownIdError, got=item)
    return int(items.index(item))
