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
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

if TYPE_CHECKING:
    from streamlit.elements.lib.mutable_expander_container import ExpanderContainer
    from streamlit.elements.lib.mutable_tab_container import TabContainer

__all__ = ["arrived", "choose", "is_new_here", "part", "select", "show", "stay", "tabs", "turn_to", "turned_to"]

PARTS = "open"  # of the address: the parts of a page that are open, or closed (-name), other than at first
MOST_PARTS = 40


def turn_to(page: str) -> bool:
    """Note which page is drawn in this run; whether the visitor comes from another one."""
    session = st.session_state
    session["page_before"], session["page"] = session.get("page"), page
    return turned_to()


def turned_to() -> bool:
    """The visitor has just come from another page of this session."""
    return st.session_state.get("page_before") not in (None, st.session_state.get("page"))


def is_new_here(param: str) -> bool:
    """The page was not on screen in the last run of this session: Streamlit has dropped the state of its widgets."""
    touched = _kept(param)
    return touched is None or any(key not in st.session_state for key in touched)


def arrived(param: str) -> str | None:
    """The link in `param` of the address, if it is news to this session; "" when the address has lost its link."""
    link: str | None = st.query_params.get(param)
    seen: str | None = st.session_state.get(f"{param}.seen")
    if link == seen:
        return None
    if is_new_here(param):
        return link
    untouched = all(st.session_state[key] == value for key, value in (_kept(param) or {}).items())
    return (link or "") if untouched else None


def show(param: str, link: str | None, widgets: Iterable[str]) -> None:
    """Put `link` into the address (None: take it out), and remember the state of the `widgets` that it describes."""
    if link != st.query_params.get(param):
        if link is None:
            del st.query_params[param]
        else:
            st.query_params[param] = link
    st.session_state[f"{param}.seen"] = link
    stay(param, widgets)


def stay(param: str, widgets: Iterable[str]) -> None:
    """Leave the address as it is; remember the state of the `widgets` alone."""
    st.session_state[f"{param}.widgets"] = {
        key: deepcopy(st.session_state[key]) for key in widgets if key in st.session_state
    }


def choose(
    param: str,
    options: Sequence[str],
    *,
    key: str,
    label: str,
    words: Callable[[str], str],
    start: str | None = None,
    plain: str | None = None,
) -> str:
    """One of `options` from a row of buttons, kept in `param` of the address and until the visitor comes back.

    `plain` (left out: the first option) is that of a bare address; `start` takes its place when the page is met for
    the first time.
    """
    first, kept = plain or options[0], f"{key}.kept"
    link = arrived(param)
    if link is not None:
        st.session_state[key] = link if link in options else first
    elif is_new_here(param):
        st.session_state[key] = st.session_state.get(kept, start or first)
    touched: str | None = st.segmented_control(
        label, list(options), required=True, format_func=words, key=key, wrap=True
    )
    chosen = touched if touched is not None and touched in options else first
    st.session_state[kept] = chosen
    show(param, None if chosen == first else chosen, [key])
    return chosen


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
        st.session_state[key] = link if link in options else first
    elif st.session_state.get(key) not in options:
        st.session_state[key] = first
    chosen: str = st.selectbox(label, list(options), format_func=words, key=key, width=width)
    show(param, None if chosen == first else chosen, [key])
    return chosen


def tabs(
    param: str, options: Sequence[str], *, key: str, words: Callable[[str], str]
) -> list[tuple[str, TabContainer]]:
    """Tabs, each with its option; the open one is kept in `param` of the address and until the visitor comes back."""
    kept, labels = f"{key}.kept", [words(option) for option in options]
    link = arrived(param)
    if link is not None:
        st.session_state[key] = words(link if link in options else options[0])
    elif st.session_state.get(key) not in labels:  # the page was turned to, or the language has changed
        st.session_state[key] = words(st.session_state.get(kept, options[0]))
    drawn = st.tabs(labels, key=key, on_change="rerun")
    chosen = st.session_state[kept] = options[labels.index(st.session_state[key])]
    show(param, None if chosen == options[0] else chosen, [key])
    return list(zip(options, drawn, strict=True))


def part(name: str, label: str, *, icon: str, start: bool = False) -> ExpanderContainer:
    """A part of the page that can be opened and closed, called `name` in the address; `start` says which it is at
    first. All parts of a page share one parameter, `open`."""
    known, key = f"{PARTS}.known.{st.session_state.get('page', '')}", f"{PARTS}.{name}"
    moved: frozenset[str] = st.session_state.get(known, frozenset())
    link = arrived(PARTS)
    if link is not None:  # it speaks of all parts, and comes before any of them is drawn
        moved = frozenset(word for word in link.split(",")[:MOST_PARTS] if re.fullmatch("-?[a-z0-9_]{1,40}", word))
        for other in [key, *(_kept(PARTS) or {})]:
            st.session_state.pop(other, None)
    word = f"-{name}" if start else name
    if key not in st.session_state or st.session_state.get(f"{key}.start") is not start:
        st.session_state[key] = start != (word in moved)
    st.session_state[f"{key}.start"] = start
    box = st.expander(label, icon=icon, key=key, on_change="rerun")
    moved -= {name, f"-{name}"}
    if st.session_state[key] != start:
        moved |= {word}
    st.session_state[known] = moved
    show(PARTS, ",".join(sorted(moved)) or None, {key, *(_kept(PARTS) or {})})
    return box


def _kept(param: str) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = st.session_state.get(f"{param}.widgets")
    return kept
