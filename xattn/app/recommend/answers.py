"""What a model answers to a view, kept for all sessions.

An answer depends on the data, the model's class (with its default parameters) and the question of the view alone, so
it is kept under these and shared between visitors, up to a fixed number; nobody changes it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.recommend.heads import without_heads
from xattn.app.recommend.opinions import hidden
from xattn.app.recommend.view import View
from xattn.data import History
from xattn.explain import Ledger
from xattn.recommenders import Recommender

__all__ = ["answering", "ledger", "listed"]


def answering(fitted: Recommender, view: View) -> Recommender:
    """The model that answers: `fitted` without the muted heads."""
    return without_heads(fitted, view.model, fitted.data_.checksum, view.muted)


def listed(fitted: Recommender, view: View) -> pd.DataFrame:
    """The list with one reason each: rank, item, title, score, base, because (a title or ""), amount of contribution.

    `because` is the event of the largest positive contribution; "" where the base outweighs the events together.
    """
    return _listed(fitted, fitted.data_.checksum, view.question)


@st.cache_data(show_spinner=False, max_entries=256)
def _listed(_fitted: Recommender, checksum: str, view: View) -> pd.DataFrame:
    events, model = view.events(_fitted.data_), answering(_fitted, view)
    frame = model.recommend(history=events, k=view.k, exclude=hidden(view.said))
    reasons = [_reason(model, events, item) for item in frame["item"]]
    frame["because"] = [title for title, _ in reasons]
    frame["amount"] = [amount for _, amount in reasons]
    return frame


def _reason(model: Recommender, events: History, item: str) -> tuple[str, float]:
    """The title and the contribution of the event that speaks most for an item; ("", 0) where its base says more than
    all events together, or none speaks for it. From the ledger's cells alone: a list needs no more."""
    target = model.data_.item_row(item)
    by_event = np.zeros(len(events))
    for cells in model.cells_of(events, target):
        by_event += cells.contribution.sum(axis=1)
    by_event[~events.live] = 0.0
    if not len(by_event) or model.base_[target] >= by_event.sum() or by_event.max() <= 0:
        return "", 0.0
    best = int(np.argmax(by_event))
    return model.data_.items.titles[events.item[best]], float(by_event[best])


def ledger(fitted: Recommender, view: View, item: str) -> Ledger:
    """The ledger of one item; its removals and counterfactual are worked out on first use."""
    return _ledger(fitted, fitted.data_.checksum, view.question, item)


@st.cache_resource(show_spinner=False, max_entries=64)
def _ledger(_fitted: Recommender, checksum: str, view: View, item: str) -> Ledger:
    exclude = [other for other in hidden(view.said) if other != item]
    events = view.events(_fitted.data_)
    return answering(_fitted, view).explain(history=events, item=item, k=view.k, exclude=exclude)
