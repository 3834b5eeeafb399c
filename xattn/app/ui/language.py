"""The language of a session: chosen in the sidebar, else asked for by the address, else the browser's own."""

from __future__ import annotations

import streamlit as st

from xattn.app.ui.text import safe
from xattn.i18n import LANGUAGES, t

__all__ = ["choose_language", "keep_language", "lang"]

NAMES = {"en": "English", "zh": "中文"}


def lang() -> str:
    """The language of this session: "en" or "zh"; the sidebar's choice, else the address's, else the browser's."""
    for asked in (st.session_state.get("lang"), st.query_params.get("lang")):
        if asked in LANGUAGES:
            return str(asked)
    return _browsers()


def _browsers() -> str:
    """The language that the visitor's browser asks for."""
    return "zh" if str(st.context.locale or "").lower().startswith("zh") else "en"


def choose_language() -> str:
    """The sidebar's choice, with `lang` in the address (a bound widget would write its label there, not "zh").

    The address is written only when a choice is made: an address that a run rewrites cannot be left with Back.
    """
    session, asked = st.session_state, st.query_params.get("lang")
    if "lang" not in session and asked is not None and asked not in LANGUAGES:
        session["bad_language"] = asked
    if "lang" not in session or (asked in LANGUAGES and asked != session["lang_asked"]):
        session["lang"] = asked if asked in LANGUAGES else lang()
    session["lang_asked"] = asked
    with st.sidebar:
        st.segmented_control(
            t("app.language", lang()),
            LANGUAGES,
            required=True,
            format_func=NAMES.__getitem__,
            key="lang",
            on_change=_language_chosen,
        )
    if "bad_language" in session:
        st.warning(t("app.bad_language", lang(), got=safe(session["bad_language"], 20)), icon=":material/link_off:")
    return lang()


def _language_chosen() -> None:
    st.session_state.pop("bad_language", None)
    st.query_params["lang"] = st.session_state["lang"]


def keep_language() -> None:
    """Write the language into the address of a page that was just turned to, which has lost it."""
    if "lang" not in st.query_params and lang() != _browsers():
        st.query_params["lang"] = st.session_state["lang_asked"] = lang()
