"""The page *Live*: events of your own, or a replay of real ones, stream in; weights, profile and list follow.

Each visitor has a store of their own, for the time of the visit (`live/stage.py`). What streams is one fragment: it
runs again at the speed that is chosen, and the rest of the page stands still.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from xattn.app import state
from xattn.app.live import board, questions
from xattn.app.live.stage import Stage, stage
from xattn.app.ui import address, search
from xattn.app.ui.caches import kept
from xattn.app.ui.language import lang
from xattn.app.ui.refusals import refusals, reporting
from xattn.app.ui.session import LIVE_OF, LIVE_OPINION, LIVE_PLAYING, LIVE_ROUND, LIVE_SPEED
from xattn.app.words import t
from xattn.data import History, Interactions

__all__ = ["render"]

PARTS = ("stream", "satisfaction")
SOURCES = ("replay", "own")
SPEEDS = (0.5, 1.0, 2.0, 4.0)  # events a second
PEOPLE = 12  # whose events can be replayed
SHORTEST, LONGEST = 10, 80  # events of theirs


def render() -> None:
    """Draw the page."""
    language = lang()
    st.title(t("live.title", language))
    st.caption(t("live.promise", language))
    with refusals():
        part = address.choose(
            "part",
            PARTS,
            key="live_part",
            label=t("live.part", language),
            words=lambda name: t(f"live.part_{name}", language),
        )
        if part == "satisfaction":
            LIVE_PLAYING.set(False)
            questions.draw(stage(LIVE_ROUND.get()), language)
            return
        _stream(state.dataset(), language)


def _stream(data: Interactions, language: str) -> None:
    with st.container(border=True):
        source = address.choose(
            "events",
            SOURCES,
            key="live_source",
            label=t("live.source", language),
            words=lambda name: t(f"live.source_{name}", language),
        )
        history = _replayed(data, language) if source == "replay" else None
        who = "" if history is None else str(history.user)
        if (source, who) != LIVE_OF.get():
            _anew()
            LIVE_OF.set((source, who))
        own = stage(LIVE_ROUND.get())
        if history is None:
            _typed(own, language)
        else:
            _controls(own, history, language)
    playing = LIVE_PLAYING.get() and history is not None
    again = 1.0 / float(LIVE_SPEED.get()) if playing else None
    st.fragment(_now, run_every=again)(own, history if playing else None)


def _now(own: Stage, history: History | None) -> None:
    """The next event, if one is to be played, and all that follows from what has come so far."""
    language = lang()
    with reporting():
        if history is not None and LIVE_PLAYING.get() and own.play(history) is None:
            LIVE_PLAYING.set(False)
            st.rerun()
        board.draw(own, LIVE_PLAYING.get() and history is not None, language)


# --- where events come from -------------------------------------------------------------------------------------------


@kept(st.cache_data, max_entries=4)
def _people(_data: Interactions, checksum: str) -> list[str]:
    """People with histories of middling length, spread evenly over the lengths."""
    lengths = np.diff(_data.indptr)
    fitting = np.flatnonzero((lengths >= SHORTEST) & (lengths <= LONGEST))
    rows = fitting if len(fitting) else np.flatnonzero(lengths > 0)
    rows = rows[np.argsort(lengths[rows], kind="stable")]
    chosen = rows[np.linspace(0, len(rows) - 1, min(PEOPLE, len(rows))).astype(int)]
    return [_data.user_ids[row] for row in dict.fromkeys(chosen.tolist())]


def _replayed(data: Interactions, language: str) -> History:
    people = _people(data, data.checksum)
    sizes = {user: len(History.of(data, data.user_row(user))) for user in people}
    user = address.select(
        "who",
        people,
        key="live_who",
        label=t("live.who", language),
        words=lambda one: t("live.person", language, user=one[:40], n=sizes[one]),
        width=320,
    )
    return History.of(data, data.user_row(user))


def _controls(own: Stage, history: History, language: str) -> None:
    playing = LIVE_PLAYING.get()
    over = own.played >= len(history)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        LIVE_SPEED.begin()
        st.select_slider(
            t("live.speed", language),
            SPEEDS,
            key=LIVE_SPEED.name,
            format_func=lambda speed: t("live.a_second", language, n=speed),
            width=260,
        )
        st.button(
            t("live.pause" if playing else "live.play", language),
            icon=":material/pause:" if playing else ":material/play_arrow:",
            type="primary",
            key="live_play",
            disabled=over,
            on_click=LIVE_PLAYING.set,
            args=(not playing,),
        )
        st.button(
            t("live.next", language),
            icon=":material/skip_next:",
            key="live_next",
            disabled=playing or over,
            on_click=own.advance,
            args=(history,),
        )
        _again_button(language)


def _typed(own: Stage, language: str) -> None:
    scale = own.data.scale
    value: float | None = None
    if scale is not None and scale.certain:
        LIVE_OPINION.begin()
        st.segmented_control(
            t("live.opinion", language),
            ("good", "bad"),
            key=LIVE_OPINION.name,
            required=True,
            format_func=lambda name: t(f"live.opinion_{name}", language),
        )
        low, high = scale.span
        value = high if LIVE_OPINION.get() == "good" else low

    def add(item: str) -> None:
        own.event(own.data.item_row(item), value)

    search.field("live_add", t("live.add", language), own.data, language, add)
    _again_button(language)


def _again_button(language: str) -> None:
    st.button(t("live.again", language), icon=":material/restart_alt:", key="live_again", on_click=_anew)


def _anew() -> None:
    LIVE_PLAYING.set(False)
    LIVE_ROUND.set(LIVE_ROUND.get() + 1)
