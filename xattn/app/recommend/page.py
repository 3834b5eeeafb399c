"""The recommendations page: choose a person and a model; a ranked list; for each item, why, and what if not.

All that it shows is one view (`recommend.view`), so every state of the page has an address. The list and the open
explanation are one fragment: opening a card, an opinion, or leaving an event out reruns only them.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend import cards, changes, why
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.choice import check_heads, choose, complain
from xattn.app.recommend.picture import picture
from xattn.app.recommend.present import open_view, present, publish
from xattn.app.recommend.view import View
from xattn.app.ui import address, search
from xattn.app.ui.items import about
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import reporting
from xattn.app.words import t
from xattn.data import History
from xattn.recommenders import Recommender

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("recommendations.title", language))
    st.caption(t("recommendations.promise", language))
    with reporting():
        data = state.dataset()
        open_view(data)
        notes = st.container()
        view = choose(data, language)
        if view is None:
            complain(notes, language)
            return
        fitted = state.model(view.model)
        view = check_heads(fitted, view)
        complain(notes, language)
        events = view.plain.events(fitted.data_)  # refuses here who is not known
        _results(fitted)
        _history(fitted, events, language)
        search.field("rec_other", t("recommendations.why_not", language), data, language, cards.open_item)


def _history(fitted: Recommender, events: History, language: str) -> None:
    table = fitted.data_.items
    label = t("recommendations.history", language, n=len(events))
    with address.part("history", label, icon=":material/history:"):
        rows = events.item[::-1].tolist()
        frame = pd.DataFrame(
            {
                t("recommendations.film", language): [table.titles[row][:200] for row in rows],
                t("recommendations.about", language): [" · ".join(about(fitted.data_, row, language)) for row in rows],
            }
        )
        if events.rating is not None:
            frame[t("recommendations.rating", language)] = events.rating[::-1]
        st.dataframe(frame, hide_index=True, height=280, alt=label)


@st.fragment
def _results(fitted: Recommender) -> None:
    """The list with what was changed about it, and the open explanation."""
    with reporting():
        language, view = lang(), present()
        frame = listed(fitted, view)
        rank_before = dict(zip(*listed(fitted, view.plain)[["item", "rank"]].to_numpy().T, strict=True))
        publish(view, fitted.data_)
        picture(fitted, view, language)
        changes.panel(fitted, view, language)
        others = frame["item"].tolist()
        if view.item is not None and view.item not in others:
            _outside(fitted, view, view.item, others, language)
        events = len(view.plain.events(fitted.data_))
        for row in frame.itertuples():
            moved = rank_before.get(row.item, math.inf) if any(view.edits) else None
            with st.container(border=True):
                cards.card(fitted, view, row, moved, events, language)
                if view.item is not None and view.item == row.item:
                    with reporting():  # what goes wrong in one explanation leaves the list as it is
                        why.show(fitted, view, view.item, others)
        if frame.empty:
            st.info(t("recommendations.nothing", language))


def _outside(fitted: Recommender, view: View, item: str, others: list[str], language: str) -> None:
    """The open item where it is not in the list: it dropped out, or was asked for by name."""
    rank = ledger(fitted, view, item).rank
    if rank is None:
        place = t("recommendations.seen", language)
    else:
        place = t("recommendations.outside", language, k=view.k, rank=rank)
    with st.container(border=True):
        cards.outside(fitted, item, place, language)
        why.show(fitted, view, item, others)
