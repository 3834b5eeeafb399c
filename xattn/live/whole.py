"""The data set and the events that came live, as one data set: what a model is fitted to.

Users of the data set come first, in its order; then those that an earlier model knew, in the order that it had; then
new ones, by their id. Within a user, events stand as in `xattn.live.person`. So the same events make the same data,
whatever the order in which they came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from xattn.data import Interactions
from xattn.data.values import MISSING

__all__ = ["whole"]


def whole(data: Interactions, rows: Sequence[Row[Any]], known: Sequence[str] = ()) -> Interactions:
    """`data` and the events of the store in one; `known` are the users of an earlier model, in its order."""
    item = data.items.rows([row.item for row in rows])
    kept = [row for row, place in zip(rows, item.tolist(), strict=True) if place != MISSING]
    if not kept:
        return data
    kept.sort(key=lambda row: (row.received if row.time is None else row.time, row.id))
    have = {row.user for row in kept}
    place = {user: at for at, user in enumerate(data.user_ids)}
    for user in (*(one for one in known if one in have), *sorted(have)):
        place.setdefault(user, len(place))
    at = np.array([row.received if row.time is None else row.time for row in kept])
    users: np.ndarray = np.concatenate([data.user, np.array([place[row.user] for row in kept])])
    old = np.full(data.n_events, -np.inf) if data.time is None else data.time
    time: np.ndarray = np.concatenate([old, at])
    order = np.lexsort((time, users))  # stable: the data set first, then live events by their id
    live_items = data.items.rows([row.item for row in kept])
    vectors: dict[str, Any] = {"item": np.concatenate([data.item, live_items])[order]}
    if data.rating is not None:
        values = [np.nan if row.value is None else float(row.value) for row in kept]
        vectors["rating"] = np.concatenate([data.rating, values])[order]
    if data.time is not None:
        vectors["time"] = time[order]
    if data.kind is not None:
        kinds = np.array([row.type or "" for row in kept], dtype=object)
        vectors["kind"] = np.concatenate([data.kind, kinds])[order]
    return Interactions(
        data.name,
        tuple(place),
        data.items,
        np.concatenate([[0], np.cumsum(np.bincount(users, minlength=len(place)))]),
        **vectors,
        scale=data.scale,
    )
