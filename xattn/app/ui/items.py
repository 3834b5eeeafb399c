"""What a page calls an item: a label that no other item has, and the small facts beside its title."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.ui.caches import kept
from xattn.data import Interactions
from xattn.i18n import t
from xattn.viz.names import genre_name

__all__ = ["about", "labels"]


@kept(st.cache_resource, max_entries=4)
def labels(_data: Interactions, checksum: str) -> dict[str, str]:
    """Item id → a short label that no other item has, the items with most events first: for pickers."""
    table = _data.items
    order = np.argsort(-_data.counts(), kind="stable")
    named = {table.ids[row]: " · ".join([table.titles[row][:80], *about(_data, int(row))[:1]]) for row in order}
    times = pd.Series(list(named.values())).value_counts()
    return {item: label if times[label] == 1 else f"{label} · {item}" for item, label in named.items()}


def about(data: Interactions, row: int, lang: str = "en") -> list[str]:
    """Small facts of an item, where its table has them: the year, the genres."""
    facts = data.items.frame.iloc[row]
    said = []
    if pd.api.types.is_number(facts.get("year")) and np.isfinite(facts["year"]):
        said.append(f"{facts['year']:.0f}")
    if isinstance(facts.get("genres"), str):
        said.append(t("words.and", lang).join(genre_name(genre, lang) for genre in facts["genres"][:80].split("|")))
    return said
