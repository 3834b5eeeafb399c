"""The page for one's own behaviour, in two ways: type vectors and see them attended to, or pick films and be advised.

This file is the choice between the two; `vectors` and `films` draw them.
"""

from __future__ import annotations

import streamlit as st

from xattn.app.ui import address
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.app.words import t
from xattn.app.yours import films, vectors

__all__ = ["render"]

WAY = "way"  # of the address
WAYS = ("films", "vectors")


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("behaviour.title", language))
    st.markdown(t("behaviour.intro", language))
    way = _choose(language)
    with refusals():
        (films if way == "films" else vectors).draw(language)


def _choose(language: str) -> str:
    """The way: the choice, kept in the address too; an address with vectors in it means vectors."""
    return address.choose(
        WAY,
        WAYS,
        key="behaviour_way",
        label=t("behaviour.way", language),
        words=lambda way: t(f"behaviour.way_{way}", language),
        start="vectors" if vectors.PARAM in st.query_params else None,
    )
