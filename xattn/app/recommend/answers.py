"""What the recommendations page asks of a model, as a plain key, and the answers, kept for all sessions.

Answers depend on the key alone: the data's checksum, the model's class (with its default parameters), the heads that
are muted, the history, the opinions on top of it, the length of the list. So they are shared between visitors, up to a
fixed number; nobody changes them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.recommend.heads import without_heads
from xattn.app.recommend.opinions import Opinions, extended, hidden
from xattn.data import History
from xattn.explain import Ledger, contributions
from xattn.recommenders import Recommender

__all__ = ["Asked", "history_of", "ledger", "listed"]


class Asked(NamedTuple):
    """One question. `user` is an id, or None with `picks` (id, rating), oldest first; `without` are positions; `said`
    are opinions (id, kind), which come after the history; `muted` are heads."""

    data: str
    kind: str
    user: str | None
    picks: tuple[tuple[str, float | None], ...]
    k: int
    without: tuple[int, ...] = ()
    said: Opinions = ()
    muted: tuple[str, ...] = ()

    def leaving_out(self, positions: list[int]) -> Asked:
        """The same question with these events masked."""
        return self._replace(without=tuple(sorted(positions)))

    def of(self, fitted: Recommender) -> Recommender:
        """The model that answers: `fitted` without the muted heads."""
        return without_heads(fitted, self.kind, self.data, self.muted)


def history_of(fitted: Recommender, asked: Asked) -> History:
    """The events that the question is about, those of `without` masked. Raises InputError as `Recommender.history`."""
    events = fitted.history(asked.user, None if asked.user is not None else list(asked.picks))
    events = extended(fitted.data_, events, asked.said)
    return events.without(list(asked.without)) if asked.without else events


@st.cache_data(show_spinner=False, max_entries=256)
def listed(_fitted: Recommender, asked: Asked) -> pd.DataFrame:
    """The list with one reason each: rank, item, title, score, base, because (a title or ""), amount of contribution.

    `because` is the event of the largest positive contribution; "" where the base outweighs the events together.
    """
    events, model = history_of(_fitted, asked), asked.of(_fitted)
    frame = model.recommend(history=events, k=asked.k, exclude=hidden(asked.said))
    reasons = [_reason(model, events, item) for item in frame["item"]]
    frame["because"] = [title for title, _ in reasons]
    frame["amount"] = [amount for _, amount in reasons]
    return frame


def _reason(model: Recommender, events: History, item: str) -> tuple[str, float]:
    """The title and the contribution of the event that speaks most for an item; ("", 0) where its base says more than
    all events together, or none speaks for it. From the ledger's cells alone: a list needs no more."""
    target = model.data_.item_row(item)
    by_event = contributions(model.cells_of(events, target), len(events))
    if not len(by_event) or model.base_[target] >= by_event.sum() or by_event.max() <= 0:
        return "", 0.0
    best = int(np.argmax(by_event))
    return model.data_.items.titles[events.item[best]], float(by_event[best])


@st.cache_resource(show_spinner=False, max_entries=64)
def ledger(_fitted: Recommender, asked: Asked, item: str) -> Ledger:
    """The ledger of one item for one question; its removals and counterfactual are worked out on first use."""
    given = hidden(asked.said)
    exclude = [other for other in given if other != item]
    return asked.of(_fitted).explain(history=history_of(_fitted, asked), item=item, k=asked.k, exclude=exclude)
