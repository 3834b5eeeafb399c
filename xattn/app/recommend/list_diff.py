"""What an edit did to the list: who came, who left, who moved, and which event is behind it.

The two lists are served by the model; the reason of a move is the event whose contribution to that item changed most,
from the cells of the two ledgers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app.recommend.answers import Asked, history_of, listed
from xattn.explain import contributions
from xattn.recommenders import Recommender

__all__ = ["moved"]


@st.cache_data(show_spinner=False, max_entries=128)
def moved(_fitted: Recommender, before: Asked, now: Asked) -> pd.DataFrame:
    """One row an item of either list, in the order of the new one, then those that left: item, title, rank_before,
    rank_after (0: not in that list), score_before, score_after, because (title of the event, "" where no contribution
    changed), change (of that event's contribution)."""
    old, new = listed(_fitted, before), listed(_fitted, now)
    ranks = [dict(zip(frame["item"], frame["rank"], strict=True)) for frame in (old, new)]
    items = [*new["item"], *(item for item in old["item"] if item not in ranks[1])]
    said = [_Said(_fitted, asked) for asked in (before, now)]
    rows = []
    titles = _fitted.data_.items.titles
    for item in items:
        target = _fitted.data_.item_row(item)
        change = said[1].by_event(target) - said[0].by_event(target)
        most = int(np.argmax(np.abs(change)))
        rows.append(
            {
                "item": item,
                "title": titles[target],
                "rank_before": int(ranks[0].get(item, 0)),
                "rank_after": int(ranks[1].get(item, 0)),
                "score_before": float(said[0].scores[target]),
                "score_after": float(said[1].scores[target]),
                "because": titles[most] if change[most] else "",
                "change": float(change[most]),
            }
        )
    return pd.DataFrame(rows)


class _Said:
    """What a question's events say about any target."""

    def __init__(self, fitted: Recommender, asked: Asked) -> None:
        self.model, self.events = asked.of(fitted), history_of(fitted, asked)
        self.scores = self.model.scores_of(self.events)

    def by_event(self, target: int) -> np.ndarray:
        """(M,) the contribution of each item's events; one item may stand several times in a history."""
        amounts = contributions(self.model.cells_of(self.events, target), len(self.events))
        return np.bincount(self.events.item, amounts, minlength=self.model.data_.n_items)
