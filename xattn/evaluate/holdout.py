"""*holdout*: a random fifth of every user's events is held out; those of them that the user liked are relevant.

A user with n events loses ⌊n/5⌋ of them, drawn with the seed; the rest, liked or not, are the history and what is
learned from. The order of the rest is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.errors import refuse
from xattn.evaluate.questions import Questions, check_asked, questions_about
from xattn.evaluate.ranking import compare
from xattn.evaluate.setup import Makers, Setup, liked, result

__all__ = ["drawn_per_user", "holdout", "one_per_user", "questions_of"]

SHARE = 0.2


def holdout(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result; see `evaluate`. Raises InputError where nobody has five events and liked a held-out
    one."""
    held = drawn_per_user(data, SHARE, np.random.default_rng(setup.seed))
    questions = questions_of(data, held, liked(data, setup.positive), setup.seen)
    if not check_asked(questions).histories:
        refuse("nobody_liked_held_out")
    rows = compare(questions, models, setup)
    return result("holdout", data, len(questions.histories), setup, rows, questions.counts._asdict())


def drawn_per_user(data: Interactions, share: float, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: ⌊share · n⌋ events of each user with n events, drawn at random.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", n_users=3, seed=0).data
    >>> held = drawn_per_user(data, 0.2, np.random.default_rng(0))
    >>> bool((np.bincount(data.user, held) == np.diff(data.indptr) // 5).all())
    True
    """
    order = np.lexsort((rng.random(data.n_events), data.user))  # by user, within the user at random
    length = np.diff(data.indptr)
    place = np.arange(data.n_events) - np.repeat(data.indptr[:-1], length)
    held = np.zeros(data.n_events, bool)
    held[order] = place < np.floor(np.repeat(length, length) * share + 1e-9)
    return held


def one_per_user(data: Interactions, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: all events of one item of each user with two items or more, which is drawn at random.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", n_users=3, seed=0).data
    >>> np.bincount(data.user, one_per_user(data, np.random.default_rng(0))).tolist()
    [1.0, 1.0, 1.0]
    """
    pairs, pair = np.unique(data.user * data.n_items + data.item, return_inverse=True)
    user = pairs // data.n_items
    order = np.lexsort((rng.random(len(pairs)), user))
    first, length = np.unique(user[order], return_index=True, return_counts=True)[1:]
    drawn = np.zeros(len(pairs), bool)
    drawn[order[first[length > 1]]] = True
    return drawn[pair]


def questions_of(data: Interactions, held: np.ndarray, relevant: np.ndarray, seen: str) -> Questions:
    """Fit on what is not `held`; the held-out `relevant` items of each user who has a history are the targets."""
    train = data.select(~held)
    users = np.flatnonzero(np.diff(train.indptr)).tolist()
    targets = ((user, data.item[own][(held & relevant)[own]]) for user in users for own in [data.events_of(user)])
    return questions_about(train, ((user, np.unique(items)) for user, items in targets), seen)
