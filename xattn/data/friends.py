"""Friends: an optional table of who is a friend of whom, as pairs of user rows of a data set.

Friendship goes both ways, so each pair stands in both orders. Pairs with somebody whom the data do not know, and of a
person with themselves, say nothing and are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data.interactions import Interactions
from xattn.data.reading.cells import ids_of
from xattn.data.reading.formats.frames import is_frame
from xattn.data.reading.tables import table_of
from xattn.errors import check_id, is_listing, refuse

__all__ = ["friend_pairs", "friends_of"]


def friend_pairs(friends: Any, data: Interactions) -> np.ndarray:
    """(E, 2) user rows, each pair in both orders, sorted, none twice.

    `friends` is a file, a folder, a frame or a database of which the first two columns hold user ids, or a listing of
    pairs of ids. Raises InputError or DataError where it is none of these, or no pair is known.

    >>> import pandas as pd
    >>> events = Interactions.from_frame(pd.DataFrame({"user": ["u", "v", "w"], "item": ["a", "a", "b"]}))
    >>> friend_pairs([("u", "v"), ("v", "x")], events).tolist()
    [[0, 1], [1, 0]]
    """
    row = {user: at for at, user in enumerate(data.user_ids)}
    one, other = _ids(friends)
    pairs = np.array([[row.get(a, -1), row.get(b, -1)] for a, b in zip(one, other, strict=True)], np.int64).reshape(
        -1, 2
    )
    pairs = pairs[(pairs >= 0).all(axis=1) & (pairs[:, 0] != pairs[:, 1])]
    if not len(pairs):
        refuse("no_friends", got=len(one), n=data.n_users)
    return np.unique(np.vstack([pairs, pairs[:, ::-1]]), axis=0)


def friends_of(pairs: np.ndarray, user: int) -> np.ndarray:
    """The rows of a user's friends, from sorted `pairs` (E, 2)."""
    low, high = np.searchsorted(pairs[:, 0], [user, user + 1])
    found: np.ndarray = pairs[low:high, 1]
    return found


def _ids(friends: Any) -> tuple[list[str], list[str]]:
    if not is_frame(friends) and is_listing(friends):
        if not all(is_listing(pair) and len(pair) == 2 for pair in friends):
            refuse("type", name="friends", what="pairs_of_users", got=friends)
        return [check_id("friends", a) for a, _ in friends], [check_id("friends", b) for _, b in friends]
    table = table_of(friends, of="friends")
    if len(table.names) < 2:
        table.source.refuse("two_columns_of_friends", got=len(table.names))
    found = [ids_of(column, table.facts.is_text) for column in table.columns[:2]]
    known = np.flatnonzero((found[0].codes >= 0) & (found[1].codes >= 0))
    first, second = ([own.ids[code] for code in own.codes[known].tolist()] for own in found)
    return first, second
