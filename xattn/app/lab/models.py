"""Two models side by side for one person: both lists, what they share, and what each says of its own first reason."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend.answers import listed
from xattn.app.recommend.view import View
from xattn.app.ui import address
from xattn.app.ui.figures import csv_button
from xattn.app.ui.refusals import reporting
from xattn.app.words import t
from xattn.explain.question import TERMS
from xattn.i18n.numbers import figure, percent
from xattn.i18n.titles import brief, natural

__all__ = ["draw", "overlap"]

SIDES = ("first", "second")
K = 10


def draw(language: str) -> None:
    """The choice, then the two lists."""
    data = state.dataset()
    names = list(state.models())
    chosen: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen["user"] = _bound("lab_user", "user", data.user_ids, data.user_ids[0], language)
        for at, side in enumerate(SIDES):
            chosen[side] = _bound(f"lab_{side}", side, names, names[2 * at], language)
    shown = {name: value for name, value in chosen.items() if name in SIDES}
    with reporting():
        lists = {
            side: listed(state.model(kind), View(chosen["user"], kind, min(K, data.n_items), seen=state.seen()))
            for side, kind in shown.items()
        }
        share = overlap(lists["first"], lists["second"])
        st.markdown(t("lab.overlap", language, n=share, k=K, first=shown["first"], second=shown["second"]))
        places = st.columns(2)
        for place, (side, kind), other in zip(places, shown.items(), reversed(SIDES), strict=True):
            with place, st.container(border=True):
                st.subheader(kind)
                popular = t("lab.base" if state.model(kind).amounts == TERMS else "lab.base_foreign", language)
                frame = _side(lists[side], lists[other], popular, language)
                st.dataframe(frame, hide_index=True, key=f"lab_list_{side}", alt=kind, column_config=_widths(language))
                csv_button(frame, f"lab_list_{side}", language)


def _widths(language: str) -> dict[str, Any]:
    """Narrow enough for the reasons to be seen beside the titles."""
    names = {"why.rank": 45, "lab.other_rank": 80, "recommendations.film": 135, "lab.reason": 160}
    return {t(key, language): st.column_config.Column(width=width) for key, width in names.items()}


def _bound(key: str, name: str, options: Any, start: str, language: str) -> str:
    """A choice that is kept in the address under `name`."""
    labels = {"user": "recommendations.user", "first": "lab.first_model", "second": "lab.second_model"}
    return address.select(name, options, key=key, label=t(labels[name], language), words=str, start=start, width=220)


def overlap(first: pd.DataFrame, second: pd.DataFrame) -> int:
    """How many items two lists share."""
    return len(set(first["item"]) & set(second["item"]))


def _side(own: pd.DataFrame, other: pd.DataFrame, popular: str, language: str) -> pd.DataFrame:
    """One list, with the place that each item has in the other; `popular` is what is said where no event did most."""
    ranks = dict(zip(other["item"], other["rank"], strict=True))
    reasons = [
        f"{percent(share)} · {brief(title)[:60]}" if title else popular
        for title, share in zip(own["because"], own["share"], strict=True)
    ]
    return pd.DataFrame(
        {
            t("why.rank", language): own["rank"],
            t("lab.other_rank", language): [str(ranks.get(item, "–")) for item in own["item"]],
            t("recommendations.film", language): [natural(str(title))[:200] for title in own["title"]],
            t("lab.reason", language): reasons,
            t("chart.score", language): [figure(x) for x in own["score"]],
        }
    )
