"""What a removal does to the place of an item in a list that was served: the list is made again without the event."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from xattn.data import Interactions
from xattn.errors import UnknownIdError, refuse
from xattn.live.person import known_to
from xattn.live.satisfaction.answer import Answer
from xattn.live.satisfaction.guesses import outcome
from xattn.live.serving import make_list, place_of
from xattn.live.store import Store
from xattn.recommenders import Recommender

__all__ = ["truth"]


def truth(store: Store, data: Interactions, model_of: Callable[[str], Recommender | None], given: Answer) -> str:
    """One of OUTCOMES: what is served without the event that `given` asks about.

    Raises UnknownIdError for a list of somebody else, one that is gone, or one whose model is gone, and for an item or
    an event that it does not have.
    """
    row = store.listed(str(given.list_id))
    if row is None or row.user != given.user:
        refuse("unknown_list", kind=UnknownIdError, got=str(given.list_id))
    model = model_of(row.model)
    if model is None:
        refuse("unknown_list", kind=UnknownIdError, got=str(given.list_id))
    item, event = str(given.found["item"]), str(given.found["event"])
    place = place_of(row, item)
    person = known_to(row, data, store)
    history = person.shown
    masked = np.flatnonzero(history.live & (history.item == data.item_row(event)))
    if not len(masked):
        refuse("without", got=event)
    k = len(json.loads(row.items))
    conditions = {**json.loads(row.conditions), "k": data.n_items}
    then = make_list(model, replace(person, history=history.without(masked)), conditions, ledger=False)
    ranks = {number: rank for rank, number in enumerate(then.rows.tolist(), 1)}
    return outcome(place + 1, ranks.get(data.item_row(item)), k)
