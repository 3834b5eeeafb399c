"""The list beside the explanation: a line an item, with its first reason; a click explains it, a menu takes an opinion.

The lines are buttons of one height, so nothing moves when one of them is chosen.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st

from xattn.app.picture.words import own_rating
from xattn.app.recommend import changes
from xattn.app.recommend.answers import reason_key
from xattn.app.recommend.opinions import KINDS
from xattn.app.recommend.view import View
from xattn.app.recommend.why import open_item
from xattn.app.ui.session import SAY
from xattn.app.ui.text import safe, spoken
from xattn.app.words import t
from xattn.i18n.numbers import figure, percent
from xattn.recommenders import Recommender

__all__ = ["line", "outside"]


def line(fitted: Recommender, view: View, row: Any, moved: float | None, events: int, language: str) -> None:
    """One line of the list. `moved` is the rank before anything was changed (inf: not in the list), or None; the
    history has so many `events` before any opinion."""
    item, rank = str(row.item), int(row.rank)
    badge = ""
    if moved is not None and moved != rank:
        words = (
            t("recommendations.new", language)
            if math.isinf(moved)
            else t("recommendations.was", language, rank=int(moved))
        )
        badge = f":{'blue' if moved > rank else 'orange'}-badge[{words}] "
    _line(view, item, str(rank), row.title, badge, _reason(fitted, view, row, language), "rec_why")
    _opinion(fitted, item, events, language)


def outside(view: View, item: str, title: str, rank: int | None, place: str) -> None:
    """The line of an item that is explained and not in the list; `place` says where it is."""
    _line(view, item, "–" if rank is None else str(rank), title, "", place, "rec_outside")


def _line(view: View, item: str, rank: str, title: str, badge: str, small: str, key: str) -> None:
    is_open = item == view.item
    st.button(
        f"**{rank}** · {spoken(title, 70)}  \n{badge}:small[{small}]",
        key=f"{key}_{item}",
        type="secondary" if is_open else "tertiary",
        on_click=open_item,
        args=(None if is_open else item,),
        width="stretch",
        wrap=True,
    )


def _reason(fitted: Recommender, view: View, row: Any, language: str) -> str:
    """Why an item stands there, in short: the event that speaks most for it, its share, the person's own rating."""
    if not row.because:
        said_so = t(reason_key(fitted, False), language)
    else:
        rating = own_rating(float(row.rating), fitted.data_.scale) if np.isfinite(row.rating) else ""
        facts = {"title": spoken(row.because, 60), "rating": f" {safe(rating)}" if rating else ""}
        said_so = t(reason_key(fitted, True, True), language, share=percent(float(row.share)), **facts)
    if view.exact:
        amount = f" ({figure(float(row.amount), sign=True)})" if row.because else ""
        score = t("recommendations.score", language, score=figure(float(row.score)))
        return f"{said_so}{amount} · {score}"
    return said_so


def _opinion(fitted: Recommender, item: str, events: int, language: str) -> None:
    """What can be said of an item, with a thumb up or down; the list follows at once."""
    told = SAY.of(item)
    low, high = fitted.scale_[:2]
    kinds = KINDS if high > low else tuple(kind for kind in KINDS if kind != "less")  # no scale, no dislike

    def say() -> None:
        if (kind := told.get()) in kinds:
            changes.give(item, kind, events)

    st.menu_button(
        t("recommendations.say", language),
        kinds,
        format_func=lambda kind: t(f"recommendations.say_{kind}", language),
        key=told.name,
        icon=":material/thumbs_up_down:",
        type="tertiary",
        help=t("recommendations.say_help", language),
        on_click=say,
    )
