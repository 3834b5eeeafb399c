"""A setting that is kept to be compared with the present one; the address carries it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from xattn.app.ui import address
from xattn.app.ui.session import PINNED, Key
from xattn.app.words import t
from xattn.errors import InputError

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
    pin = PINNED.of(param)
    link = address.arrived(param)
    if link is not None:
        pin.set(_read(link, read))
    kept: State | None = pin.get()
    address.show(param, None if kept is None else write(kept), [])
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            t("pinned.keep", language),
            key=f"{pin.name}.keep",
            icon=":material/push_pin:",
            help=t("pinned.help", language),
            on_click=pin.set,
            args=(present,),
        )
        if kept is not None:
            st.button(
                t("pinned.swap", language),
                key=f"{pin.name}.swap",
                icon=":material/swap_horiz:",
                on_click=_swap,
                args=(pin, kept, present, restore),
            )
            st.button(
                t("pinned.drop", language),
                key=f"{pin.name}.drop",
                icon=":material/close:",
                on_click=pin.set,
                args=(None,),
            )
    return kept


def _read(link: str, read: Callable[[str], State]) -> State | None:
    try:
        return read(link) if link else None
    except InputError:
        return None


def _swap(pin: Key[Any], kept: Any, present: Any, restore: Callable[[Any], None]) -> None:
    pin.set(present)
    restore(kept)
