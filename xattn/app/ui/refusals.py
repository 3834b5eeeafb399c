"""Refusals on a page: one sentence in the reader's language stands where the result would have stood."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from xattn.app.ui.language import lang
from xattn.app.ui.text import safe
from xattn.errors import XattnError
from xattn.i18n import t

__all__ = ["refusals", "reporting"]

log = logging.getLogger(__name__)


@contextmanager
def refusals() -> Iterator[None]:
    """Tell an XattnError raised inside in the reader's language, in the place where the result would have stood."""
    try:
        yield
    except XattnError as refusal:
        st.error(safe(refusal.told(lang()), 400), icon=":material/error:")


@contextmanager
def reporting() -> Iterator[None]:
    """`refusals`, and one neutral sentence for anything else that goes wrong inside (logged)."""
    try:
        with refusals():
            yield
    except Exception:  # Streamlit's own signals to stop or rerun are no Exception
        log.exception("a page failed")
        st.error(t("app.failed", lang()), icon=":material/error:")
