"""The choice of the recommendations page: for whom, by which model, how many; first taken from the address.

What is chosen stands in the session under `rec_*`: `rec_who`, `rec_user`, `rec_liked`, `rec_disliked`, `rec_model`,
`rec_k` belong to widgets; `rec_without` (positions of events left out, the newest choice last), `rec_said` (opinions),
`rec_muted` (heads), `rec_item` (the open explanation), `rec_events` (how many have a tick box) and `rec_complaints` do
not.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from xattn.app import state
from xattn.app.recommend import link
from xattn.app.recommend.answers import Asked, history_of
from xattn.app.recommend.changes import PAST
from xattn.app.recommend.heads import head_names
from xattn.app.recommend.why import FEW_EVENTS
from xattn.app.ui import undo
from xattn.app.ui.fields import number_field
from xattn.app.ui.items import labels
from xattn.app.ui.text import safe
from xattn.data import Interactions
from xattn.errors import shown
from xattn.i18n import t
from xattn.recommenders import Recommender

__all__ = ["choose", "complain", "resolve", "seed"]


def seed(data: Interactions) -> None:
    """Take the view from the address: at the start of a session, and after Back."""
    asked, complaints = link.read(st.query_params.to_dict(), data, state.MODELS)
    session = st.session_state
    session["rec_who"] = link.YOU if asked.user == link.YOU else "user"
    session["rec_user"] = data.user_ids[0] if asked.user == link.YOU else asked.user
    session["rec_liked"], session["rec_disliked"] = list(asked.liked), list(asked.disliked)
    session["rec_model"], session["rec_k"] = asked.model, asked.k
    session["rec_tokens"], session["rec_without"] = asked.without, []
    session["rec_said"], session["rec_muted"] = asked.said, asked.muted
    session["rec_item"], session["rec_events"] = asked.item, FEW_EVENTS
    undo.forget(PAST)
    session["rec_complaints"] = complaints
    session["rec_view"] = session["rec_address"] = session["rec_chosen"] = None
    session["rec_ready"] = True


def choose(data: Interactions, language: str) -> Asked | None:
    """The widgets; None where something is still missing, which is then said."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = st.segmented_control(
            t("recommendations.who", language),
            ["user", link.YOU],
            format_func=lambda choice: t(
                "recommendations.a_user" if choice == "user" else "recommendations.you", language
            ),
            required=True,
            key="rec_who",
            persist_state="session",
            on_change=_start_over,
        )
        if who == "user":
            user = st.selectbox(
                t("recommendations.user", language),
                data.user_ids,
                accept_new_options=True,
                key="rec_user",
                persist_state="session",
                on_change=_start_over,
                help=t("recommendations.user_help", language, n=data.n_users),
                width=160,
            )
        kind = st.selectbox(
            t("recommendations.model", language),
            list(state.MODELS),
            key="rec_model",
            persist_state="session",
            on_change=_settle,
            help=t("recommendations.model_help", language),
            width=230,
        )
        k = number_field(
            t("recommendations.k", language),
            min_value=1,
            max_value=link.MOST_K,
            step=1,
            key="rec_k",
            persist_state="session",
            then=_settle,
            width=130,
        )
    if who == "user":
        if not user:
            st.info(t("recommendations.no_user", language))
            return None
        return _with_changes(Asked(data.checksum, kind, str(user), (), int(k)))
    picks = _picks(data, language)
    if not picks:
        st.info(t("recommendations.no_picks", language), icon=":material/touch_app:")
        return None
    return _with_changes(Asked(data.checksum, kind, None, picks, int(k)))


def _with_changes(asked: Asked) -> Asked:
    return asked._replace(said=st.session_state["rec_said"], muted=st.session_state["rec_muted"])


def _picks(data: Interactions, language: str) -> tuple[tuple[str, float | None], ...]:
    """The picked films as events: disliked ones first, so that the newest event is the last film that was liked."""
    names = labels(data, data.checksum)
    low, high = (None, None) if data.rating is None else (float(data.rating.min()), float(data.rating.max()))
    chosen = {}
    for key, rating in (("liked", high), ("disliked", low)):
        if key == "disliked" and low == high:
            continue  # without a scale nothing can be disliked
        text = t("recommendations.liked" if key == "liked" else "recommendations.disliked", language)
        chosen[key, rating] = st.multiselect(
            text,
            list(names),
            format_func=names.__getitem__,
            key=f"rec_{key}",
            persist_state="session",
            on_change=_start_over,
            max_selections=link.MOST_PICKS,
            placeholder=t("recommendations.pick", language),
        )
    liked = next(ids for (key, _), ids in chosen.items() if key == "liked")
    return tuple(
        (item, rating)
        for (key, rating), ids in reversed(chosen.items())
        for item in ids
        if key == "liked" or item not in liked
    )


def _settle() -> None:
    """A choice was made: what the address got wrong is no longer of interest."""
    st.session_state["rec_complaints"] = []


def _start_over() -> None:
    """Another history: what was left out and what was open belong to the old one."""
    st.session_state.update(rec_without=[], rec_said=(), rec_tokens=(), rec_item=None, rec_events=FEW_EVENTS)
    undo.forget(PAST)
    _settle()


def resolve(fitted: Recommender, asked: Asked) -> None:
    """Turn the address's `without` into positions, once its history is known; keep the muted heads that there are."""
    session = st.session_state
    heads = head_names(fitted)
    strangers = [name for name in session["rec_muted"] if name not in heads]
    if strangers:
        session["rec_muted"] = tuple(name for name in session["rec_muted"] if name in heads)
        if session["rec_view"] is None:  # from the address; a choice of another model settles it by itself
            session["rec_complaints"].append(link.Complaint("muted", "link.must_muted", shown(strangers[0])))
    if session["rec_tokens"]:
        events = history_of(fitted, asked)
        session["rec_without"], strange = link.without_positions(fitted.data_, events, session["rec_tokens"])
        session["rec_tokens"] = ()
        if strange:
            session["rec_complaints"].append(link.Complaint("without", "link.must_without", shown(strange[0])))


def complain(notes: DeltaGenerator, language: str) -> None:
    """Say, above the choice, which parameters of the address were not followed."""
    said = [
        t("link.bad", language, name=name, must=t(must, language), got=safe(got, 80))
        for name, must, got in st.session_state["rec_complaints"]
    ]
    if said:
        notes.warning("  \n".join(said), icon=":material/link_off:")
