"""The wall: two dozen items that many people know, each a button that picks it, with titles in both languages."""

from __future__ import annotations

import numpy as np
import streamlit as st

from xattn.app.ui import picker
from xattn.app.ui.session import FILMS
from xattn.app.ui.text import safe
from xattn.data import Interactions
from xattn.i18n.titles import brief

__all__ = ["draw", "on_the_wall"]

SIZE = 24  # rows of two, three, four, six and eight tiles are full
KNOWN = (  # of the bundled films: of many kinds and years, some that people love and some that they do not
    *("2571", "356", "296", "318", "260", "1", "480", "1721", "858", "4993", "364", "593"),
    *("2959", "4306", "79132", "58559", "1270", "4973", "6377", "5618", "3996", "527", "597", "2028"),
)
LEAST_WIDTH = 104  # pixels of a tile
OTHER = {"en": "zh", "zh": "en"}


def draw(data: Interactions, language: str) -> None:
    """The tiles."""
    chosen = dict(FILMS.get())
    with st.grid(min_column_width=LEAST_WIDTH, gap="xsmall", key="front_wall"):
        for item in on_the_wall(data):
            st.button(
                _label(data, data.item_row(item), language),
                key=f"front_tile_{item}",
                type="primary" if item in chosen else "secondary",
                width="stretch",
                on_click=picker.toggle,
                args=(item,),
                wrap=True,
            )


def on_the_wall(data: Interactions) -> list[str]:
    """Ids of the items on the wall: those of `KNOWN` that the data have, then those with most events."""
    known = [item for item, row in zip(KNOWN, data.items.rows(KNOWN).tolist(), strict=True) if row >= 0]
    most = [data.items.ids[row] for row in np.argsort(-data.counts(), kind="stable")[:SIZE].tolist()]
    return list(dict.fromkeys([*known, *most]))[: max(SIZE, len(known))]


def _label(data: Interactions, row: int, language: str) -> str:
    """The title; below it, small, the title in the other language, or else the year."""
    table = data.items
    year = table.frame["year"].iloc[row] if "year" in table.frame else np.nan
    other = table.original[row] if language != "en" else table.names.get(OTHER[language], ("",) * len(table))[row]
    facts = [brief(other)] if other and other != table.titles[row] else []
    if not facts and isinstance(year, (int, float)) and np.isfinite(year):
        facts.append(f"{year:.0f}")
    small = f"  \n:small[{safe(' · '.join(facts), 60)}]" if facts else ""
    return f"**{safe(brief(table.titles[row]), 60)}**{small}"
