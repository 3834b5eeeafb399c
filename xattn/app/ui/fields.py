"""A field for one number, which is never taken to hold less than what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

__all__ = ["number_field"]


def number_field(label: str, *, key: str, then: Callable[[], None] | None = None, **options: Any) -> Any:
    """A number input over `st.session_state[key]`, which must be set; `then` is called after a change.

    A browser that is busy tells of a field before it has heard what stands there. What it says then is what the field
    was told to begin with: the least number, unless that is nothing. So it is nothing, and a field that holds nothing
    gets its last number back.
    """
    kept = f"{key}.kept"

    def changed() -> None:
        if st.session_state[key] is None:
            st.session_state[key] = st.session_state[kept]
        elif then is not None:
            then()

    st.session_state[kept] = st.session_state[key]
    return st.number_input(label, value=None, key=key, on_change=changed, **options)
