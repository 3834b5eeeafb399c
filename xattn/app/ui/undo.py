"""What was edited: the states that a page went through, to undo the last edit or to go back before any of them.

A state is a value that can be compared and does not change (a Sheet, a tuple of picks). The page says what its state
is now; where that is another one than before, something was edited. How an edit is told is worked out when it is read,
so that the list follows the language.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from xattn.i18n import t

__all__ = ["bar", "forget", "note", "states"]

MOST = 60  # states that are kept
SHOWN = 12  # edits that are listed


def note(name: str, state: Any) -> None:
    """Note the present state of `name`."""
    kept = st.session_state.setdefault(f"{name}.past", [])
    if not kept or kept[-1] != state:
        st.session_state[f"{name}.past"] = [*kept, state][-MOST:]


def states(name: str) -> list[Any]:
    """The states of `name`, the present one last."""
    return list(st.session_state.get(f"{name}.past", []))


def forget(name: str) -> None:
    """Begin anew: nothing that was can be undone."""
    st.session_state.pop(f"{name}.past", None)


def bar(name: str, restore: Callable[[Any], None], told: Callable[[Any, Any, str], str], language: str) -> None:
    """Two controls: undo, and the list of edits, the newest first.

    `restore(state)` makes a former state the present one; `told(before, after, language)` is an edit in words, safe to
    stand in Markdown.
    """
    kept = states(name)
    with st.container(horizontal=True, vertical_alignment="center"):
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
                    st.markdown(f"{at}. {told(kept[at - 1], kept[at], language)}", width="stretch")
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
        st.session_state[f"{name}.past"] = kept[: at + 1]
        restore(kept[at])
