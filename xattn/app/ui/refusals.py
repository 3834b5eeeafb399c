"""Refusals in the reader's language: the library's English sentence → the same sentence in the catalogue's words.

The catalogue holds each sentence form twice, and its English wording is the pattern by which a sentence is recognised:

    [refusal.finite]
    en = "`{name}` must hold finite numbers only; got {got}."       ← matched, placeholders become groups
    zh = "`{name}` 只能包含有限的数；收到 {got}。"                     ← filled with what was matched
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import streamlit as st

from xattn.app.ui.language import lang
from xattn.app.ui.text import safe
from xattn.errors import XattnError
from xattn.i18n import keys, placeholders, t

__all__ = ["refusals", "reporting", "told"]

log = logging.getLogger(__name__)


@contextmanager
def refusals() -> Iterator[None]:
    """Tell an XattnError raised inside in the reader's language, in the place where the result would have stood."""
    try:
        yield
    except XattnError as refusal:
        st.error(safe(told(refusal, lang()), 400), icon=":material/error:")


@contextmanager
def reporting() -> Iterator[None]:
    """`refusals`, and one neutral sentence for anything else that goes wrong inside (logged)."""
    try:
        with refusals():
            yield
    except Exception:  # Streamlit's own signals to stop or rerun are no Exception
        log.exception("a page failed")
        st.error(t("app.failed", lang()), icon=":material/error:")


# --- the sentence in the reader's language ---

GROUP = "refusal."
PLACEHOLDER = re.compile(r"\\{(\w+)\\}")


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """(name, pattern) of every sentence form, the most specific first."""
    wordings = {
        key.removeprefix(GROUP): t(key, "en", **{name: f"{{{name}}}" for name in placeholders(key)})
        for key in keys()
        if key.startswith(GROUP)
    }
    by_length = sorted(wordings.items(), key=lambda form: -len(re.sub(r"{\w+}", "", form[1])))
    return tuple((name, re.compile(PLACEHOLDER.sub(r"(?P<\1>.+?)", re.escape(text)))) for name, text in by_length)


def told(refusal: XattnError, language: str) -> str:
    """The sentence of a refusal in `language`; in English where the catalogue does not know its form.

    >>> from xattn.errors import InputError
    >>> told(InputError("`keys` must hold finite numbers only; got nan."), "zh")
    '`keys` 只能包含有限的数；收到 nan。'
    """
    sentence = str(refusal)
    if language == "en":
        return sentence
    for name, pattern in _forms():
        if found := pattern.fullmatch(sentence):
            return t(f"refusal.{name}", language, **found.groupdict())
    return sentence
