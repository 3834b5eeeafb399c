"""Data that grows: the events of one set beside those of another, as one set.

Rows stay what they are: users and items of the first set keep theirs, new ones come after them. So what has been
learned over rows of the first holds for the whole.

    user u:    data   a b . d        both with times: sorted by them, the old event first where they are equal
               other  . . c . e      else the new events come after the old ones
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xattn.data.interactions import Interactions, ItemTable
from xattn.data.values import MISSING
from xattn.errors import InputError, shown

__all__ = ["extended"]


def extended(data: Interactions, other: Interactions) -> Interactions:
    """All events of `data` and `other`, with the name of `data`; see `Interactions.extended`."""
    if not isinstance(other, Interactions):
        raise InputError(f"`other` must be Interactions; got {shown(other)}.")
    for name, column in (("ratings", "rating"), ("event types", "kind")):
        has, gets = (getattr(part, column) is not None for part in (data, other))
        if has != gets:
            raise InputError(f"`other` must hold {name if has else f'no {name}'}, as the data does; got {other!r}.")
    row_of_user = {name: row for row, name in enumerate(data.user_ids)}
    for name in other.user_ids:
        row_of_user.setdefault(name, len(row_of_user))
    items = _items(data.items, other.items)
    new_user = np.array([row_of_user[name] for name in other.user_ids])[other.user]
    new_item = items.rows(other.items.ids)[other.item]
    user: np.ndarray = np.concatenate([data.user, new_user])
    timed = data.time is not None and other.time is not None
    time = np.concatenate([data.time, other.time]) if timed else np.zeros(len(user))
    order = np.lexsort((time, user))  # stable: the old events first where nothing else decides
    vectors: dict[str, Any] = {
        name: np.concatenate([getattr(data, name), getattr(other, name)])[order]
        for name in ("rating", "kind", "time")
        if getattr(data, name) is not None and (name != "time" or timed)
    }
    indptr = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(row_of_user)))])
    item = np.concatenate([data.item, new_item])[order]
    return Interactions(data.name, tuple(row_of_user), items, indptr, item, **vectors, scale=data.scale)


def _items(table: ItemTable, other: ItemTable) -> ItemTable:
    """`table`, then the items that only `other` holds, with what it says about them in the columns of `table`."""
    rows = np.flatnonzero(table.rows(other.ids) == MISSING)
    ids = [other.ids[row] for row in rows.tolist()]
    whole = table.extended(ids, {other.ids[row]: other.titles[row] for row in rows.tolist()})
    shared = [
        name
        for name in table.frame.columns
        if name in other.frame.columns and _is_number(table.frame[name]) == _is_number(other.frame[name])
    ]
    if not ids or not shared:
        return whole
    frame = whole.frame.copy()
    for name in shared:
        frame[name] = pd.concat([table.frame[name], other.frame[name].iloc[rows]], ignore_index=True)
    return ItemTable(whole.ids, whole.titles, frame)


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))
