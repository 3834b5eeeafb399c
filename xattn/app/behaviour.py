"""The page for one's own behaviour, in two ways: type vectors and see them attended to, or pick films and be advised.

This file is the choice between the two; `behaviour_vectors` and `behaviour_films` draw them.
"""

from __future__ import annotations

import streamlit as st

from xattn.app import address, behaviour_films, behaviour_vectors
from xattn.app.shell import lang, refusals
from xattn.i18n import t

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
        (behaviour_films if way == "films" else behaviour_vectors).draw(language)


def _choose(language: str) -> str:
    """The way: the choice, kept in the address too; an address with vectors in it means vectors."""
    return address.choose(
        WAY,
        WAYS,
        key="behaviour_way",
        label=t("behaviour.way", language),
        words=lambda way: t(f"behaviour.way_{way}", language),
        start="vectors" if behaviour_vectors.PARAM in st.query_params else None,
    )
