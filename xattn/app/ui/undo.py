"""Undo: the states that something went through, to take back the last edit or all that came after an earlier one.

A state is a value that can be compared and does not change (a Sheet, a View, a tuple of picks). The page says what the
state is now; a state that differs from the one before it is an edit. An edit is put into words when the list is drawn,
so the list follows the language.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import streamlit as st

from xattn.app.ui.session import STATES
from xattn.i18n import t

__all__ = ["bar", "forget", "note", "states"]

MOST = 60  # states that are kept
SHOWN = 12  # edits that are listed


def note(name: str, state: Any, of: Callable[[Any], Hashable] = lambda state: state) -> None:
    """Note the present state of `name`; `of(state)` is what of it can be edited."""
    kept = states(name)
    if not kept or of(kept[-1]) != of(state):
        STATES.of(name).set((*kept, state)[-MOST:])


def states(name: str) -> tuple[Any, ...]:
    """The states of `name`, the present one last."""
    return STATES.of(name).get()


def forget(name: str) -> None:
    """Begin anew: nothing that was can be undone."""
    STATES.of(name).take()


def bar(name: str, restore: Callable[[Any], None], sentence: Callable[[Any, Any, str], str], language: str) -> None:
    """Two controls: undo, and the list of edits, the newest first.

    `restore(state)` makes a former state the present one; `sentence(before, after, language)` is an edit in words, safe
    to stand in Markdown.
    """
    kept = states(name)
    with st.container(horizontal=True, wrap=False, width="content", vertical_alignment="center", gap="xsmall"):
        st.button(
            t("undo.undo", language),
            key=f"{name}.undo",
            icon=":material/undo:",
            disabled=len(kept) < 2,
            on_click=_back_to,
            args=(name, len(kept) - 2, restore),
        )
        with st.popover(
            t("undo.edits", language, n=max(0, len(kept) - 1)), icon=":material/history:", disabled=len(kept) < 2
        ):
            st.caption(t("undo.help", language))
            for at in range(len(kept) - 1, max(0, len(kept) - 1 - SHOWN), -1):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.markdown(f"{at}. {sentence(kept[at - 1], kept[at], language)}", width="stretch")
                    st.button(
                        t("undo.before", language),
                        key=f"{name}.before.{at}",
                        type="tertiary",
                        icon=":material/history:",
                        on_click=_back_to,
                        args=(name, at - 1, restore),
                    )


def _back_to(name: str, at: int, restore: Callable[[Any], None]) -> None:
    kept = states(name)
    if 0 <= at < len(kept) - 1:
        STATES.of(name).set(kept[: at + 1])
        restore(kept[at])
