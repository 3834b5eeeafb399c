"""What a model answers to a view, kept for all sessions.

The view becomes a request. An answer depends on the data, the model's class (with its default parameters) and the
request alone, so it is kept under these and shared between visitors, up to a fixed number; nobody changes it.
"""

from __future__ import annotations

from dataclasses import fields

import pandas as pd
import streamlit as st

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
    """The list with one reason each: rank, item, title, score, base, because (a title or ""), amount of contribution.

    `because` is the event of the largest positive contribution; "" where the base outweighs the events together.
    """
    return list_for(fitted, view.model, fitted.data_.checksum, view.request(fitted.data_))


@kept(st.cache_data, max_entries=256)
def list_for(_fitted: Recommender, kind: str, checksum: str, request: RecommendRequest) -> pd.DataFrame:
    """The same for a request to the model `kind`, fitted to the data of this checksum."""
    frame = request.ask(_fitted)
    model = _fitted.without_heads(request.muted)
    events = request.events(model)
    reasons = [_reason(model, events, item) for item in frame["item"]]
    frame["because"] = [title for title, _ in reasons]
    frame["amount"] = [amount for _, amount in reasons]
    return frame


def reason_key(model: Recommender, event: bool) -> str:
    """The words for why an item stands in a list, by what the amounts of the model are: an `event`, or the base."""
    if event:
        own = model.amounts in ("arrival", "average")
        return f"recommendations.because_{model.amounts}" if own else "recommendations.because"
    return "recommendations.popular" if model.amounts == TERMS else "recommendations.popular_foreign"


def _reason(model: Recommender, events: History, item: str) -> tuple[str, float]:
    """The title and the contribution of the event that speaks most for an item; ("", 0) where its base says more than
    all events together, or none speaks for it. From the ledger's cells alone: a list needs no more."""
    target = model.data_.item_row(item)
    rows = event_rows(model.cells_of(events, target), events)
    if not len(rows.position) or model.base_[target] >= rows.contribution.sum() or rows.contribution[0] <= 0:
        return "", 0.0
    return model.data_.items.titles[events.item[rows.position[0]]], float(rows.contribution[0])


def ledger(fitted: Recommender, view: View, item: str) -> Ledger:
    """The ledger of one item; its removals and counterfactual are worked out on first use."""
    asked = view.request(fitted.data_)
    given = {field.name: getattr(asked, field.name) for field in fields(Request)}
    given["exclude"] = tuple(other for other in asked.exclude if other != item)
    return _ledger(fitted, view.model, fitted.data_.checksum, ExplainRequest(**given, item=item))


@kept(st.cache_resource, max_entries=512)  # the picture of one list asks for some twenty
def _ledger(_fitted: Recommender, kind: str, checksum: str, request: ExplainRequest) -> Ledger:
    return request.ask(_fitted)
