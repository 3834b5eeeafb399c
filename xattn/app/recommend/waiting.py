"""Answers of somebody else's function, asked for before a list is drawn, while a bar says how far that is.

A function may take its time: some milliseconds a history, once for each event that is left out. What it has answered is
kept by the model, so all that the page says of this history afterwards is quick.
"""

from __future__ import annotations

import time

import numpy as np
import streamlit as st

from xattn.app.recommend.view import View
from xattn.app.words import t
from xattn.progress import part_of, told_to
from xattn.recommenders import Recommender

__all__ = ["ask_ahead"]

SOON = 0.5  # seconds in which no bar is shown
ASKED = ("arrival", "average")  # amounts of ledgers that are asked for history by history


def ask_ahead(fitted: Recommender, view: View, language: str) -> None:
    """Have the model asked for what the list and its explanations need; nothing where its ledger is its own terms."""
    if fitted.amounts not in ASKED:
        return
    events = view.request(fitted.data_).events(fitted)
    place, start, first = st.empty(), time.monotonic(), np.zeros(1, np.int64)

    def tell(what: str, share: float) -> None:
        if time.monotonic() - start > SOON:
            place.progress(min(share, 1.0), text=t("recommendations.asking", language))

    with told_to(part_of(tell, 0.0, 0.5)):
        fitted.cells_of(events, 0)
    with told_to(part_of(tell, 0.5, 1.0)):
        fitted.scores_without_each(events, first)
    place.empty()
