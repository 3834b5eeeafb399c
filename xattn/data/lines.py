"""A frame of events, one a line, becomes the arrays of Interactions: the one place where ids of events become rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xattn.data.columns import match_columns
from xattn.data.source import Source
from xattn.data.values import MISSING, coded_ids, numbers, plain_texts, seconds
from xattn.errors import InputError, shown

__all__ = ["Events", "events_of_lines"]

ROLES = ("user", "item", "rating", "time", "kind", "title")


class Events(NamedTuple):
    """N events, those of one user together, oldest first; `item` (N,) numbers the `item_ids` that occur."""

    user_ids: tuple[str, ...]
    item_ids: tuple[str, ...]
    titles: dict[str, str]  # of items, where the lines have titles
    indptr: np.ndarray
    item: np.ndarray
    rating: np.ndarray | None
    time: np.ndarray | None
    kind: np.ndarray | None


def events_of_lines(
    frame: pd.DataFrame, columns: Mapping[str, str] | None, drop_missing: bool, source: Source
) -> Events:
    """The events of `frame`; the arguments and the errors are those of `Interactions.from_frame`."""
    if not isinstance(frame, pd.DataFrame):
        raise InputError(f"`frame` must be a pandas DataFrame of events; got {shown(frame)}.")
    names = [str(label) for label in frame.columns]
    found = match_columns(names, list(ROLES), source, required=["user", "item"], given=columns)
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
    keys = (values["time"], user_codes) if "time" in values else (user_codes,)
    order = np.lexsort(keys)  # by user, then time; lexsort is stable, so equal times keep the order of the lines
    indptr = np.concatenate([[0], np.cumsum(np.bincount(user_codes, minlength=len(user_ids)))])
    rating, time, kind = (values[role][order] if role in values else None for role in ("rating", "time", "kind"))
    return Events(user_ids, item_ids, titles, indptr, item_codes[order], rating, time, kind)


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
