"""The words of the project, within reach on every page."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from xattn.i18n import t
from xattn.i18n.joined import said

__all__ = ["glossary", "meaning", "meanings"]

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
        st.markdown("\n\n".join(meaning(word, language) for word in WORDS))


def meaning(word: str, language: str) -> str:
    """A word and what it means, for Markdown."""
    return said(f"**{t(f'term.{word}', language)}**", t(f"meaning.{word}", language), language)


def meanings(words: Iterable[str], language: str) -> str:
    """Several of them as a list."""
    return "\n".join(f"- {meaning(word, language)}" for word in words)
