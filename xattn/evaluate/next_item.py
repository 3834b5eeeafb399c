"""*next-item* and *strict*: the last event of every user is held out (stable by time); what comes after the others?

    events of a user        a b c d e f
    next-item               learned from: a b c d e      history: a b c d e      asked: f
    strict                  learned from: a b c d        history: a b c d e      asked: f

Papers on sequential models choose settings by the last event but one and do not train on it: that is *strict*. A
deployed model has learned from everything that happened, so *next-item* is nearer to what people meet, and its figures
are higher. No table holds both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data import History, Interactions
from xattn.data.split import leave_last_two_out
from xattn.data.values import MISSING
from xattn.errors import refuse
from xattn.evaluate.questions import Asking, Questions, catalogue_of, held_part, last_events, pauses_before_last
from xattn.evaluate.ranking import compare
from xattn.evaluate.setup import Makers, Setup, result

__all__ = ["next_item", "strict", "strict_questions"]


def next_item(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError where no user has two events."""
    if np.diff(data.indptr).max() < 2:
        refuse("too_few_events", least="two")
    return _answered("next-item", data, last_events(data, setup.seen), models, setup)


def strict(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError where no user has three events."""
    if np.diff(data.indptr).max() < 3:
        refuse("too_few_events", least="three")
    return _answered("strict", data, strict_questions(data, setup.seen), models, setup)


def _answered(protocol: str, data: Interactions, questions: Questions, models: Makers, setup: Setup) -> dict[str, Any]:
    rows = compare(questions, models, setup)
    return result(protocol, data, len(questions.histories), setup, rows, questions.counts._asdict())


def strict_questions(data: Interactions, seen: str = "drop") -> Questions:
    """The last event of each user with three events or more, after all others; training ends two events before it.

    `validation` asks for the last event but one, with the same training data.
    """
    split = leave_last_two_out(data)
    train, row_of = catalogue_of(split.validation.train)
    asking = Asking(train, seen)
    able = np.isin(split.test.user, split.validation.user)
    pause = pauses_before_last(data, split.test.user)
    for user, item in zip(split.test.user[able].tolist(), split.test.item[able].tolist(), strict=True):
        history = History.of(split.test.train, user)
        if pause is not None:
            history = history.paused(pause[user])
        target = np.array([item if row_of is None else row_of[item]])
        held = target != MISSING
        met = int(not held.all() and seen == "drop" and item in history.item)
        asking.ask(held_part(history, row_of, user), target[held], int((~held).sum()) - met, met)
    return asking.questions()
