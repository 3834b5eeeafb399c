"""What flows in the picture: the cells of several ledgers as one tidy frame, from events to the items of a list.

    row   item  head       feature         contribution
    17    589   recency 3                        0.0149
    17    589   content    genres: Crime         0.0001
    rest  589   recency 3                        0.0040      all events without a row of their own
    base  589                                    0.0002      what the item has whoever asks

The contributions of an item add up to its score: nothing is left out of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xattn.data import History
from xattn.explain import Ledger

__all__ = ["ANNOUNCED", "BASE", "REST", "all_that_speaks", "announced", "flows", "is_odd", "most_telling", "speaks_for"]

REST, BASE = "rest", "base"  # rows that are no event
PUZZLING = 0.02  # share of what speaks for an item; less moves nothing that is read
COLUMNS = ["row", "item", "head", "feature", "contribution"]
ANNOUNCED = ["row", "item", "title", "now", "size", "contribution", "effect", "rank"]


def speaks_for(why: Ledger) -> float:
    """All that speaks for an item: its positive contributions, and its base. Shares in the picture are of this."""
    return all_that_speaks(why.rows.contribution, why.base)


def all_that_speaks(amounts: np.ndarray, base: float) -> float:
    """The same of contributions (G,) and a base.

    >>> all_that_speaks(np.array([0.5, -0.1]), 0.25)
    0.75
    """
    return float(amounts[amounts > 0].sum()) + max(base, 0.0)


def is_odd(contribution: float, effect: float, size: float) -> bool:
    """A contribution and the removal of one event point the same way, and it is no trifle: when an event goes that
    speaks for an item, its score should fall. `size` is all that speaks for the item.

    >>> is_odd(0.5, 0.1, 1.0), is_odd(0.5, -0.1, 1.0), is_odd(0.5, 0.01, 1.0)
    (True, False, False)
    """
    return contribution * effect > 0 and min(abs(contribution), abs(effect)) > PUZZLING * size


def most_telling(ledgers: Sequence[Ledger], most: int) -> tuple[int, ...]:
    """The positions of the events that say most about all the items together, at most `most`. What an event says about
    an item is the size of its contribution as a share of all that speaks for the item."""
    said: dict[int, float] = {}
    for why in ledgers:
        size = speaks_for(why)
        if size > 0:
            for position, amount in zip(why.rows.position.tolist(), why.rows.contribution.tolist(), strict=True):
                said[position] = said.get(position, 0.0) + abs(amount) / size
    return tuple(sorted(said, key=lambda position: (-said[position], position))[:most])


def flows(ledgers: Sequence[Ledger], positions: Sequence[int]) -> pd.DataFrame:
    """The tidy frame of the module's head: one line for each row, item, head and feature that any cell has.
    `positions` are those of the events with a row of their own; all events of an item belong to the row of its newest.
    """
    names = [*map(str, positions), REST]
    lines: list[tuple[str, str, str, str, float]] = []
    for why in ledgers:
        row = _rows(why.history, positions)
        live = np.flatnonzero(why.history.live)
        for head in why.heads:
            cells = (head.weight * head.strength * head.gate)[live, None] * head.value[live]
            sums = np.zeros((len(names), cells.shape[1]))
            np.add.at(sums, row[live], cells)
            for at, column in np.argwhere(sums != 0).tolist():
                lines.append((names[at], why.item, head.name, head.features[column], float(sums[at, column])))
        lines.append((BASE, why.item, "", "", why.base))
    return pd.DataFrame(lines, columns=COLUMNS)


def announced(ledgers: Sequence[Ledger]) -> pd.DataFrame:
    """What each ledger announces for the removal of each event: row, item, title, now (rank; 0: none), size (all that
    speaks for the item), contribution, effect, rank (without it; 0: none)."""
    parts = []
    for why in ledgers:
        at, each = why.rows.position, why.without_each
        rank = each.rank[at] if why.rank is not None else np.zeros(len(at), np.intp)
        effect = each.score[at] - why.score
        of = (why.item, why.title, why.rank or 0, speaks_for(why))
        lines = zip(at.tolist(), why.rows.contribution.tolist(), effect.tolist(), rank.tolist(), strict=True)
        parts += [(str(p), *of, amount, change, place) for p, amount, change, place in lines]
    return pd.DataFrame(parts, columns=ANNOUNCED)


def _rows(history: History, positions: Sequence[int]) -> np.ndarray:
    """(N,) for each event the number of its row; those without one get the number one past the last."""
    own = {int(history.item[position]): at for at, position in enumerate(positions)}
    return np.array([own.get(item, len(positions)) for item in history.item.tolist()], dtype=np.intp)
