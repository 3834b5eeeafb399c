"""The first page: tap three films; the list and its first reason appear at once; one more tap proves the reason.

What is shown is a view of the recommendations page (`recommend.view`), whose person is the visitor: films with stars,
one item of the list that is explained, and perhaps one film that is left out to prove what was announced.

    ?films=1*260_5~1270_4&item=1210&without=260
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from xattn.app import state
from xattn.app.front import answer, more, wall
from xattn.app.recommend.view import YOU
from xattn.app.ui import address, picker, picks
from xattn.app.ui.language import lang
from xattn.app.ui.picker import PARAM
from xattn.app.ui.picks import Picks
from xattn.app.ui.refusals import reporting
from xattn.app.ui.session import DOORS, EXACT, FILMS
from xattn.app.words import t
from xattn.data import Interactions
from xattn.errors import InputError

__all__ = ["render"]

HERE = Path(__file__).parent
ENOUGH = 3  # films from which the page says no more that there are few
DOOR_ICONS = {
    "scenarios": ":material/category:",
    "worked": ":material/school:",
    "lab": ":material/science:",
    "data": ":material/upload_file:",
}


def render() -> None:
    """Draw the page."""
    language = lang()
    with reporting():
        data = state.dataset()
        notes = st.container()
        with notes:
            _open(data, language)
        _promise(language)
        tiles, story = st.columns([6, 5], gap="large")
        with tiles:
            wall.draw(data, language)
            picker.find(data, language)
        with story:
            chosen = FILMS.get()
            view = answer.draw(data, chosen, ENOUGH, language)
            picker.lines(data, language)
            picker.undo_bar(data, language)
        address.show(PARAM, picks.write(chosen) if chosen else None, picker.widgets())
        if view is not None:
            more.draw(view, data, language)
        _doors(chosen, language)


def _promise(language: str) -> None:
    st.html(HERE / "front.css")
    st.title(t("front.title", language))
    st.markdown(t("front.promise", language))


def _doors(chosen: Picks, language: str) -> None:
    """The ways on."""
    doors = DOORS.get()
    with st.container(horizontal=True, key="front_doors"):
        for path, icon in DOOR_ICONS.items():
            if path in doors:
                st.page_link(doors[path], label=t(f"front.door_{path}", language), icon=icon)
        if "recommendations" in doors:
            query = {"user": YOU, PARAM: picks.write(chosen)} if chosen else {}
            query |= {"exact": "1"} if chosen and EXACT.get() else {}
            label = t("front.door_whole" if chosen else "front.door_others", language)
            st.page_link(doors["recommendations"], label=label, icon=":material/recommend:", query_params=query)


# --- the picks of the address -----------------------------------------------------------------------------------------


def _open(data: Interactions, language: str) -> None:
    """Take over the picks that the address brings; else keep those of the session."""
    link = address.arrived(PARAM)
    if link:
        try:
            FILMS.set(picks.known(data, link))
        except InputError:
            FILMS.set(())
            st.warning(t("behaviour.bad_films", language), icon=":material/link_off:")
    elif link == "":
        FILMS.set(())
