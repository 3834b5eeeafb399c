"""What something would do to a list, and what it did: the same list made twice, before and after.

A preview adds rows to those of the store that are not there, and makes the list from both by the very functions that
make it later. So what is announced is what happens.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import Row

from xattn.data import History, Interactions
from xattn.live.given import Event
from xattn.live.person import Person, person_of
from xattn.live.record import Numbers
from xattn.live.said import Said
from xattn.live.serving import Made, Serving, make_list
from xattn.live.store import Kept
from xattn.live.switches import Switches
from xattn.requests.answers import Listed
from xattn.requests.plain import Id, Plain

__all__ = ["Change", "alike", "change", "imagined", "reasons"]

SOON, THEN = 1e15, 2e15  # moments after all that came or can come: of events, and of what is said after them


@dataclass(frozen=True)
class Stayed(Plain):
    """An item that stays in the list although its largest reason stopped counting; `because` is its largest one now
    (None: the base)."""

    item: Id
    because: Id | None


@dataclass(frozen=True)
class Change(Plain):
    """A list before and after. `blocked` are items that a hard filter now keeps out of every list, `silenced` items
    whose events stopped counting; all else is what the model makes of the changed history."""

    before: tuple[Listed, ...]
    after: tuple[Listed, ...]
    entered: tuple[Id, ...]
    left: tuple[Id, ...]
    blocked: tuple[Id, ...]
    silenced: tuple[Id, ...]
    stayed: tuple[Stayed, ...]


def imagined(
    kept: Kept,
    said: Sequence[Mapping[str, Any]] = (),
    events: Sequence[Event] = (),
    switches: Switches | None = None,
) -> Kept:
    """What the store would hold of a person after these; of what is `said` the rows."""
    return Kept(
        [*kept.events, *(_row(event.row(), SOON) for event in events)],
        [*kept.feedback, *(_row(one, THEN) for one in said)],
        kept.settings if switches is None else [*kept.settings, _row({"settings": switches.text()}, THEN)],
    )


def _row(columns: Mapping[str, Any], received: float) -> Any:
    return SimpleNamespace(**columns, received=received)


def change(
    serving: Serving, user: str, before: Kept, after: Kept, conditions: Mapping[str, Any], asked: float
) -> Change:
    """What lies between two states of a person, in lists under these `conditions` of `recommend`, both `asked` at one
    moment."""
    was, now = (person_of(serving.data, user, kept, asked) for kept in (before, after))
    lists = [make_list(serving.model, person, conditions) for person in (was, now)]
    ids = serving.data.items.ids
    old, new = (made.rows.tolist() for made in lists)
    silent = _silenced(was, now)
    return Change(
        before=lists[0].listed(serving.model.data_),
        after=lists[1].listed(serving.model.data_),
        entered=tuple(ids[row] for row in new if row not in old),
        left=tuple(ids[row] for row in old if row not in new),
        blocked=tuple(ids[row] for row in sorted(set(now.blocked) - set(was.blocked))),
        silenced=tuple(ids[row] for row in silent),
        stayed=_stayed(serving, was, now, lists, set(silent)),
    )


def _silenced(was: Person, now: Person) -> list[int]:
    """The items whose events no longer count."""
    counted = set(was.shown.item[was.shown.live].tolist())
    return sorted(counted - set(now.shown.item[now.shown.live].tolist()))


def _stayed(serving: Serving, was: Person, now: Person, lists: Sequence[Made], silent: set[int]) -> tuple[Stayed, ...]:
    ids = serving.data.items.ids
    old, new = (
        dict(zip(made.rows.tolist(), reasons(made.numbers.ledger, person.shown), strict=True))
        for made, person in zip(lists, (was, now), strict=True)
    )
    found = [(row, new[row]) for row, reason in old.items() if reason in silent and row in new]
    return tuple(Stayed(ids[row], None if reason is None else ids[reason]) for row, reason in found)


def alike(data: Interactions, said: Said, row: Row[Any], person: Person) -> tuple[Id, ...]:
    """The items of a list that was served whose largest reason is what `said` names as the reason, but for its item.

    `row` is the list as it is kept, `person` its person as it knew them. It has none where it is somebody else's.
    """
    if said.event is None or row.user != said.user:
        return ()
    listed, because = json.loads(row.items), data.item_row(said.event)
    found = reasons(Numbers.of(row.numbers, len(listed)).ledger, person.shown)
    return tuple(item for item, reason in zip(listed, found, strict=True) if reason == because and item != said.item)


def reasons(ledger: np.ndarray, history: History) -> list[int | None]:
    """The item of the history that speaks most for each listed item, a row of the `ledger` (k, n); None where none
    does."""
    found: list[int | None] = []
    met, place = np.unique(history.item, return_inverse=True)
    for own in ledger:
        sums = np.bincount(place, own, minlength=len(met)) if len(met) else np.empty(0)
        best = int(np.argmax(sums)) if len(sums) else 0
        found.append(int(met[best]) if len(sums) and sums[best] > 0 else None)
    return found
