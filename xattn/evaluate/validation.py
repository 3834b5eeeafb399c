"""Validation: questions to choose settings by, made of training data alone.

The protocol's own split comes first, and its test part is thrown away. The same kind of split of the rest gives the
questions.

    next-item   a b c d   →   a b c (d is the test)   →   a b   asked for c
    strict      the same: the model of the test has learned from a b, too
    holdout     a random fifth is the test, a random fifth of the rest is asked for
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xattn.data import Interactions
from xattn.data.split import leave_last_out
from xattn.errors import refuse
from xattn.evaluate.holdout import SHARE, drawn_per_user, questions_of
from xattn.evaluate.questions import Questions, check_asked, last_events
from xattn.evaluate.setup import Setup, liked

__all__ = ["VALIDATIONS"]


def _next_item(data: Interactions, setup: Setup) -> Questions:
    rest = leave_last_out(data).train
    if np.diff(rest.indptr).max() < 2:
        refuse("too_few_events", least="three")
    return check_asked(last_events(rest, setup.seen))


def _holdout(data: Interactions, setup: Setup) -> Questions:
    rng = np.random.default_rng(setup.seed)
    rest = data.select(~drawn_per_user(data, SHARE, rng))  # the test of the protocol holdout with this seed
    held = drawn_per_user(rest, SHARE, rng)
    questions = questions_of(rest, held, liked(rest, setup.positive), setup.seen)
    if not check_asked(questions).histories:
        refuse("nobody_liked_of_seven")
    return questions


VALIDATIONS: dict[str, Callable[[Interactions, Setup], Questions]] = {
    "next-item": _next_item,
    "strict": _next_item,
    "holdout": _holdout,
}
