"""Reviews: what people wrote of an item becomes a column of its table, so that its keywords are features with names.

    text of item j = the reviews of j by the people who have j among the events of `data`, one after the other

A review whose event `data` does not hold is not read: made of the training part, the column knows nothing of what is
held out. On the side of the events, the block says what was written of what a person had; on the side of the target,
what others wrote of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.data.reading.cells import ids_of, text_of
from xattn.data.reading.roles import event_roles
from xattn.data.reading.tables import table_of
from xattn.data.values import MISSING
from xattn.errors import check_flag, check_named, check_type, refuse, some_of
from xattn.model.strength import LIKED, RatingScale, signed

__all__ = ["with_reviews"]

TAG = re.compile(r"<[^<>]{1,200}>")  # "<br />" is no word
EACH = 1000  # characters of a review, so that one long review is not all that is read of an item


def with_reviews(
    data: Interactions, reviews: Any, *, text: str = "review", name: str = "reviews", liked: bool = False
) -> Interactions:
    """The same data, whose items have a further column `name`: the texts that people wrote of them.

    `reviews` is a file, a folder, a frame or a database with columns of users, items and, called `text`, of texts.
    Pairs of a user and an item that `data` does not hold are left out; with `liked` also those that the user did not
    like, where the data have opinions. Of each review the first 1,000 characters count, without tags of HTML. Raises
    InputError or DataError where there is no such column, no review belongs to the data, the items have a column
    `name` already, or features of their own, beside which models read no column.

    >>> import pandas as pd
    >>> met = pd.DataFrame({"user": ["u", "v"], "item": ["a", "a"]})
    >>> wrote = pd.DataFrame({"user": ["u", "v", "w"], "item": ["a"] * 3, "review": ["crisp", "too sweet", "mine"]})
    >>> with_reviews(Interactions.from_frame(met), wrote).items.frame["reviews"].tolist()
    ['crisp\\ntoo sweet']
    """
    check_type("data", data, Interactions, "interactions")
    check_flag("liked", liked)
    if name in data.items.frame:
        refuse("column_there", got=name, **some_of([str(column) for column in data.items.frame]))
    if data.items.features is not None:
        refuse("features_and_reviews", of=data.name)
    table = table_of(reviews)
    check_named("text", text, table.names, "table_column")
    place = event_roles(table).place
    user, item = (ids_of(table.columns[place[role]], table.facts.is_text) for role in ("user", "item"))
    row_of = {one: row for row, one in enumerate(data.user_ids)}
    users = np.array([*(row_of.get(one, MISSING) for one in user.ids), MISSING])[user.codes]  # code −1: no id
    items = np.append(data.items.rows(item.ids), MISSING)[item.codes]
    counts = np.ones(data.n_events, bool)
    if liked and data.rating is not None:
        counts = signed(data.rating, data.n_events, RatingScale.of(data.scale)) >= LIKED
    met = data.user[counts] * data.n_items + data.item[counts]
    rows = np.flatnonzero((users >= 0) & (items >= 0) & np.isin(users * data.n_items + items, met))
    if not len(rows):
        refuse("no_reviews", got=len(table), of=data.name)
    texts: list[list[str]] = [[] for _ in range(data.n_items)]
    cells = text_of(table.columns[table.names.index(text)]).to_pylist()
    for row in rows.tolist():
        if cells[row]:
            texts[int(items[row])].append(TAG.sub(" ", str(cells[row]))[:EACH])
    frame = data.items.frame.assign(**{name: ["\n".join(own) for own in texts]})
    return replace(data, items=replace(data.items, frame=frame))
