"""What a model answers to a view, kept for all sessions.

The view becomes a request. An answer depends on the data, the model (its class with the default parameters, or the one
that was given) and the request alone, so it is kept under these and shared between visitors, up to a fixed number;
nobody changes it.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.picture.flows import all_that_speaks
from xattn.app.recommend.view import View
from xattn.app.ui.caches import kept
from xattn.data import History
from xattn.explain import Ledger
from xattn.explain.question import TERMS
from xattn.explain.rows import event_rows
from xattn.recommenders import Recommender
from xattn.requests import ExplainRequest, RecommendRequest, Request

__all__ = ["ledger", "list_for", "listed", "reason_key"]


def listed(fitted: Recommender, view: View) -> pd.DataFrame:
    """The list with one reason each: rank, item, title, score, base, because (a title or ""), amount of contribution,
    share of it in all that speaks for the item, rating (the person's own, or NaN).

    `because` is the event of the largest positive contribution; "" where the base outweighs the events together.
    """
    return list_for(fitted, view.model, state.identity(fitted.data_), view.request(fitted.data_))


@kept(st.cache_data, max_entries=256)
def list_for(_fitted: Recommender, kind: str, identity: str, request: RecommendRequest) -> pd.DataFrame:
    """The same for a request to the model `kind`, of this identity (`state.identity`)."""
    frame = request.ask(_fitted)
    model = _fitted.without_heads(request.muted)
    events = request.events(model)
    reasons = [_reason(model, events, item) for item in frame["item"]]
    names = ["because", "amount", "share", "rating"]
    frame[names] = pd.DataFrame(reasons, columns=names, index=frame.index)
    return frame


def reason_key(model: Recommender, event: bool, shares: bool = False) -> str:
    """The words for why an item stands in a list, by what the amounts of the model are: an `event`, with its amount or
    its share, or the base."""
    if event:
        own = model.amounts in ("arrival", "average")
        key = f"recommendations.because_{model.amounts}" if own else "recommendations.because"
        return f"{key}_share" if shares else key
    return "recommendations.popular" if model.amounts == TERMS else "recommendations.popular_foreign"


def _reason(model: Recommender, events: History, item: str) -> tuple[str, float, float, float]:
    """The title and the contribution of the event that speaks most for an item, its share in all that does, and the
    person's own rating; no title where the base says more than all events together, or none speaks for the item. From
    the ledger's cells alone: a list needs no more."""
    target = model.data_.item_row(item)
    rows = event_rows(model.cells_of(events, target), events)
    base, amounts = float(model.base_[target]), rows.contribution
    if not len(amounts) or base >= amounts.sum() or amounts[0] <= 0:
        return "", 0.0, 0.0, np.nan
    first = int(rows.position[0])
    share = float(amounts[0]) / all_that_speaks(amounts, base)
    rating = np.nan if events.rating is None else float(events.rating[first])
    return model.data_.items.titles[events.item[first]], float(amounts[0]), share, rating


def ledger(fitted: Recommender, view: View, item: str) -> Ledger:
    """The ledger of one item; its removals and counterfactual are worked out on first use."""
    asked = view.request(fitted.data_)
    given = {field.name: getattr(asked, field.name) for field in fields(Request)}
    given["exclude"] = tuple(other for other in asked.exclude if other != item)
    return _ledger(fitted, view.model, state.identity(fitted.data_), ExplainRequest(**given, item=item))


@kept(st.cache_resource, max_entries=512)  # the picture of one list asks for some twenty
def _ledger(_fitted: Recommender, kind: str, identity: str, request: ExplainRequest) -> Ledger:
    return request.ask(_fitted)
