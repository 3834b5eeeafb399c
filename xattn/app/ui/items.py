"""The small facts that a page writes beside an item's title."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xattn.data import Interactions
from xattn.i18n import t
from xattn.i18n.titles import natural
from xattn.viz.names import genre_name

__all__ = ["about", "original"]


def about(data: Interactions, row: int, lang: str = "en") -> list[str]:
    """Small facts of an item: its title in the data where the page calls it otherwise, the year, the genres."""
    facts = data.items.frame.iloc[row]
    said = [natural(title)] if (title := original(data, row)) else []
    if pd.api.types.is_number(facts.get("year")) and np.isfinite(facts["year"]):
        said.append(f"{facts['year']:.0f}")
    if isinstance(facts.get("genres"), str):
        said.append(t("words.and", lang).join(genre_name(genre, lang) for genre in facts["genres"][:80].split("|")))
    return said


def original(data: Interactions, row: int) -> str:
    """The title that the data gave, where the page calls the item by another; else ""."""
    title = data.items.original[row]
    return "" if title == data.items.titles[row] else title
