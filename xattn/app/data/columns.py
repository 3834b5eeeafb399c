"""Which column was taken for what, with samples and the reason; a click gives a column another role."""

from __future__ import annotations

import streamlit as st

from xattn.app.data.options import given_role
from xattn.app.data.outcome import Outcome
from xattn.app.ui import address
from xattn.app.ui.session import BROUGHT, OPTIONS, ROLE_OF, widget
from xattn.app.ui.text import safe
from xattn.data.reading.choice import EVENT_ROLES, Use
from xattn.i18n import t

__all__ = ["draw"]

MOST = 40  # columns that can be changed by a click; of more the first
CHOICES = ("", *EVENT_ROLES)


def draw(outcome: Outcome, options: dict[str, object], language: str) -> None:
    """One line for each column of the events; a table for those of the items."""
    if not outcome.columns:
        return
    unsure = any(use.role and not use.sure for use in outcome.columns)
    start = outcome.refusal is not None or unsure
    label = t("mine.columns", language, n=len(outcome.columns))
    with address.part("columns", label, icon=":material/view_column:", start=start):
        if outcome.report is not None:
            header = "mine.header" if outcome.report.format["header"] else "mine.no_header"
            st.caption(t(header, language))
        for at, use in enumerate(outcome.columns[:MOST]):
            _line(outcome.columns, at, use, options, language)
        if len(outcome.columns) > MOST:
            st.caption(t("mine.more_columns", language, n=len(outcome.columns) - MOST))
    items = None if outcome.report is None else outcome.report.items
    if items is not None:
        label = t("mine.item_columns", language, n=len(items.columns))
        with address.part("item_columns", label, icon=":material/view_column:"):
            for use in items.columns[:MOST]:
                role = t(f"data.role.{use.role}", language) if use.role else t("mine.unused", language)
                st.markdown(f"**{safe(use.column, 60)}** · {role} :small[:gray[{_reason(use, language)}]]")


def _line(uses: tuple[Use, ...], at: int, use: Use, options: dict[str, object], language: str) -> None:
    said, role = st.columns((5, 2), vertical_alignment="center")
    samples = " · ".join(safe(sample, 40) for sample in use.samples if sample.strip()) or "–"
    reason = _reason(use, language)
    why = f"  \n:small[:gray[{reason}]]" if reason else ""
    said.markdown(f"**{safe(use.column, 60) or at + 1}** :small[{samples}]{why}")
    own = ROLE_OF.of(f"{BROUGHT.get().number}_{at}")
    own.set(use.role)
    role.selectbox(
        t("mine.role_of", language, column=safe(use.column, 60)),
        CHOICES if use.role in CHOICES else (*CHOICES, use.role),
        format_func=lambda name: t(f"data.role.{name}", language) if name else t("mine.unused", language),
        key=own.name,
        label_visibility="collapsed",
        on_change=_changed,
        args=(uses, at, own.name),
    )


def _changed(uses: tuple[Use, ...], at: int, name: str) -> None:
    role = str(widget(name).get())
    OPTIONS.set(given_role(OPTIONS.get(), uses, at, role))


def _reason(use: Use, language: str) -> str:
    """Why a column was taken for what it was."""
    if not use.role:
        return ""
    parts = [t(f"data.why.{use.why.replace('+', '_') or 'given'}", language)]
    parts += [t(f"data.how.{use.how}", language)] if use.how else []
    parts += [] if use.sure else [f"**{t('data.unsure', language)}**"]
    return " · ".join(parts)
