"""One part, put in order: events as they came → columns by user and time, after those that were there before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.data.reading import faults
from xattn.scale.columns import Columns, packed_ids

__all__ = ["Gathered", "joined_after", "ordered", "without_repeats"]


class Gathered(NamedTuple):
    """Events of one part in the order in which they came: users by code, and what the columns say of each event."""

    users: list[str]
    first: np.ndarray
    user: np.ndarray
    vectors: dict[str, np.ndarray | None]  # item, rating, time, kind


def without_repeats(own: Gathered) -> Gathered:
    """Without events that say again what another says; without time and rating they are events of their own."""
    if own.vectors["time"] is None and own.vectors["rating"] is None:
        return own
    again = faults.exact_repeats([own.user, *(v for v in own.vectors.values() if v is not None)])
    kept = np.setdiff1d(np.arange(len(own.user)), again)
    return own._replace(
        user=own.user[kept], vectors={name: None if v is None else v[kept] for name, v in own.vectors.items()}
    )


def joined_after(old: Columns, new: Gathered) -> Gathered:
    """The events of both, the old ones first; users who are known keep their place."""
    users = list(old.user_ids())
    known = {value: row for row, value in enumerate(users)}
    code = np.empty(len(new.users), np.int64)
    fresh = []
    for row, value in enumerate(new.users):
        if value not in known:
            known[value] = len(known)
            fresh.append(row)
        code[row] = known[value]
    users += [new.users[row] for row in fresh]
    first = np.concatenate([old.first, new.first[fresh]])
    user = np.concatenate([np.repeat(np.arange(old.n_users), np.diff(old.indptr)), code[new.user]])
    vectors: dict[str, np.ndarray | None] = {}
    for name, values in new.vectors.items():
        before = getattr(old, name)
        vectors[name] = None if before is None or values is None else np.concatenate([before, values])
    return Gathered(users, first, user, vectors)


def ordered(own: Gathered) -> Columns:
    """By user, in the order in which the users came, then by time; equal times keep the order in which they came."""
    rank = np.empty(len(own.users), np.int64)
    by_place = np.argsort(own.first, kind="stable")
    rank[by_place] = np.arange(len(by_place))
    user, time = rank[own.user], own.vectors["time"]
    order = np.lexsort((user,) if time is None else (time, user))
    users, ptr = packed_ids([own.users[row] for row in by_place.tolist()])
    indptr = np.concatenate([[0], np.cumsum(np.bincount(user, minlength=len(rank)))]).astype(np.int64)
    types = {"item": np.int32, "rating": np.float64, "time": np.float64, "kind": np.int32}
    vectors = {n: None if v is None else np.ascontiguousarray(v[order], types[n]) for n, v in own.vectors.items()}
    item = vectors.pop("item")
    assert item is not None
    return Columns(users, ptr, own.first[by_place].astype(np.int64), indptr, item, **vectors)
