"""*time*: one moment parts past and future for everybody; the last fifth of all events is the future.

Events at that very moment are future. The questions are for users who have a past and liked something in their future.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.errors import refuse
from xattn.evaluate.holdout import questions_of
from xattn.evaluate.questions import check_asked
from xattn.evaluate.ranking import compare
from xattn.evaluate.setup import Makers, Setup, liked, result

__all__ = ["time_split"]

SHARE = 0.2


def time_split(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError without times, or where nobody has both past and
    future."""
    if data.time is None:
        refuse("no_times")
    moment = np.sort(data.time)[int(np.ceil((1 - SHARE) * data.n_events - 1e-9)) - data.n_events]
    future = data.time >= moment
    if future.all():
        refuse("one_moment")
    questions = questions_of(data, future, liked(data, setup.positive), setup.seen)
    if not check_asked(questions).histories:
        refuse("nobody_on_both_sides")
    rows = compare(questions, models, setup)
    return result("time", data, len(questions.histories), setup, rows, questions.counts._asdict())
