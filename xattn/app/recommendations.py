"""The recommendations page: choose a person and a model; a ranked list; for each item, why, and what if not.

What is chosen stands in the session under `rec_*` and in the address, so that every view has a permalink. The list and
the open explanation are one fragment: opening a card or leaving an event out reruns only them.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from xattn.app import choice, link, state, view, why
from xattn.app.asked import Asked, about, history_of, labels, listed
from xattn.app.shell import lang, reporting, safe
from xattn.i18n import t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("recommendations.title", language))
    st.caption(t("recommendations.promise", language))
    with reporting():
        with st.spinner(t("app.fitting", language)):
            data = state.dataset()
        if "rec_ready" not in st.session_state or view.went_elsewhere():
            choice.seed(data)
        notes = st.container()
        asked = choice.choose(data, language)
        if asked is None:
            choice.complain(notes, language)
            return
        fitted = state.model(asked.kind)
        choice.resolve(fitted, asked)
        choice.complain(notes, language)
        _history(fitted, asked, language)
        _results(fitted, asked)
        _other(fitted, language)


# --- the list ----------------------------------------------------------------------------------------------------


def _history(fitted: Recommender, asked: Asked, language: str) -> None:
    events = history_of(fitted, asked)
    table = fitted.data_.items
    with st.expander(t("recommendations.history", language, n=len(events)), icon=":material/history:"):
        rows = events.item[::-1].tolist()
        frame = pd.DataFrame(
            {
                t("recommendations.film", language): [table.titles[row][:200] for row in rows],
                t("recommendations.about", language): [" · ".join(about(fitted.data_, row, language)) for row in rows],
            }
        )
        if events.rating is not None:
            frame[t("recommendations.rating", language)] = events.rating[::-1]
        st.dataframe(frame, hide_index=True, height=280, alt=t("recommendations.history", language, n=len(events)))


@st.fragment
def _results(fitted: Recommender, asked: Asked) -> None:
    with reporting():
        language = lang()
        session = st.session_state
        now = asked.leaving_out(session["rec_without"])
        frame = listed(fitted, now)
        rank_before = dict(zip(*listed(fitted, asked)[["item", "rank"]].to_numpy().T, strict=True))
        shared = view.publish(asked, fitted)
        _left_out(fitted, asked, language)
        opened = session["rec_item"]
        if opened is not None and opened not in set(frame["item"]):
            _outside(fitted, asked, opened, shared, language)
        for row in frame.itertuples():
            moved = None if not now.without else rank_before.get(row.item, math.inf)
            with st.container(border=True):
                _card(fitted, row, moved, language)
                if row.item == opened:
                    why.show(fitted, asked, opened, shared)
        if frame.empty:
            st.info(t("recommendations.nothing", language))


def _card(fitted: Recommender, row: object, moved: float | None, language: str) -> None:
    """One line of the list. `moved` is the rank before events were left out (inf: not in the list), or None."""
    item, rank, score = str(row.item), int(row.rank), float(row.score)  # type: ignore[attr-defined]
    facts = about(fitted.data_, fitted.data_.item_row(item), language)
    badge = ""
    if moved is not None and moved != rank:
        words = (
            t("recommendations.new", language)
            if math.isinf(moved)
            else t("recommendations.was", language, rank=int(moved))
        )
        badge = f" :{'blue' if moved > rank else 'orange'}-badge[{words}]"
    because, amount = str(row.because), float(row.amount)  # type: ignore[attr-defined]
    if because:
        reason = t("recommendations.because", language, title=safe(because, 80), amount=figure(amount, sign=True))
    else:
        reason = t("recommendations.popular", language)
    left, right = st.columns([3, 2], vertical_alignment="center")
    with left:
        head = f"**{rank} · {safe(row.title)}** :small[:gray[{' · '.join(map(safe, facts))}]]"  # type: ignore[attr-defined]
        st.markdown(f"{head}{badge}  \n:small[{reason}]")
    with right, st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
        st.markdown(t("recommendations.score", language, score=figure(score)), width="content")
        _why_button(item, language)


def _why_button(item: str, language: str) -> None:
    is_open = st.session_state["rec_item"] == item
    st.button(
        t("recommendations.close" if is_open else "recommendations.why", language),
        key=f"rec_why_{item}",
        icon=":material/close:" if is_open else ":material/help:",
        on_click=_toggle,
        args=(item,),
    )


def _toggle(item: str) -> None:
    session = st.session_state
    session.update(rec_item=None if session["rec_item"] == item else item, rec_events=why.FEW_EVENTS)


def _left_out(fitted: Recommender, asked: Asked, language: str) -> None:
    """Which events are out of sight, with a way to put them back."""
    positions = st.session_state["rec_without"]
    if not positions:
        return
    events, titles = history_of(fitted, asked), fitted.data_.items.titles
    names = t("words.and", language).join(safe(titles[events.item[p]], 60) for p in positions[:5])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(t("recommendations.left_out", language, n=len(positions), names=names), width="stretch")
        st.button(
            t("recommendations.put_back", language),
            key="rec_put_back",
            icon=":material/undo:",
            on_click=lambda: st.session_state.update(rec_without=[]),
        )


def _outside(fitted: Recommender, asked: Asked, item: str, shared: link.Link, language: str) -> None:
    """The open item where it is not in the list: it dropped out, or was asked for by name."""
    title = fitted.data_.items.titles[fitted.data_.item_row(item)]
    rank = why.now(fitted, asked, item).rank
    with st.container(border=True):
        if rank is None:
            place = t("recommendations.seen", language)
        else:
            place = t("recommendations.outside", language, k=asked.k, rank=rank)
        left, right = st.columns([3, 2], vertical_alignment="center")
        left.markdown(f"**{safe(title)}**  \n:small[:gray[{place}]]")
        with right, st.container(horizontal=True, horizontal_alignment="right"):
            _why_button(item, language)
        why.show(fitted, asked, item, shared)


def _other(fitted: Recommender, language: str) -> None:
    """Why not some other item: any film can be opened."""
    names = labels(fitted.data_, fitted.data_.checksum)

    def choose() -> None:
        if st.session_state["rec_other"] is not None:
            st.session_state.update(rec_item=st.session_state["rec_other"], rec_other=None, rec_events=why.FEW_EVENTS)

    st.selectbox(
        t("recommendations.why_not", language),
        list(names),
        index=None,
        format_func=names.__getitem__,
        key="rec_other",
        on_change=choose,
        placeholder=t("recommendations.pick", language),
    )
