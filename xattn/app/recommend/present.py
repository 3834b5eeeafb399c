"""The present view of a session: taken from the address, changed by widgets and buttons, put back into the address.

Some fields of the view have a widget of their own, whose state is read at the start of each run; the others stand in
the session. Each view has an address, and Back leads to the view before.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from xattn.app import state
from xattn.app.recommend.view import FEW_EVENTS, PARAMETERS, TABS, YOU, View
from xattn.app.ui import address, undo
from xattn.app.ui.language import lang
from xattn.app.ui.session import (
    COMPLAINTS,
    FILMS,
    HOW_MANY,
    MODEL,
    PUBLISHED,
    READ,
    TAB,
    USER,
    VIEW,
    WHO,
)
from xattn.app.words import t
from xattn.data import Interactions
from xattn.i18n import LANGUAGES

__all__ = ["EDITS", "change", "open_view", "present", "publish", "start_over"]

EDITS = "rec"  # what can be undone


class _Published(NamedTuple):
    """What a run put into the address: the view, the address, the language."""

    view: View
    address: dict[str, str]
    language: str


def open_view(data: Interactions) -> None:
    """Take the view from the address at the start of a session and after Back; else go on with the present one."""
    if VIEW.is_set and not _went_elsewhere():
        if WHO.get() == YOU and VIEW.get().films != FILMS.get():  # picked on another page
            start_over()
        return
    view, complaints = View.from_query(st.query_params.to_dict(), data, state.models(), state.seen())
    VIEW.set(view)
    READ.set(_address())
    COMPLAINTS.set(tuple(complaints))
    PUBLISHED.take()
    undo.forget(EDITS)
    WHO.set(YOU if view.user == YOU else "user")
    USER.set(data.user_ids[0] if view.user == YOU else view.user)
    if view.user == YOU:
        FILMS.set(view.films)
    MODEL.set(view.model)
    HOW_MANY.set(view.k)
    TAB.take()


def present() -> View:
    """The view as the widgets have it now."""
    view: View = VIEW.get()
    by_hand = WHO.get() == YOU
    view = replace(
        view,
        user=YOU if by_hand else str(USER.get() or ""),
        films=FILMS.get() if by_hand else (),
        model=MODEL.get(),
        k=int(HOW_MANY.get()),
    )
    tabs = {t(key, language): tab for tab, key in TABS.items() for language in LANGUAGES}
    return replace(view, tab=tabs.get(TAB.get(), view.tab))


def change(**fields: Any) -> None:
    """Make these fields of the view others."""
    VIEW.set(replace(present(), **fields))


def start_over() -> None:
    """Another history was chosen: what was left out and what was open belong to the old one."""
    change(said=(), without=(), item=None, versus=None, event=None, boxes=FEW_EVENTS)
    undo.forget(EDITS)
    COMPLAINTS.set(())


def publish(view: View, data: Interactions) -> None:
    """Put `view` into the address where it has changed, or where the page was just turned to.

    An address that stands for the view already is left as it is: one that every run rewrites cannot be left with Back.
    """
    before: _Published | None = PUBLISHED.get()
    if address.turned_to():  # Streamlit has emptied the address; the session still knows the view
        changed = View.from_query(_address(), data, state.models(), state.seen())[0] != view
    else:
        changed = before is not None and before.view != view
    if changed:
        others = {name: value for name, value in st.query_params.to_dict().items() if name not in PARAMETERS}
        st.query_params.from_dict({**others, **view.to_query(data)})  # at once: one step of the browser's history
    VIEW.set(view)
    PUBLISHED.set(_Published(view, _address(), lang()))


def _address() -> dict[str, str]:
    return {name: value for name, value in st.query_params.to_dict().items() if name in PARAMETERS}


def _went_elsewhere() -> bool:
    """Back, Forward or a link was followed: the address is another one, and nothing was chosen that it could be late
    for. Who turns to the page by its name gets an empty address, and finds the page as it was."""
    last: _Published | None = PUBLISHED.get()
    if address.turned_to():
        return bool(_address())
    if last is None:  # the run that read the address was cut short by this one: Back, then Forward at once
        return READ.get() != _address()
    if last.address == _address():
        return False
    return (present(), lang()) == (last.view, last.language)
