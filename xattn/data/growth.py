"""Data that grows: the events of one set beside those of another, as one set.

Rows stay what they are: users and items of the first set keep theirs, new ones come after them. So what has been
learned over rows of the first holds for the whole.

    user u:    data   a b . d        both with times: sorted by them, the old event first where they are equal
               other  . . c . e      else the new events come after the old ones
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data.feature_set import FeatureSet
from xattn.data.items import ItemTable
from xattn.data.values import MISSING
from xattn.errors import refuse

if TYPE_CHECKING:
    from xattn.data.interactions import Interactions

__all__ = ["both", "both_tables"]


def both(data: Interactions, other: Interactions) -> dict[str, Any]:
    """The fields of the Interactions that hold all events of `data` and `other`; see `Interactions.extended`."""
    for what, column in (("ratings", "rating"), ("event_types", "kind")):
        has, gets = (getattr(part, column) is not None for part in (data, other))
        if has != gets:
            refuse("other_with" if has else "other_without", what=what, got=other)
    row_of_user = {name: row for row, name in enumerate(data.user_ids)}
    for name in other.user_ids:
        row_of_user.setdefault(name, len(row_of_user))
    items = both_tables(data.items, other.items)
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
    return {
        "name": data.name,
        "user_ids": tuple(row_of_user),
        "items": items,
        "indptr": np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(row_of_user)))]),
        "item": np.concatenate([data.item, new_item])[order],
        **vectors,
        "scale": data.scale,
    }


def both_tables(table: ItemTable, other: ItemTable) -> ItemTable:
    """`table`, then the items that only `other` holds, with what it says about them in the columns of `table`."""
    rows = np.flatnonzero(table.rows(other.ids) == MISSING)
    if not rows.size:
        return table
    whole = table.extended(other.ids, dict(zip(other.ids, other.titles, strict=True)))
    frame = whole.frame.copy()
    for name in table.frame.columns:
        if name in other.frame.columns and _is_number(table.frame[name]) == _is_number(other.frame[name]):
            frame[name] = pd.concat([table.frame[name], other.frame[name].iloc[rows]], ignore_index=True)
    features = _features(table.features, None if other.features is None else other.features.take(rows), len(rows))
    return ItemTable(whole.ids, whole.titles, frame, features)


def _features(own: FeatureSet | None, new: FeatureSet | None, n: int) -> FeatureSet | None:
    """The given features of a table, then those of `n` new items; unknown where these come without any."""
    if own is None or new is None:
        return None if own is None else own.extended(n)
    if (own.names, own.blocks) != (new.names, new.blocks):
        refuse("other_features", wanted=own, got=new)
    return own.with_rows(new.F)


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype))
