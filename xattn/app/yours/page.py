"""The page for one's own vectors: typed by hand or pasted, attended to at once."""

from __future__ import annotations

import streamlit as st

from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.app.words import t
from xattn.app.yours import vectors

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("behaviour.title", language))
    st.markdown(t("behaviour.intro", language))
    with refusals():
        vectors.draw(language)
