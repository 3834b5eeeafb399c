"""The Python that gives the same numbers as a page, to copy and run: how it is written and where it is shown."""

from __future__ import annotations

from pprint import pformat

import streamlit as st

from xattn.i18n import t

__all__ = ["literal", "popover", "show"]


def popover(code: str, language: str) -> None:
    """A button that opens the code."""
    with st.popover(t("reproduce.title", language), icon=":material/code:"):
        show(code, language)


def show(code: str, language: str) -> None:
    """The code, with a line that says what it is for."""
    st.caption(t("reproduce.help", language))
    st.code(code, language="python", wrap_lines=True)


def literal(value: object) -> str:
    """A value as Python reads it, tuples of numbers as lists."""

    def plain(part: object) -> object:
        return [plain(x) for x in part] if isinstance(part, tuple) and part and not isinstance(part[0], str) else part

    return pformat(plain(value), width=100, sort_dicts=False)
