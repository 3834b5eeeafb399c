"""Whose row the lesson runs on: a user's of the data, or the films that were picked on the first page."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from xattn import History
from xattn.app import state
from xattn.app.learn import person_sheet
from xattn.app.learn.sheet import Sheet
from xattn.app.ui import picks
from xattn.app.ui.picks import Picks
from xattn.app.ui.session import FILMS, PERSON, PERSON_REFUSED
from xattn.app.ui.text import safe
from xattn.app.words import t
from xattn.errors import InputError

__all__ = ["control"]


def control(load: Callable[[Sheet], None], language: str) -> None:
    """A popover with the choice; `load` takes the sheet that comes of it."""
    with st.popover(t("worked.own_row", language), icon=":material/person:"):
        st.markdown(t("worked.own_row_says", language))
        try:
            data = state.dataset()
        except InputError:
            st.caption(t("worked.no_data", language))
            return
        st.selectbox(t("recommendations.user", language), data.user_ids, key=PERSON.name, index=None)
        user = PERSON.get()
        st.button(
            t("worked.take_row", language),
            key="worked_take_row",
            disabled=user is None,
            on_click=_take_row,
            args=(load, user),
        )
        picked = FILMS.get()
        st.button(
            t("worked.take_films", language),
            key="worked_take_films",
            disabled=len(picked) < person_sheet.LEAST,
            help=t("worked.take_films_help", language, n=person_sheet.LEAST),
            on_click=_take_row,
            args=(load, None, picked),
        )
        if PERSON_REFUSED.is_set:
            st.warning(safe(PERSON_REFUSED.take().told(language), 300))


def _take_row(load: Callable[[Sheet], None], user: str | None, picked: Picks = ()) -> None:
    data = state.dataset()
    try:
        if user is not None:
            history = History.of(data, data.user_row(user))
        else:
            history = History.given(data, picks.events(data, picked))
        load(person_sheet.row_sheet(data, history))
    except InputError as refusal:
        PERSON_REFUSED.set(refusal)
