"""A field for one number, which is never taken to hold less than what stands in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from xattn.app.ui.session import NUMBER, widget

__all__ = ["number_field"]


def number_field(label: str, *, key: str, then: Callable[[], None] | None = None, **options: Any) -> Any:
    """A number input over the state of the widget `key`, which must be set; `then` is called after a change.

    A browser that is busy tells of a field before it has heard what stands there. What it says then is what the field
    was told to begin with: the least number, unless that is nothing. So it is nothing, and a field that holds nothing
    gets its last number back.
    """
    number, last = widget(key), NUMBER.of(key)

    def changed() -> None:
        if number.get() is None:
            number.set(last.get())
        elif then is not None:
            then()

    last.set(number.get())
    return st.number_input(label, value=None, key=key, on_change=changed, **options)
