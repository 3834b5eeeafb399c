"""The recommendations page and its address: each view has one, and Back leads to the view before."""

from __future__ import annotations

import streamlit as st

from xattn.app.recommend import link
from xattn.app.recommend.answers import Asked, history_of
from xattn.app.state import MODELS
from xattn.app.ui import address
from xattn.recommenders import Recommender

__all__ = ["publish", "went_elsewhere"]


def publish(asked: Asked, fitted: Recommender) -> link.Link:
    """The link of this view; it is put into the address where the view has changed, or the page was just turned to.

    An address that stands for the view already is left as it is: one that every run rewrites cannot be left with Back.
    """
    session = st.session_state
    view = link.Link(
        user=link.YOU if asked.user is None else asked.user,
        model=asked.kind,
        k=asked.k,
        liked=tuple(session["rec_liked"]) if asked.user is None else (),
        disliked=tuple(session["rec_disliked"]) if asked.user is None else (),
        without=link.without_tokens(fitted.data_, history_of(fitted, asked), session["rec_without"]),
        item=session["rec_item"],
        said=session["rec_said"],
        muted=session["rec_muted"],
    )
    if address.turned_to():
        changed = link.read(_address(), fitted.data_, MODELS)[0] != view
    else:
        changed = session["rec_view"] not in (None, view)
    if changed:
        others = {name: value for name, value in st.query_params.to_dict().items() if name not in link.PARAMETERS}
        st.query_params.from_dict({**others, **link.write(view)})  # at once: one step of the browser's history
    session["rec_view"], session["rec_address"], session["rec_chosen"] = view, _address(), _chosen()
    return view


def _address() -> dict[str, str]:
    return {name: value for name, value in st.query_params.to_dict().items() if name in link.PARAMETERS}


def _chosen() -> tuple[object, ...]:
    """All that a visitor chooses, to see whether anything was."""
    session = st.session_state
    names = ("who", "user", "liked", "disliked", "model", "k", "said", "muted", "without", "item")
    return (session.get("lang"), *(repr(session.get(f"rec_{name}")) for name in names))


def went_elsewhere() -> bool:
    """Back or Forward was pressed: the address is another one, and nothing was chosen that it could be late for."""
    session = st.session_state
    same = session.get("rec_chosen") == _chosen()
    return same and not address.turned_to() and session.get("rec_address") not in (None, _address())
