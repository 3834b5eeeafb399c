"""The recommendations page: choose a person and a model; a ranked list; for each item, why, and what if not.

All that it shows is one view (`recommend.view`), so every state of the page has an address. The list and what is
explained beside it are one fragment: choosing an item, an opinion, or leaving an event out reruns only them.
"""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend import cards, changes, why
from xattn.app.recommend.answers import ledger, listed
from xattn.app.recommend.choice import check_heads, choose, complain
from xattn.app.recommend.picture import picture
from xattn.app.recommend.present import change, open_view, present, publish
from xattn.app.recommend.view import View
from xattn.app.recommend.waiting import ask_ahead, ask_removals
from xattn.app.ui import address, search
from xattn.app.ui.items import about
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import EXACT
from xattn.app.words import t
from xattn.data import History
from xattn.i18n.titles import natural
from xattn.recommenders import Recommender

__all__ = ["render"]

STYLE = Path(__file__).with_name("pane.css")


def render() -> None:
    """Draw the page."""
    language = lang()
    st.html(STYLE)
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
        view.plain.events(fitted.data_)  # refuses here who is not known
        _results(fitted)


def _history(fitted: Recommender, events: History, language: str) -> None:
    """The events, below the list: so the row that holds the explanation ends where the page does."""
    table = fitted.data_.items
    label = t("recommendations.history", language, n=len(events))
    with address.part("history", label, icon=":material/history:") as box:
        if not box.open:
            return
        rows = events.item[::-1].tolist()
        frame = pd.DataFrame(
            {
                t("recommendations.film", language): [natural(table.titles[row])[:200] for row in rows],
                t("recommendations.about", language): [" · ".join(about(fitted.data_, row, language)) for row in rows],
            }
        )
        if events.rating is not None:
            frame[t("recommendations.rating", language)] = events.rating[::-1]
        st.dataframe(frame, hide_index=True, height=280, alt=label)


@st.fragment
def _results(fitted: Recommender) -> None:
    """The picture; below it the list, and beside the list the explanation of one item and what was changed."""
    with reporting():
        language, view = lang(), present()
        ask_ahead(fitted, view, language)
        frame = listed(fitted, view)
        publish(view, fitted.data_)
        follow = picture(fitted, view, language)
        items = frame["item"].tolist()
        item = view.item or next(iter(items), None)
        left, right = st.columns([9, 11], gap="medium")
        with left:
            _list(fitted, view, frame, language)
            _history(fitted, view.plain.events(fitted.data_), language)
        with right, st.container(key="rec_pane" if view.item else "rec_pane_first", gap="small"):
            ask_removals(fitted, view, language)
            changes.panel(fitted, view, language)
            if item is not None:
                with reporting():  # what goes wrong in one explanation leaves the list as it is
                    why.show(fitted, view, item, items)
        follow()


def _list(fitted: Recommender, view: View, frame: pd.DataFrame, language: str) -> None:
    """The lines; at their end the explained item where it is none of them, and the field that asks for any other."""
    rank_before = dict(zip(*listed(fitted, view.plain)[["item", "rank"]].to_numpy().T, strict=True))
    events = len(view.plain.events(fitted.data_))
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small"):
        st.caption(t("recommendations.choose_one", language), width="stretch")
        _exact(view, language)
    with st.container(key="rec_list", gap=None):
        for row in frame.itertuples():
            moved = rank_before.get(row.item, math.inf) if any(view.edits) else None
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap=None):
                cards.line(fitted, view, row, moved, events, language)
    with st.container(key="rec_list_end", gap=None):  # as high without a line in it
        if view.item is not None and view.item not in frame["item"].tolist():
            _outside(fitted, view, view.item, language)
        else:
            st.html("<span></span>")  # what is empty is not drawn at all
    if frame.empty:
        st.info(t("recommendations.nothing", language))
    label = t("recommendations.why_not", language)
    search.field("rec_other", label, fitted.data_, language, why.open_item)


def _outside(fitted: Recommender, view: View, item: str, language: str) -> None:
    """The explained item where it is not in the list: it dropped out, or was asked for by name."""
    told = ledger(fitted, view, item)
    seen = t("recommendations.seen_short", language)
    place = seen if told.rank is None else t("recommendations.outside_short", language, k=view.k)
    with st.container(horizontal=True, wrap=False, gap=None):
        cards.outside(view, item, told.title, told.rank, place)


def _exact(view: View, language: str) -> None:
    """The switch between shares and places, and the numbers of the model."""
    if EXACT.get() != view.exact:
        EXACT.set(view.exact)
    st.toggle(
        t("recommendations.exact", language),
        key=EXACT.name,
        on_change=lambda: change(exact=EXACT.get()),
        help=t("recommendations.exact_help", language),
    )
