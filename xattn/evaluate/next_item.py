"""*next-item*: the last event of every user is held out (stable by time); what comes next after the others?"""

from __future__ import annotations

from typing import Any

from xattn.data import History, Interactions
from xattn.data.split import leave_last_out
from xattn.errors import refuse
from xattn.evaluate.ranking import Questions, compare
from xattn.evaluate.setup import Makers, Setup, result

__all__ = ["next_item"]


def next_item(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError where no user has two events."""
    split = leave_last_out(data)
    if not len(split):
        refuse("too_few_events", least="two")
    histories = [History.of(split.train, user) for user in split.user.tolist()]
    questions = Questions(split.train, histories, list(split.item[:, None]))
    return result("next-item", data, len(split), setup, compare(questions, models, setup))
