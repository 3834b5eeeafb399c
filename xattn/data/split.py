"""Splits by time: each user's newest event is the question, the events before it are what a model may see; or one
moment parts what was known from what came.

Applied to its own training part, a split gives the questions to choose a model by (validation):

    user's events   a b c d        train   a b c        target   d
    once more       a b c          train   a b          target   c
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xattn.data.interactions import Interactions
from xattn.errors import check_array, check_number, check_same_length, check_type, refuse

__all__ = ["NestedSplit", "Split", "as_of", "leave_last_out", "leave_last_two_out"]


@dataclass(frozen=True, eq=False)
class Split:
    """`train`: the events to learn from, over the same user and item tables as the whole data.

    For each of T users with a question: `user` (T,) user row, `item` (T,) the target's item row,
    `target_event_index` (T,) the target's position among the events of the data that was split. int64, users
    ascending, read-only.
    """

    train: Interactions
    user: np.ndarray
    item: np.ndarray
    target_event_index: np.ndarray

    def __len__(self) -> int:
        return int(self.user.size)

    def __repr__(self) -> str:
        return f"Split({len(self):,} targets, train={self.train!r})"


@dataclass(frozen=True, eq=False)
class NestedSplit:
    """`test` splits the data, `validation` splits `test.train`: choose on `validation`, report on `test`."""

    validation: Split
    test: Split


def leave_last_out(data: Interactions) -> Split:
    """The last event of every user with two or more is the target; events of equal time keep their order.

    Users with one event stay in `train` and have no target. Raises InputError for anything but `Interactions`.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"user": ["u", "u", "v"], "item": ["a", "b", "a"]})
    >>> split = leave_last_out(Interactions.from_frame(frame))
    >>> split.user, split.item, split.train.n_events
    (array([0]), array([1]), 2)
    """
    check_type("data", data, Interactions, "interactions")
    users = np.flatnonzero(np.diff(data.indptr) >= 2)
    targets = data.indptr[users + 1] - 1
    seen = np.ones(data.n_events, dtype=bool)
    seen[targets] = False
    columns = (users, data.item[targets], targets)
    for column in columns:
        column.flags.writeable = False
    return Split(data.select(seen), *columns)


def leave_last_two_out(data: Interactions) -> NestedSplit:
    """`leave_last_out` twice: the last event is the test target, the last but one the validation target."""
    test = leave_last_out(data)
    return NestedSplit(validation=leave_last_out(test.train), test=test)


def as_of(data: Interactions, moment: float, born: np.ndarray | None = None) -> Interactions:
    """What was known just before a `moment`, in seconds: the events before it, over the items that had appeared by it.

    `born` (M,) are the moments at which items appear; left out, an item appears with its first event. Users keep their
    rows, also those who have done nothing yet. Raises InputError for data without times, and where no item was there.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"user": ["u", "v", "u"], "item": ["a", "b", "b"], "time": [1, 2, 3]})
    >>> as_of(Interactions.from_frame(frame), 2.0).items.ids
    ('a',)
    >>> as_of(Interactions.from_frame(frame), 2.0, np.array([1.0, 2.0])).items.ids
    ('a', 'b')
    """
    check_type("data", data, Interactions, "interactions")
    check_number("moment", moment)
    if data.time is None:
        refuse("as_of_times")
    before = data.select(data.time < moment)
    if born is None:
        there = before.counts() > 0
    else:
        born = check_array("born", born, ndim=1, dtype=np.float64)
        check_same_length(items=data.n_items, born=len(born))
        there = (born <= moment) | (before.counts() > 0)
    if not there.any():
        refuse("as_of_items", got=float(moment))
    row_of = np.cumsum(there) - 1
    return Interactions(
        before.name,
        before.user_ids,
        before.items.take(np.flatnonzero(there)),
        before.indptr,
        row_of[before.item],
        before.rating,
        before.time,
        before.kind,
        before.scale,
        before.report,
    )
