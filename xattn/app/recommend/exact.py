"""The switch between human units and the numbers of the model, on pages other than the recommendations: it is one."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from xattn.app.recommend.view import EXACT as PARAM
from xattn.app.ui import address
from xattn.app.ui.session import EXACT, VIEW
from xattn.app.words import t

__all__ = ["switch"]


def switch(language: str) -> bool:
    """Draw the switch; whether exact numbers are wanted. It stands in the address, and holds on every page."""
    link = address.arrived(PARAM)
    if link is not None:
        EXACT.set(link == "1")
    elif address.is_new_here(PARAM):
        EXACT.set(VIEW.is_set and VIEW.get().exact)
    label, says = t("recommendations.exact", language), t("recommendations.exact_help", language)
    exact = st.toggle(label, key=EXACT.name, help=says, on_change=_keep)
    address.show(PARAM, "1" if exact else None, [EXACT.name])
    return exact


def _keep() -> None:
    """The recommendations show what was chosen here."""
    if VIEW.is_set:
        VIEW.set(replace(VIEW.get(), exact=EXACT.get()))
