"""The choice above the list: for whom, by which model, how many items, and complaints about the address."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn.app import state
from xattn.app.recommend.heads import head_names
from xattn.app.recommend.present import change, present, start_over
from xattn.app.recommend.view import MOST_K, YOU, Complaint, View
from xattn.app.ui import picker
from xattn.app.ui.fields import number_field
from xattn.app.ui.session import COMPLAINTS, HOW_MANY, MODEL, PUBLISHED, USER, WHO
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.data import Interactions
from xattn.errors import shown
from xattn.recommenders import Recommender

__all__ = ["check_heads", "choose", "complain"]


def choose(data: Interactions, language: str) -> View | None:
    """The widgets, and the view that they make; None where something is still missing, which is then said."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="rec_choice"):
        who = st.segmented_control(
            t("recommendations.who", language),
            ["user", YOU],
            format_func=lambda choice: t(
                "recommendations.a_user" if choice == "user" else "recommendations.you", language
            ),
            required=True,
            key=WHO.name,
            persist_state="session",
            on_change=start_over,
        )
        if who == "user":
            st.selectbox(
                t("recommendations.user", language),
                data.user_ids,
                accept_new_options=True,
                key=USER.name,
                persist_state="session",
                on_change=start_over,
                help=t("recommendations.user_help", language, n=data.n_users),
                width=160,
            )
        st.selectbox(
            t("recommendations.model", language),
            list(state.models()),
            key=MODEL.name,
            persist_state="session",
            on_change=_settle,
            help=t("recommendations.model_help", language),
            width=230,
        )
        number_field(
            t("recommendations.k", language),
            min_value=1,
            max_value=MOST_K,
            step=1,
            key=HOW_MANY.name,
            persist_state="session",
            then=_settle,
            width=130,
        )
    if who == YOU:
        with st.container(border=True):
            picker.draw(data, language, start_over)
    view = present()
    if view.is_whole(data):
        return view
    if who == YOU:
        st.info(t("recommendations.no_picks", language), icon=":material/touch_app:")
    else:
        st.info(t("recommendations.no_user", language))
    return None


def _settle() -> None:
    """A choice was made: what the address got wrong is no longer of interest."""
    COMPLAINTS.set(())


def check_heads(fitted: Recommender, view: View) -> View:
    """The view without muted heads that the model does not have; a complaint where the address named one."""
    heads = head_names(fitted)
    strangers = [name for name in view.muted if name not in heads]
    if not strangers:
        return view
    if not PUBLISHED.is_set:  # later it is another model that lacks them, and the visitor chose that
        COMPLAINTS.set((*COMPLAINTS.get(), Complaint("muted", "muted", shown(strangers[0]))))
    change(muted=tuple(name for name in view.muted if name in heads))
    return present()


def complain(notes: DeltaGenerator, language: str) -> None:
    """Say, above the choice, which parameters of the address were not followed."""
    said = [
        t("link.bad", language, name=name, must=t(f"link.must_{must}", language), got=safe(got, 80))
        for name, must, got in COMPLAINTS.get()
    ]
    if said:
        notes.warning("  \n".join(said), icon=":material/link_off:")
