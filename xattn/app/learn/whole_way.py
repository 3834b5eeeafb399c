"""The whole way on real data, at the end of the lesson: events, features, weights, fusion, the list, as one picture.

It is `xattn.pipeline` of the default model and one user of the data that are shown, and computed when it is opened.
"""

from __future__ import annotations

import streamlit as st

from xattn.app import state
from xattn.app.ui import address
from xattn.app.ui.figures import figures
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import widget
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.requests import RecommendRequest
from xattn.requests.pipeline import STEPS, Pipeline

__all__ = ["show"]

WAY_USER = "worked_way_user"
NARROWEST = 420  # pixels of the picture


def show(language: str) -> None:
    """The part of the page, closed at first."""
    box = address.part("way", t("pipeline.title", language), icon=":material/route:")
    if not box.open:
        return
    with box, reporting():
        st.markdown(t("pipeline.says", language))
        fitted = state.model(state.default_model())
        users = fitted.data_.user_ids
        if widget(WAY_USER).get() not in users:
            widget(WAY_USER).set(users[0])
        user = st.selectbox(t("pipeline.for_whom", language), users, key=WAY_USER)
        found = Pipeline.of(fitted, RecommendRequest(user=user))
        for line in found.text(language).splitlines():
            st.markdown(safe(line, 500))
        step = address.choose(
            "frame",
            STEPS,
            key="worked_way_step",
            label=t("pipeline.frame", language),
            words=lambda name: t(f"pipeline.frame_{name}", language),
        )
        figures(found.chart(language), found.steps()[step], key="worked_way", width=NARROWEST)
