"""The recommendations page: choose a person and a model; a ranked list; for each item, why, and what if not.

What is chosen stands in the session under `rec_*` and in the address, so that every view has a permalink. The list and
the open explanation are one fragment: opening a card, an opinion, or leaving an event out reruns only them.
"""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend import changes, choice, link, view, why
from xattn.app.recommend.answers import Asked, history_of, listed
from xattn.app.recommend.opinions import KINDS
from xattn.app.ui import address, search
from xattn.app.ui.items import about
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import reporting
from xattn.app.ui.text import safe
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
        _history(fitted, asked._replace(said=()), language)
        _results(fitted, asked._replace(said=(), muted=()))
        _other(fitted, language)


# --- the list ----------------------------------------------------------------------------------------------------


def _history(fitted: Recommender, asked: Asked, language: str) -> None:
    events = history_of(fitted, asked)
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
def _results(fitted: Recommender, plain: Asked) -> None:
    """`plain` is the question without the changes of this session."""
    with reporting():
        language = lang()
        session = st.session_state
        asked = plain._replace(said=session["rec_said"], muted=session["rec_muted"])
        now = asked.leaving_out(session["rec_without"])
        frame = listed(fitted, now)
        rank_before = dict(zip(*listed(fitted, plain)[["item", "rank"]].to_numpy().T, strict=True))
        shared = view.publish(asked, fitted)
        changes.panel(fitted, plain, language)
        opened = session["rec_item"]
        others = frame["item"].tolist()
        if opened is not None and opened not in others:
            _outside(fitted, asked, opened, shared, others, language)
        events = len(history_of(fitted, plain))
        for row in frame.itertuples():
            moved = None if now == plain else rank_before.get(row.item, math.inf)
            with st.container(border=True):
                _card(fitted, row, moved, events, language)
                if row.item == opened:
                    with reporting():  # what goes wrong in one explanation leaves the list as it is
                        why.show(fitted, asked, opened, shared, others)
        if frame.empty:
            st.info(t("recommendations.nothing", language))


def _card(fitted: Recommender, row: object, moved: float | None, events: int, language: str) -> None:
    """One line of the list. `moved` is the rank before anything was changed (inf: not in the list), or None."""
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
    left, right = st.columns([7, 6], vertical_alignment="center")
    with left:
        head = f"**{rank} · {safe(row.title)}** :small[:gray[{' · '.join(map(safe, facts))}]]"  # type: ignore[attr-defined]
        st.markdown(f"{head}{badge}  \n:small[{reason}]")
    with (
        right,
        st.container(  # so close that a phone shows all three on one line
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"
        ),
    ):
        st.markdown(t("recommendations.score", language, score=figure(score)), width="content")
        _opinion(fitted, item, events, language)
        _why_button(item, language)


def _why_button(item: str, language: str) -> None:
    is_open = st.session_state["rec_item"] == item
    st.button(
        t("recommendations.close" if is_open else "recommendations.why", language),
        key=f"rec_why_{item}",
        icon=":material/close:" if is_open else None,
        on_click=_toggle,
        args=(item,),
    )


def _toggle(item: str) -> None:
    session = st.session_state
    session.update(rec_item=None if session["rec_item"] == item else item, rec_events=why.FEW_EVENTS)


def _opinion(fitted: Recommender, item: str, events: int, language: str) -> None:
    """What can be said of an item, with a thumb up or down; the list follows at once."""
    key = f"rec_say_{item}"
    low, high = fitted.scale_
    kinds = KINDS if high > low else tuple(kind for kind in KINDS if kind != "less")  # no scale, no dislike

    def say() -> None:
        if (kind := st.session_state[key]) in kinds:
            changes.give(item, kind, events)

    st.menu_button(
        t("recommendations.say", language),
        kinds,
        format_func=lambda kind: t(f"recommendations.say_{kind}", language),
        key=key,
        icon=":material/thumbs_up_down:",
        type="tertiary",
        help=t("recommendations.say_help", language),
        on_click=say,
    )


def _outside(fitted: Recommender, asked: Asked, item: str, shared: link.Link, others: list[str], language: str) -> None:
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
        why.show(fitted, asked, item, shared, others)


def _other(fitted: Recommender, language: str) -> None:
    """Why not some other item: any film can be opened."""
    search.field(
        "rec_other",
        t("recommendations.why_not", language),
        fitted.data_,
        language,
        lambda item: st.session_state.update(rec_item=item, rec_events=why.FEW_EVENTS),
    )
