"""A ledger as tidy frames: its cells, its events, its groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from xattn.data import History, ItemTable
from xattn.explain.removal import Removals
from xattn.explain.rows import EventRows, Group, block_sums, cell_places, feature_sums, head_sums
from xattn.model.heads.field import HeadCells

__all__ = ["GROUPINGS", "cells_frame", "events_frame", "groups_frame"]

GROUPINGS = ("event", "head", "feature", "block")
CELL_COLUMNS = [
    "head", "event", "title", "position", "feature", "weight", "strength", "value", "gate", "contribution",
]  # fmt: skip


def cells_frame(heads: Sequence[HeadCells], history: History, table: ItemTable) -> pd.DataFrame:
    """The cells of all heads over the live events; features of value 0 are left out, one row an event stays."""
    parts = []
    for head in heads:
        position, feature = cell_places(head, history.live)
        nothing = np.zeros((len(head.value), 1))
        value, contribution = np.hstack([head.value, nothing]), np.hstack([head.contribution, nothing])
        items = history.item[position].tolist()
        parts.append(
            pd.DataFrame(
                {
                    "head": head.name,
                    "event": [table.ids[j] for j in items],
                    "title": [table.titles[j] for j in items],
                    "position": position,
                    "feature": np.array([*head.features, ""], dtype=object)[feature],
                    "weight": head.weight[position],
                    "strength": head.strength[position],
                    "value": value[position, feature],
                    "gate": head.gate,
                    "contribution": contribution[position, feature],
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=CELL_COLUMNS)
    return frame[CELL_COLUMNS].astype(dict.fromkeys(CELL_COLUMNS[5:], float))


def events_frame(rows: EventRows, without: Removals, score: float, history: History, table: ItemTable) -> pd.DataFrame:
    """One row an event, in the order of `rows`; the columns are those of `Ledger.events`."""
    at = rows.position
    items = history.item[at].tolist()
    return pd.DataFrame(
        {
            "event": [table.ids[j] for j in items],
            "title": [table.titles[j] for j in items],
            "position": at,
            "rating": np.full(len(at), np.nan) if history.rating is None else history.rating[at],
            "weight": rows.weight,
            "contribution": rows.contribution,
            "effect": without.score[at] - score,
            "score_without": without.score[at],
            "rank_without": without.rank[at],
        }
    )


def groups_frame(what: str, heads: Sequence[HeadCells], live: np.ndarray) -> pd.DataFrame:
    """The cells summed by "head", "feature" or "block", the largest contribution first."""
    columns: dict[str, Any]
    if what == "head":
        groups = _sorted(head_sums(heads, live))
        columns = {"head": [g.name for g in groups], "effective": [g.effective for g in groups]}
    elif what == "feature":
        groups = _sorted(feature_sums(heads, live))
        columns = {"block": [g.block for g in groups], "feature": [g.name for g in groups]}
    else:
        groups = _sorted(block_sums(feature_sums(heads, live)))
        columns = {"block": [g.name for g in groups]}
    return pd.DataFrame({**columns, "contribution": np.array([g.contribution for g in groups], dtype=float)})


def _sorted(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: -group.contribution)
