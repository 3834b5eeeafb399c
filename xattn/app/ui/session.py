"""What a session holds: every key once, with its value before anybody sets it.

Only this file touches Streamlit's own session state. A key belongs to a widget (Streamlit forgets it when the widget is
not drawn) or to a page (it stays). A family of keys, one for each film or table, is a key whose name is a beginning:
`STARS.of("260")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

__all__ = ["Key", "forget_what_was_of_other_data", "in_session", "widget"]

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """One thing that a session holds: its name there, and its value before anybody has set it."""

    name: str
    start: T

    def of(self, what: object) -> Key[T]:
        """The key of one member of a family.

        >>> Key("open.", False).of("tour")
        Key(name='open.tour', start=False)
        """
        return Key(f"{self.name}{what}", self.start)

    @property
    def is_set(self) -> bool:
        """The session holds a value of its own."""
        return self.name in st.session_state

    def get(self) -> T:
        """The value."""
        value: T = st.session_state.get(self.name, self.start)
        return value

    def set(self, value: T) -> None:
        """Hold another value."""
        st.session_state[self.name] = value

    def begin(self) -> T:
        """The value, which the session holds from now on: what a widget without a choice of its own begins with."""
        self.set(self.get())
        return self.get()

    def take(self) -> T:
        """The value, which the session then forgets."""
        value: T = st.session_state.pop(self.name, self.start)
        return value


NOT_YET: Any = None  # of keys that are always set before they are read


def widget(name: str) -> Key[Any]:
    """The state of a widget by the widget's own key."""
    return Key(name, None)


OWN = Key[Any]("own.shown", None)  # the data and the model that this session shows, where it has brought its own
SEAT = Key[Any]("own.seat", None)  # the right to bring data: as many as the server takes at one time
LOST_WITH_DATA = (  # beginnings of keys that hold ids, or what was made of the data that were shown before
    *("rec.", "rec_", "behaviour.films", "behaviour_stars_", "behaviour_target", "behaviour_add", "lab_"),
    *("worked_user", "worked.refused", "states.rec", "states.films", "pinned.beside", "chosen.lab_"),
    *("seen.films", "widgets.films", "seen.item", "widgets.item", "seen.user", "widgets.user"),
    *("live.", "live_", "seen.who", "widgets.who", "chosen.live_"),
    *("number.rec", "seen.beside", "widgets.beside", "front."),
)


def in_session() -> bool:
    """This code runs for a visitor, and not for the server itself."""
    return get_script_run_ctx(suppress_warning=True) is not None


def forget_what_was_of_other_data() -> None:
    """Forget ids and choices that belong to the data that were shown until now; what was typed elsewhere stays."""
    for name in [str(name) for name in st.session_state]:
        if name.startswith(LOST_WITH_DATA):
            del st.session_state[name]


# --- your data --------------------------------------------------------------------------------------------------------

GO_TO = Key[str | None]("go_to", None)  # the path of a page to be turned to in the next run
BROUGHT = Key[Any]("data.brought", None)  # the tables that this session has brought
OPTIONS = Key[dict[str, Any]]("data.options", {})  # what was said of how to read them
OUTCOME = Key[Any]("data.outcome", None)  # what reading came to, with what it was made of
FITTING = Key[Any]("data.fitting", None)  # the newest fit
DATA_REFUSED = Key[Any]("data.refused", None)  # the refusal of what was tried last
ROLE_OF = Key[str]("data_role_", "")  # by column: the widget
SCENARIO = Key[str]("data_scenario", "items")  # the widget


# --- every page -------------------------------------------------------------------------------------------------------

LANGUAGE = Key[str | None]("lang", None)  # the sidebar's widget
LANGUAGE_ASKED = Key[str | None]("lang_asked", None)  # what the address said in the last run
BAD_LANGUAGE = Key[str | None]("bad_language", None)
PAGE = Key[str | None]("page", None)
PAGE_BEFORE = Key[str | None]("page_before", None)
SEEN = Key[str | None]("seen.", None)  # by parameter of the address: the link in the last run
WIDGETS = Key[dict[str, Any] | None]("widgets.", None)  # by parameter: the state of its widgets in the last run
CHOSEN = Key[str | None]("chosen.", None)  # by widget: the choice, kept while the widget is not drawn
NUMBER = Key[Any]("number.", None)  # by field: the last number that stood in it
OPEN = Key[bool]("open.", False)  # by part of a page: the widget
OPEN_START = Key[bool | None]("open_start.", None)  # by part: whether it is open at first
OPEN_MOVED = Key[frozenset[str]]("open_moved.", frozenset())  # by page: parts that are not as they are at first
STATES = Key[tuple[Any, ...]]("states.", ())  # by what is edited: its states, the present one last
PINNED = Key[Any]("pinned.", None)  # by parameter of the address

# --- the first page ---------------------------------------------------------------------------------------------------

DOORS = Key[dict[str, Any]]("doors", {})  # by path: the other pages, as Streamlit knows them
EXPLAINED = Key[str | None]("front.item", None)  # the item that is explained; None: the first of the list
LEFT_OUT = Key[str | None]("front.without", None)  # the film that is left out to prove what was announced

# --- recommendations --------------------------------------------------------------------------------------------------

VIEW = Key[Any]("rec.view", NOT_YET)  # what the page shows
PUBLISHED = Key[Any]("rec.published", None)  # the view in the address, with the address and the language of then
READ = Key[dict[str, str] | None]("rec.read", None)  # the address that the view was last taken from
COMPLAINTS = Key[tuple[Any, ...]]("rec.complaints", ())  # what of the address was not followed
WHO, USER = Key[str]("rec_who", "user"), Key[str | None]("rec_user", None)
MODEL, HOW_MANY = Key[str]("rec_model", NOT_YET), Key[int]("rec_k", NOT_YET)
DEPTH, TAB, VERSUS = widget("rec_depth"), widget("rec_tabs"), widget("rec_versus")
PART_BLOCK, PART_EVENT = widget("rec_part_block"), widget("rec_part_event")
EXACT = Key[bool]("rec_exact", False)
KEEP = Key[bool]("rec_keep_", True)  # by position: the tick box of an event
SPEAKS = Key[bool]("rec_head_", True)  # by head: the switch that mutes it
SAY = widget("rec_say_")  # by item

# --- live -------------------------------------------------------------------------------------------------------------

LIVE_PLAYING = Key[bool]("live.playing", False)
LIVE_ROUND = Key[int]("live.round", 0)  # of the stage: another one is another store
LIVE_OF = Key[Any]("live.of", None)  # where the events of the stage come from
LIVE_SPEED = Key[float]("live_speed", 1.0)
LIVE_OPINION = Key[str]("live_opinion", "good")
LIVE_ITEM, LIVE_KIND = Key[str | None]("live_item", None), Key[str]("live_kind", "not_interested")
LIVE_ABOUT = Key[str | None]("live_about", None)
LIVE_SEEN = Key[Any]("live.seen", None)  # which guess is asked for, and the first guess, once the ledger was seen
LIVE_TRUTH = Key[str | None]("live.truth", None)
LIVE_GUESS, LIVE_ANSWER = Key[str | None]("live_guess_", None), Key[int | None]("live_answer_", None)

# --- the worked example, your behaviour -------------------------------------------------------------------------------

BASE, NOW = Key[Any]("base.", NOT_YET), Key[Any]("now.", NOT_YET)  # by page: the sheet at first, the one typed now
VERSION = Key[int]("version.", 0)  # by page: of its editors
LIT = Key[Any]("worked.lit", None)  # what is pointed at
FOLLOW = widget("worked_follow")
HAS_POINTED = Key[bool]("worked.pointed", False)
TOUR_DONE, STEPS_SEEN = Key[frozenset[str]]("tour.done", frozenset()), Key[frozenset[str]]("tour.seen", frozenset())
SWAPPED = Key[bool]("swapped.", False)  # by page: a change was just applied
PERSON, PERSON_REFUSED = widget("worked_user"), Key[Any]("worked.refused", None)
FILMS = Key[tuple[tuple[str, int], ...]]("behaviour.films", ())  # picked films with their stars, oldest first
STARS = Key[int | None]("behaviour_stars_", None)  # by film: the widget, which counts from 0
FEATURES = Key[str]("behaviour_features", "")
PASTE_TEXT, PASTE_TO = Key[str]("behaviour_paste_text", ""), Key[str]("behaviour_paste_to", "events")
PASTE_REFUSED = Key[Any]("behaviour.paste_refused", None)
