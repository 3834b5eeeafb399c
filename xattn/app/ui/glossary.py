"""The words of the project, within reach on every page."""

from __future__ import annotations

import streamlit as st

from xattn.i18n import t

__all__ = ["glossary"]

WORDS = (  # of the glossary, in the order in which they build on each other
    "event",
    "strength",
    "query",
    "key",
    "attention_score",
    "softmax",
    "weight",
    "head",
    "value",
    "contribution",
    "base",
    "ledger",
    "removal_effect",
    "gate",
)


def glossary(language: str) -> None:
    """The words of the project, within reach on every page."""
    with st.popover(t("app.glossary", language), icon=":material/menu_book:"):
        for word in WORDS:
            st.markdown(f"**{t(f'term.{word}', language)}**: {t(f'meaning.{word}', language)}")
