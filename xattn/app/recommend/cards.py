"""The cards of the list: an item with its score and first reason, an opinion about it, a button for its explanation."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from xattn.app.recommend import changes
from xattn.app.recommend.answers import reason_key
from xattn.app.recommend.opinions import KINDS
from xattn.app.recommend.present import change
from xattn.app.recommend.view import FEW_EVENTS, View
from xattn.app.ui.items import about
from xattn.app.ui.session import SAY
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.i18n.numbers import figure
from xattn.recommenders import Recommender

__all__ = ["card", "open_item", "outside"]


def card(fitted: Recommender, view: View, row: Any, moved: float | None, events: int, language: str) -> None:
    """One line of the list. `moved` is the rank before anything was changed (inf: not in the list), or None; the
    history has so many `events` before any opinion."""
    item, rank = str(row.item), int(row.rank)
    facts = about(fitted.data_, fitted.data_.item_row(item), language)
    badge = ""
    if moved is not None and moved != rank:
        words = (
            t("recommendations.new", language)
            if math.isinf(moved)
            else t("recommendations.was", language, rank=int(moved))
        )
        badge = f" :{'blue' if moved > rank else 'orange'}-badge[{words}]"
    if row.because:
        amount = figure(float(row.amount), sign=True)
        reason = t(reason_key(fitted, True), language, title=safe(row.because, 80), amount=amount)
    else:
        reason = t(reason_key(fitted, False), language)
    left, right = st.columns([7, 6], vertical_alignment="center")
    with left:
        head = f"**{rank} · {safe(row.title)}** :small[:gray[{' · '.join(map(safe, facts))}]]"
        st.markdown(f"{head}{badge}  \n:small[{reason}]")
    with (
        right,
        st.container(  # so close that a phone shows all three on one line
            horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="xsmall"
        ),
    ):
        st.markdown(t("recommendations.score", language, score=figure(float(row.score))), width="content")
        _opinion(fitted, item, events, language)
        _why_button(item, item == view.item, language)


def _why_button(item: str, is_open: bool, language: str) -> None:
    st.button(
        t("recommendations.close" if is_open else "recommendations.why", language),
        key=f"rec_why_{item}",
        icon=":material/close:" if is_open else None,
        on_click=open_item,
        args=(None if is_open else item,),
    )


def open_item(item: str | None) -> None:
    """Open the explanation of an item; None closes the one that is open."""
    change(item=item, versus=None, boxes=FEW_EVENTS)


def _opinion(fitted: Recommender, item: str, events: int, language: str) -> None:
    """What can be said of an item, with a thumb up or down; the list follows at once."""
    said = SAY.of(item)
    low, high = fitted.scale_
    kinds = KINDS if high > low else tuple(kind for kind in KINDS if kind != "less")  # no scale, no dislike

    def say() -> None:
        if (kind := said.get()) in kinds:
            changes.give(item, kind, events)

    st.menu_button(
        t("recommendations.say", language),
        kinds,
        format_func=lambda kind: t(f"recommendations.say_{kind}", language),
        key=said.name,
        icon=":material/thumbs_up_down:",
        type="tertiary",
        help=t("recommendations.say_help", language),
        on_click=say,
    )


def outside(fitted: Recommender, item: str, place: str, language: str) -> None:
    """The card of an open item that is not in the list; `place` says where it is."""
    title = fitted.data_.items.titles[fitted.data_.item_row(item)]
    left, right = st.columns([3, 2], vertical_alignment="center")
    left.markdown(f"**{safe(title)}**  \n:small[:gray[{place}]]")
    with right, st.container(horizontal=True, horizontal_alignment="right"):
        _why_button(item, True, language)
