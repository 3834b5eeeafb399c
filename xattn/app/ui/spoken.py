"""The language that a page is in: screen readers and hyphenation go by `html lang`; Streamlit leaves it at "en".

One fixed script a language sets it. The content security policy knows these scripts by their checksums, and no others.
"""

from __future__ import annotations

import streamlit as st

__all__ = ["SCRIPTS", "say_language"]

CODES = {"en": "en", "zh": "zh-Hans"}
SCRIPTS = {language: f'document.documentElement.lang = "{code}"' for language, code in CODES.items()}


def say_language(language: str) -> None:
    """Have the browser's document say that it is in `language`."""
    st.html(f"<script>{SCRIPTS[language]}</script>", unsafe_allow_javascript=True)
