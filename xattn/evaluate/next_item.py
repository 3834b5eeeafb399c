"""*next-item*: the last event of every user is held out (stable by time); what comes next after the others?"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.errors import refuse
from xattn.evaluate.questions import last_events
from xattn.evaluate.ranking import compare
from xattn.evaluate.setup import Makers, Setup, result

__all__ = ["next_item"]


def next_item(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError where no user has two events."""
    if np.diff(data.indptr).max() < 2:
        refuse("too_few_events", least="two")
    questions = last_events(data, setup.seen)
    rows = compare(questions, models, setup)
    return result("next-item", data, len(questions.histories), setup, rows, questions.counts._asdict())
