"""The address of a page and the state of a session, kept in step both ways: a link opens a state, a state has a link.

Three things can make the address differ from what the session last showed:

    a link was opened, or Back was pressed    → the address wins
    a widget was touched; the address is late → the session wins
    the visitor came back from another page   → the session wins, unless the address brings a link
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Literal

import streamlit as st

from xattn.app.ui.language import lang
from xattn.app.ui.session import (
    CHOSEN,
    OPEN,
    OPEN_MOVED,
    OPEN_START,
    PAGE,
    PAGE_BEFORE,
    SEEN,
    WIDGETS,
    widget,
)
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.i18n.joined import listed

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer

__all__ = ["PARTS", "arrived", "choose", "is_new_here", "part", "select", "show", "stay", "turn_to", "turned_to"]

PARTS = "open"  # of the address: the parts of a page that are open, or closed (-name), other than at first
MOST_PARTS = 40
NAMED = 8  # options that a complaint names


def turn_to(page: str) -> bool:
    """Note which page this run draws; whether the visitor comes from another one."""
    PAGE_BEFORE.set(PAGE.get())
    PAGE.set(page)
    return turned_to()


def turned_to() -> bool:
    """The visitor has just come from another page of this session."""
    return PAGE_BEFORE.get() not in (None, PAGE.get())


def is_new_here(param: str) -> bool:
    """The page was not on screen in the last run of this session: Streamlit has dropped the state of its widgets."""
    touched = WIDGETS.of(param).get()
    return touched is None or not all(widget(key).is_set for key in touched)


def arrived(param: str) -> str | None:
    """The link in `param` of the address, if it is news to this session; "" when the address has lost its link.

    Who asks takes it over before drawing anything: a run may be cut short by the next one (Back, then Forward at once),
    and what is noted here says that the session stands where this link led.
    """
    link: str | None = st.query_params.get(param)
    if link == SEEN.of(param).get():
        return None
    if not is_new_here(param):
        before = WIDGETS.of(param).get() or {}
        if any(widget(key).get() != value for key, value in before.items()):
            return None
        link = link or ""
    if link is not None:
        SEEN.of(param).set(link or None)
        WIDGETS.of(param).set({})
    return link


def show(param: str, link: str | None, widgets: Iterable[str]) -> None:
    """Put `link` into the address (None: take it out), and remember the state of the `widgets` that it describes."""
    if link != st.query_params.get(param):
        if link is None:
            del st.query_params[param]
        else:
            st.query_params[param] = link
    SEEN.of(param).set(link)
    stay(param, widgets)


def stay(param: str, widgets: Iterable[str]) -> None:
    """Leave the address as it is; remember the state of the `widgets` alone."""
    WIDGETS.of(param).set({key: deepcopy(widget(key).get()) for key in widgets if widget(key).is_set})


def choose(
    param: str,
    options: Sequence[str],
    *,
    key: str,
    label: str,
    words: Callable[[str], str],
    start: str | None = None,
) -> str:
    """One of `options` from a row of buttons, kept in `param` of the address and until the visitor comes back.

    A bare address means the first option; `start` takes its place when the page is met for the first time.
    """
    first = options[0]
    link = arrived(param)
    if link is not None:
        widget(key).set(link if link in options else first)
        _complain(param, link, options)
    elif is_new_here(param):
        widget(key).set(CHOSEN.of(key).get() or start or first)
    if widget(key).get() not in options:  # another row of buttons shared the parameter until now
        widget(key).set(first)
    touched: str | None = st.segmented_control(
        label, list(options), required=True, format_func=words, key=key, wrap=True
    )
    chosen = touched if touched is not None and touched in options else first
    CHOSEN.of(key).set(chosen)
    show(param, None if chosen == first else chosen, [key])
    return chosen


def _complain(param: str, link: str, options: Sequence[str]) -> None:
    """Say that the address names none of `options`, and which there are (the first of them)."""
    if link and link not in options:
        language = lang()
        names = listed([*options[:NAMED], *(["…"] if len(options) > NAMED else [])], language)
        facts = {"must": t("link.must_choice", language, names=safe(names, 200)), "got": safe(link, 80)}
        st.warning(t("link.bad", language, name=param, **facts), icon=":material/link_off:")


def select(
    param: str,
    options: Sequence[str],
    *,
    key: str,
    label: str,
    words: Callable[[str], str],
    start: str | None = None,
    width: int | Literal["stretch"] = "stretch",
) -> str:
    """One of `options` from a list, kept in `param` of the address; `start` (left out: the first) needs no address."""
    first = start or options[0]
    link = arrived(param)
    if link is not None:
        widget(key).set(link if link in options else first)
        _complain(param, link, options)
    elif widget(key).get() not in options:
        widget(key).set(first)
    chosen: str = st.selectbox(label, list(options), format_func=words, key=key, width=width)
    show(param, None if chosen == first else chosen, [key])
    return chosen


def part(name: str, label: str, *, icon: str, start: bool = False) -> ExpanderContainer:
    """A part of the page that can be opened and closed, called `name` in the address; `start` says which it is at
    first. All parts of a page share one parameter, `open`."""
    own, own_start, moved_here = OPEN.of(name), OPEN_START.of(name), OPEN_MOVED.of(PAGE.get())
    others = WIDGETS.of(PARTS).get() or {}
    moved = moved_here.get()
    link = arrived(PARTS)
    if link is not None:  # it speaks of all parts, and comes before any of them is drawn
        moved = frozenset(word for word in link.split(",")[:MOST_PARTS] if re.fullmatch("-?[a-z0-9_]{1,40}", word))
        moved_here.set(moved)
        for other in [own.name, *others]:
            widget(other).take()
    word = f"-{name}" if start else name
    if not own.is_set or own_start.get() is not start:
        own.set(start != (word in moved))
    own_start.set(start)
    box = st.expander(label, icon=icon, key=own.name, on_change="rerun")
    moved -= {name, f"-{name}"}
    if own.get() != start:
        moved |= {word}
    moved_here.set(moved)
    show(PARTS, ",".join(sorted(moved)) or None, {own.name, *others})
    return box
