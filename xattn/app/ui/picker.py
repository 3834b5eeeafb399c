"""The films of a visitor: found by title, rated with stars, taken out again. One list on every page that asks for it.

The picks are (item id, stars) in the session, oldest first; the stars' widgets write into it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import streamlit as st

from xattn.app.ui import picks, search, undo
from xattn.app.ui.picks import MOST_PICKS, MOST_STARS, Picks
from xattn.app.ui.session import FILMS, STARS
from xattn.app.ui.text import spoken
from xattn.app.words import t
from xattn.data import Interactions

__all__ = ["FIELD", "PARAM", "add", "draw", "find", "lines", "take_out", "toggle", "undo_bar", "widgets"]

PARAM = "films"  # of the address
FIELD = "behaviour_add"


def draw(data: Interactions, language: str, then: Callable[[], None] | None = None) -> None:
    """The field to add a film, then one line a film; `then` is called after every change."""
    find(data, language, then)
    lines(data, language, then)
    undo_bar(data, language, then)


def find(data: Interactions, language: str, then: Callable[[], None] | None = None) -> None:
    """The field to add a film."""
    chosen = FILMS.get()
    full = len(chosen) >= MOST_PICKS
    label = t("behaviour.add", language)
    search.field(FIELD, label, data, language, partial(add, then=then), but=dict(chosen), disabled=full)


def lines(data: Interactions, language: str, then: Callable[[], None] | None = None) -> None:
    """One line a film, the newest last: title, stars where the data have a scale, a button that takes it out."""
    chosen = FILMS.get()
    for item, stars in chosen:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"behaviour_line_{item}"):
            st.markdown(spoken(data.items.titles[data.item_row(item)], 60), width="stretch")
            if picks.has_stars(data):
                own = STARS.of(item)
                own.set(stars - 1)  # st.feedback counts from 0
                st.feedback("stars", key=own.name, on_change=_rate, args=(item, then))
            st.button(
                t("behaviour.remove", language),
                icon=":material/close:",
                type="tertiary",
                key=f"behaviour_remove_{item}",
                on_click=take_out,
                args=(item, then),
            )
    if chosen and picks.has_stars(data):
        st.caption(t("behaviour.stars_say", language))


def undo_bar(data: Interactions, language: str, then: Callable[[], None] | None = None) -> None:
    """Undo of picks, where there is something to undo."""
    undo.note(PARAM, FILMS.get())
    if FILMS.get() or len(undo.states(PARAM)) > 1:
        undo.bar(PARAM, partial(_hold, then=then), partial(_sentence, data), language)


def widgets() -> list[str]:
    """What the picks are made with: widgets, and the picks themselves, which buttons change."""
    return [FIELD, FILMS.name, *(STARS.of(item).name for item in dict(FILMS.get()))]


# --- changes ----------------------------------------------------------------------------------------------------------


def _hold(chosen: Picks, then: Callable[[], None] | None) -> None:
    FILMS.set(chosen)
    if then is not None:
        then()


def add(item: str, then: Callable[[], None] | None = None) -> None:
    """Take a film in as the newest, with all stars: who picks a film without a word liked it."""
    chosen = FILMS.get()
    if item not in dict(chosen) and len(chosen) < MOST_PICKS:
        _hold((*chosen, (item, MOST_STARS)), then)


def take_out(item: str, then: Callable[[], None] | None = None) -> None:
    """Take a film out."""
    _hold(tuple(pick for pick in FILMS.get() if pick[0] != item), then)


def toggle(item: str, then: Callable[[], None] | None = None) -> None:
    """Take a film in, or out where it is in."""
    (take_out if item in dict(FILMS.get()) else add)(item, then)


def _rate(item: str, then: Callable[[], None] | None) -> None:
    got = STARS.of(item).get()
    if got is not None and 0 <= got < MOST_STARS:  # a second click on the same star takes it away: keep the last
        _hold(tuple((i, got + 1 if i == item else s) for i, s in FILMS.get()), then)


def _sentence(data: Interactions, before: Picks, after: Picks, language: str) -> str:
    """An edit of the picks in words."""
    old, new = dict(before), dict(after)

    def titles(items: list[str]) -> str:
        return t("words.and", language).join(spoken(data.items.titles[data.item_row(item)], 60) for item in items)

    said = []
    if came := [item for item in new if item not in old]:
        said.append(t("behaviour.edit_added", language, names=titles(came)))
    if gone := [item for item in old if item not in new]:
        said.append(t("behaviour.edit_removed", language, names=titles(gone)))
    for item in new:
        if item in old and old[item] != new[item]:
            stars = {"before": old[item], "after": new[item]}
            said.append(t("behaviour.edit_rated", language, name=titles([item]), **stars))
    return " · ".join(said)
