"""A setting that is kept to be compared with the present one; the address carries it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from xattn.app.ui import address
from xattn.errors import InputError
from xattn.i18n import t

__all__ = ["control"]

State = TypeVar("State")


def control(
    param: str,
    present: State,
    write: Callable[[State], str],
    read: Callable[[str], State],
    restore: Callable[[Any], None],
    language: str,
) -> State | None:
    """Buttons that keep the present state, swap the two, or drop what is kept; what is kept, or None.

    `param` names it in the address; `read` raises InputError for a text that `write` would not have written.
    """
    name = f"kept.{param}"
    link = address.arrived(param)
    if link is not None:
        st.session_state[name] = _read(link, read)
    kept: State | None = st.session_state.get(name)
    address.show(param, None if kept is None else write(kept), [])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("pinned.keep", language),
            key=f"{name}.keep",
            icon=":material/push_pin:",
            help=t("pinned.help", language),
            on_click=_keep,
            args=(name, present),
        )
        if kept is not None:
            st.button(
                t("pinned.swap", language),
                key=f"{name}.swap",
                icon=":material/swap_horiz:",
                on_click=_swap,
                args=(name, kept, present, restore),
            )
            st.button(
                t("pinned.drop", language),
                key=f"{name}.drop",
                icon=":material/close:",
                on_click=_keep,
                args=(name, None),
            )
    return kept


def _read(link: str, read: Callable[[str], State]) -> State | None:
    try:
        return read(link) if link else None
    except InputError:
        return None


def _keep(name: str, state: Any) -> None:
    st.session_state[name] = state


def _swap(name: str, kept: Any, present: Any, restore: Callable[[Any], None]) -> None:
    st.session_state[name] = present
    restore(kept)
