"""Answers of somebody else's function, asked for before what needs them is drawn, while a bar says how far that is.

A function may take its time: some milliseconds a history, once for each event that is left out. What it has answered is
kept by the model, so all that the page says of this history afterwards is quick. The list is drawn before the removals
are asked for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import streamlit as st

from xattn.app.recommend.view import View
from xattn.app.words import t
from xattn.data import History
from xattn.progress import told_to
from xattn.recommenders import Recommender

__all__ = ["ask_ahead", "ask_removals"]

SOON = 0.5  # seconds in which no bar is shown
ASKED = ("arrival", "average")  # amounts of ledgers that are asked for history by history


def ask_ahead(fitted: Recommender, view: View, language: str) -> None:
    """Have the model asked for what the list needs; nothing where its ledger is its own terms."""
    _ask(fitted, view, language, lambda events: fitted.cells_of(events, 0))


def ask_removals(fitted: Recommender, view: View, language: str) -> None:
    """Have it asked for what removals do, which explanations need."""
    first = np.zeros(1, np.int64)
    _ask(fitted, view, language, lambda events: fitted.scores_without_each(events, first))


def _ask(fitted: Recommender, view: View, language: str, ask: Callable[[History], object]) -> None:
    if fitted.amounts not in ASKED:
        return
    place, start = st.empty(), time.monotonic()

    def tell(what: str, share: float) -> None:
        if time.monotonic() - start > SOON:
            place.progress(min(share, 1.0), text=t("recommendations.asking", language))

    with told_to(tell):
        ask(view.request(fitted.data_).events(fitted))
    place.empty()
