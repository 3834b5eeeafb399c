"""The language of a session: chosen in the sidebar, else asked for by the address, else the browser's own."""

from __future__ import annotations

import streamlit as st

from xattn.app.ui.session import BAD_LANGUAGE, LANGUAGE, LANGUAGE_ASKED
from xattn.app.ui.text import safe
from xattn.i18n import LANGUAGES, t

__all__ = ["choose_language", "keep_language", "lang"]

NAMES = {"en": "English", "zh": "中文"}
PARAM = "lang"  # of the address


def lang() -> str:
    """The language of this session: "en" or "zh"."""
    for asked in (LANGUAGE.get(), st.query_params.get(PARAM)):
        if asked in LANGUAGES:
            return str(asked)
    return _browsers()


def _browsers() -> str:
    return "zh" if str(st.context.locale or "").lower().startswith("zh") else "en"


def choose_language() -> str:
    """The sidebar's choice, with `lang` in the address (a bound widget would write its label there, not "zh").

    The address is written only when a choice is made: an address that a run rewrites cannot be left with Back.
    """
    asked = st.query_params.get(PARAM)
    if not LANGUAGE.is_set and asked is not None and asked not in LANGUAGES:
        BAD_LANGUAGE.set(asked)
    if not LANGUAGE.is_set or (asked in LANGUAGES and asked != LANGUAGE_ASKED.get()):
        LANGUAGE.set(asked if asked in LANGUAGES else lang())
    LANGUAGE_ASKED.set(asked)
    with st.sidebar:
        st.segmented_control(
            t("app.language", lang()),
            LANGUAGES,
            required=True,
            format_func=NAMES.__getitem__,
            key=LANGUAGE.name,
            on_change=_language_chosen,
        )
    if BAD_LANGUAGE.is_set:
        st.warning(t("app.bad_language", lang(), got=safe(BAD_LANGUAGE.get(), 20)), icon=":material/link_off:")
    return lang()


def _language_chosen() -> None:
    BAD_LANGUAGE.take()
    st.query_params[PARAM] = str(LANGUAGE.get())


def keep_language() -> None:
    """Write the language into the address of a page that was just turned to, which has lost it."""
    if PARAM not in st.query_params and lang() != _browsers():
        st.query_params[PARAM] = lang()
        LANGUAGE_ASKED.set(lang())
