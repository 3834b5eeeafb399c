"""What people say of listed items: by place in the list, by model, by scenario.

What is counted is a place of a list that was served: it was liked, disliked, found not interesting, or taken (an event
that names the list as its origin). What was taken back does not count.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row

from xattn.live.satisfaction.intervals import Seen, share

__all__ = ["KINDS", "Place", "places", "rates"]

KINDS = ("liked", "disliked", "not_interested", "taken")
SAID = {"like": "liked", "dislike": "disliked", "not_interested": "not_interested"}


class Place(NamedTuple):
    """One place of a list that was served, and what became of it."""

    user: str
    position: int
    model: str
    scenario: str
    what: frozenset[str]


def places(lists: Iterable[Row[Any]], feedback: Sequence[Row[Any]], events: Iterable[Row[Any]]) -> Iterable[Place]:
    """Every place of every list."""
    undone = {row.undoes for row in feedback if row.kind == "undo"}
    found: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in feedback:
        if row.kind in SAID and row.list_id is not None and row.id not in undone:
            found[row.list_id, row.user, row.item].add(SAID[row.kind])
    for row in events:
        if row.list_id is not None:
            found[row.list_id, row.user, row.item].add("taken")
    for row in lists:
        for position, item in enumerate(json.loads(row.items), 1):
            what = frozenset(found.get((row.id, row.user, item), ()))
            yield Place(row.user, position, row.model, row.scenario or "", what)


def rates(found: Sequence[Place], by: Callable[[Place], Any]) -> list[dict[str, Any]]:
    """One row a group: its `group`, how many places were `shown`, and of each kind the share with `ci95`."""
    groups: defaultdict[Any, list[Place]] = defaultdict(list)
    for place in found:
        groups[by(place)].append(place)
    rows = []
    for group, own in sorted(groups.items()):
        people: defaultdict[str, list[Place]] = defaultdict(list)
        for place in own:
            people[place.user].append(place)
        row: dict[str, Any] = {"group": group, "shown": len(own)}
        for kind in KINDS:
            row[kind] = share([Seen(float(sum(kind in p.what for p in mine)), len(mine)) for mine in people.values()])
        rows.append(row)
    return rows
