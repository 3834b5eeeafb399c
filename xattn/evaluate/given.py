"""*given*: a split that somebody else made: events to learn from, histories to answer for, events to find.

Ids, not rows, tie the parts together. The history of a tested person comes from `history` where the person is there,
else from the training data. Nobody has to be in the training data, and nothing is fitted again for those who are not.
No list holds a test item that training does not know: it counts as missed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data import History, Interactions
from xattn.data.history import days_before
from xattn.data.values import MISSING
from xattn.errors import refuse
from xattn.evaluate.questions import Asking
from xattn.evaluate.ranking import compare
from xattn.evaluate.setup import Makers, Setup, liked, result

__all__ = ["given"]


def given(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError without `test`, or where it has nothing to find."""
    test = setup.test
    if test is None:
        refuse("given", name="test", when="protocol", choice="given")
    wanted = np.ones(test.n_events, bool) if setup.positive is None else liked(test, setup.positive)
    row_of_item = data.items.rows(test.items.ids)
    past = _Past(data, setup.history)
    asking = Asking(data, setup.seen)
    tested = False
    for user, name in enumerate(test.user_ids):
        own = test.events_of(user)
        items = np.unique(test.item[own][wanted[own]])
        if not len(items):
            continue
        rows, history, tested = row_of_item[items], past.of(name), True
        strange = [test.items.ids[item] for item in items[rows == MISSING].tolist()]
        met = len(set(strange) & set(history.unknown)) if setup.seen == "drop" else 0
        asking.ask(history, rows[rows != MISSING], len(strange) - met, met)
    if not tested:
        refuse("empty_test" if setup.positive is None else "no_liked_test", least=setup.positive, of=test.name)
    questions = asking.questions()
    rows = compare(questions, models, setup)
    return result("given", data, len(questions.histories), setup, rows, questions.counts._asdict())


class _Past:
    """Histories by the id of a person: from `source` where it has the person, else from `data`, else empty."""

    def __init__(self, data: Interactions, source: Interactions | None) -> None:
        self.data, self.source = data, source
        self.rows = {user: row for row, user in enumerate(data.user_ids)}
        if source is not None:
            self.row_of_item = data.items.rows(source.items.ids)
            self.source_rows = {user: row for row, user in enumerate(source.user_ids)}

    def of(self, name: str) -> History:
        """The history of one person, over the items of `data`."""
        row = self.rows.get(name)
        if self.source is not None and name in self.source_rows:
            own = self.source.events_of(self.source_rows[name])
            items = self.row_of_item[self.source.item[own]]
            known = items != MISSING
            source = self.source
            rating, kind, time = (
                None if v is None else v[own][known] for v in (source.rating, source.kind, source.time)
            )
            elapsed = None if time is None else days_before(time)
            n = int(known.sum())
            unknown = tuple(dict.fromkeys(self.source.items.ids[j] for j in self.source.item[own][~known].tolist()))
            return History(items[known], rating, np.arange(n)[::-1], np.ones(n, bool), row, unknown, kind, elapsed)
        if row is not None:
            return History.of(self.data, row)
        nothing = np.zeros(0, np.int64)
        return History(nothing, None, nothing.astype(float), nothing.astype(bool))
