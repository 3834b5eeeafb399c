"""How two lists differ: who came, who left, who moved, and which event is behind it.

The two lists are served by the model; the reason of a move is the event whose contribution to that item changed most,
from the cells of the two ledgers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from xattn.app import state
from xattn.app.recommend.answers import list_for
from xattn.app.recommend.view import View
from xattn.app.ui.caches import kept
from xattn.explain import contributions
from xattn.recommenders import Recommender
from xattn.requests import RecommendRequest

__all__ = ["list_diff"]


def list_diff(fitted: Recommender, before: View, now: View) -> pd.DataFrame:
    """One row an item of either list, in the order of the new one, then those that left: item, title, rank_before,
    rank_after (0: not in that list), score_before, score_after, because (title of the event, "" where no contribution
    changed), change (of that event's contribution)."""
    data = fitted.data_
    return _list_diff(fitted, now.model, state.identity(data), before.request(data), now.request(data))


@kept(st.cache_data, max_entries=128)
def _list_diff(
    _fitted: Recommender, kind: str, identity: str, before: RecommendRequest, now: RecommendRequest
) -> pd.DataFrame:
    old, new = (list_for(_fitted, kind, identity, request) for request in (before, now))
    ranks = [dict(zip(frame["item"], frame["rank"], strict=True)) for frame in (old, new)]
    items = [*new["item"], *(item for item in old["item"] if item not in ranks[1])]
    sides = [_Side(_fitted, request) for request in (before, now)]
    rows = []
    titles = _fitted.data_.items.titles
    for item in items:
        target = _fitted.data_.item_row(item)
        change = sides[1].by_item(target) - sides[0].by_item(target)
        most = int(np.argmax(np.abs(change)))
        rows.append(
            {
                "item": item,
                "title": titles[target],
                "rank_before": int(ranks[0].get(item, 0)),
                "rank_after": int(ranks[1].get(item, 0)),
                "score_before": float(sides[0].scores[target]),
                "score_after": float(sides[1].scores[target]),
                "because": titles[most] if change[most] else "",
                "change": float(change[most]),
            }
        )
    return pd.DataFrame(rows)


class _Side:
    """One of the two lists: its scores, and what its events contribute to any target."""

    def __init__(self, fitted: Recommender, request: RecommendRequest) -> None:
        self.model = fitted.without_heads(request.muted)
        self.events = request.events(self.model)
        self.scores = self.model.scores_of(self.events)

    def by_item(self, target: int) -> np.ndarray:
        """(M,) the contribution of each item's events; one item may stand several times in a history."""
        amounts = contributions(self.model.cells_of(self.events, target), len(self.events))
        return np.bincount(self.events.item, amounts, minlength=self.model.data_.n_items)
