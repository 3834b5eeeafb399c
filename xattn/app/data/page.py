"""The page "Your data": bring tables or a model, see how they were understood, settle what was found, fit, go on.

From top to bottom: what is shown now; ways to bring something; what was read; the fit; columns; findings; the same as a
command and as Python. Everything is of this session alone.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from xattn.app import state
from xattn.app.data import bringing, columns, findings, fit, shown
from xattn.app.data.brought import MOST_EVENTS, Brought, most_bytes, most_unpacked
from xattn.app.data.outcome import Outcome, outcome_of
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals
from xattn.app.ui.session import BROUGHT, DATA_REFUSED, OPTIONS, OUTCOME
from xattn.app.ui.text import safe
from xattn.data.reading.table import MAX_COLUMNS
from xattn.i18n import t
from xattn.i18n.joined import sentences

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("mine.title", language))
    st.markdown(t("mine.intro", language))
    shown.draw(language)
    with st.container(border=True):
        bringing.draw(language)
        limits = {
            "mb": f"{most_bytes() // 10**6:,}",
            "unpacked": f"{most_unpacked() // 10**6:,}",
            "rows": f"{MOST_EVENTS:,}",
            "columns": f"{MAX_COLUMNS:,}",
            "sessions": state.most_held(),
        }
        st.caption(t("mine.limits", language, **limits))
        if DATA_REFUSED.is_set:
            st.error(safe(DATA_REFUSED.get().told(language), 600), icon=":material/error:")
    brought: Brought | None = BROUGHT.get()
    if brought is None:
        return
    with refusals():
        _read(brought, language)


def _read(brought: Brought, language: str) -> None:
    """What was read of the tables, and all that can be done with it."""
    bringing.files(brought, language)
    brought = BROUGHT.get()
    options = OPTIONS.get()
    with st.spinner(t("mine.reading", language)):
        outcome = _outcome(brought, options)
    st.subheader(t("mine.read", language))
    if outcome.report is not None:
        st.markdown(safe(outcome.report.summary(language), 1500))
    if outcome.refusal is not None:
        st.error(safe(_refused(outcome, language), 600), icon=":material/error:")
        if outcome.columns:
            st.markdown(t("mine.way_on", language))
    findings.settled(options, language)
    if outcome.data is not None:
        fit.draw(brought, options, outcome.data, language)
    if outcome.refusal is not None and outcome.report is not None and outcome.report.errors:
        findings.draw(outcome, language)  # what keeps the table from being read comes first
        columns.draw(outcome, options, language)
    else:
        columns.draw(outcome, options, language)
        findings.draw(outcome, language)
    if outcome.data is not None:
        fit.elsewhere(brought, options, language)


def _refused(outcome: Outcome, language: str) -> str:
    """Why nothing could be read. Where findings below are why, their sentences: a click settles them there, and no
    option of a command need be known."""
    grave = () if outcome.report is None else outcome.report.errors
    assert outcome.refusal is not None
    return sentences((one.sentence(language) for one in grave), language) or outcome.refusal.told(language)


def _outcome(brought: Brought, options: dict[str, Any]) -> Outcome:
    """The outcome of the last reading; a new one where something is read in another way now."""
    key = (brought.number, tuple(file.kind for file in brought.files), repr(options))
    kept: tuple[Any, Outcome] | None = OUTCOME.get()
    if kept is None or kept[0] != key:
        OUTCOME.take()  # so that not two are held at one time
        kept = (key, outcome_of(brought, options))
        OUTCOME.set(kept)
    return kept[1]
