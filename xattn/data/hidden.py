"""Items that are hidden from training, and what is then asked: an event with one of them, from what came before it.

A tenth of the items with `FEWEST` events or more is drawn; they stay in the catalogue with their features. A question
is an event with a hidden item that is new to the user; each user has at most the newest `MOST`. The history is what the
user did before the event, without hidden items. The protocol *cold* asks them of a model; a model that has to choose
how to score newcomers asks them of itself.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.data.history import History
from xattn.data.interactions import Interactions
from xattn.errors import refuse

__all__ = ["FEWEST", "MOST", "SHARE", "ColdQuestion", "hidden_items", "questions_of"]

SHARE = 0.1
FEWEST = 5  # events of a hidden item, so that there is something to find
MOST = 5  # questions of one user


class ColdQuestion(NamedTuple):
    """One event with a hidden item: what came before it, and what is no candidate."""

    user: int
    history: History
    seen: np.ndarray  # item rows the user had before, hidden ones too
    target: int


def hidden_items(data: Interactions, rng: np.random.Generator) -> np.ndarray:
    """(M,) bool: a tenth of the items with at least `FEWEST` events."""
    eligible = np.flatnonzero(data.counts() >= FEWEST)
    hidden = np.zeros(data.n_items, bool)
    hidden[rng.choice(eligible, int(len(eligible) * SHARE), replace=False)] = True
    if not hidden.any():
        refuse("few_items_to_hide", least=FEWEST, got=len(eligible))
    return hidden


def questions_of(data: Interactions, train: Interactions, hidden: np.ndarray) -> list[ColdQuestion]:
    """The newest `MOST` events of each user with an item that is `hidden` and new to them, and a history before."""
    questions = []
    for user in np.unique(data.user[hidden[data.item]]).tolist():
        items = data.item[data.events_of(user)]
        whole = History.of(train, user)
        before = np.cumsum(~hidden[items])  # events of the history before each event with a hidden item
        own = []
        for place in np.flatnonzero(hidden[items])[::-1].tolist():
            seen = items[:place]
            if before[place] and items[place] not in seen:
                own.append(ColdQuestion(user, _first(whole, int(before[place])), seen, int(items[place])))
            if len(own) == MOST:
                break
        questions += own[::-1]
    return questions


def _first(history: History, n: int) -> History:
    """The oldest n events, the last of which is the newest now."""
    mine = (history.rating, history.kind, history.elapsed)
    rating, kind, elapsed = (None if v is None else v[:n] for v in mine)
    found = History(history.item[:n], rating, np.arange(n)[::-1], np.ones(n, bool), history.user, (), kind, elapsed)
    return found.paused(0.0)
