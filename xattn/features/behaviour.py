"""What people did, as numbers with names (article 3.2): of each item, and of each person.

    events      how many                         people, items   by or with how many different ones
    repeats     share of events that are not the first of their pair
    recency     days from the last event to the last of all
    span        days from the first event to the last
    regularity  1 / (1 + σ/μ) of the days between events: 1 is a clock, near 0 are bursts

The last three only where the data have times. Counts and days are logarithms, log(1 + x), so that soft bins are even.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from xattn.data import Interactions, ItemTable

__all__ = ["item_statistics", "user_statistics", "with_item_statistics"]

DAY = 86_400.0


def item_statistics(data: Interactions) -> pd.DataFrame:
    """A row an item: events, people, repeats, and with times recency, span, regularity; unknown without an event.

    >>> from xattn.data.synthetic import planted
    >>> item_statistics(planted("recency", n_users=3, seed=1).data).columns.tolist()
    ['events', 'people', 'repeats', 'recency', 'span', 'regularity']
    """
    return _statistics(data, data.item, data.user, data.n_items, "people")


def user_statistics(data: Interactions) -> pd.DataFrame:
    """A row a person: events, items, repeats, and with times recency, span, regularity."""
    return _statistics(data, data.user, data.item, data.n_users, "items")


def with_item_statistics(data: Interactions) -> Interactions:
    """The same data with the statistics of items as columns of its items, called "behaviour: events" and so on.

    They are of the events of `data` alone: make them of the training data, never of what is held out.
    """
    found = item_statistics(data)
    items = data.items
    frame = items.frame.assign(**{f"behaviour: {name}": column.to_numpy() for name, column in found.items()})
    return replace(data, items=ItemTable(items.ids, items.titles, frame, items.features))


def _statistics(data: Interactions, of: np.ndarray, other: np.ndarray, n: int, others: str) -> pd.DataFrame:
    count = np.bincount(of, minlength=n).astype(float)
    pair = np.unique(of.astype(np.int64) * (int(other.max(initial=0)) + 1) + other)
    different = np.bincount(pair // (int(other.max(initial=0)) + 1), minlength=n).astype(float)
    met = count > 0
    columns = {
        "events": np.log1p(count),
        others: np.log1p(different),
        "repeats": np.where(met, 1.0 - different / np.where(met, count, 1.0), np.nan),
    }
    if data.time is not None and len(data.time):
        columns |= _times(of, np.asarray(data.time, np.float64) / DAY, n)
    frame = pd.DataFrame(columns)
    frame.loc[~met, [name for name in frame.columns if name != "events"]] = np.nan
    return frame


def _times(of: np.ndarray, day: np.ndarray, n: int) -> dict[str, np.ndarray]:
    order = np.lexsort((day, of))
    of, day = of[order], day[order]
    first, last = np.full(n, np.nan), np.full(n, np.nan)
    first[of[::-1]], last[of] = day[::-1], day
    gap, owner = np.diff(day), of[1:]
    inner = of[1:] == of[:-1]
    gap, owner = gap[inner], owner[inner]
    gaps = np.bincount(owner, minlength=n)
    many = gaps >= 2
    some = np.where(many, gaps, 1)
    mean = np.bincount(owner, gap, minlength=n) / some
    spread = np.sqrt(np.bincount(owner, (gap - mean[owner]) ** 2, minlength=n) / some)
    regular = np.where(many & (mean > 0), 1.0 / (1.0 + spread / np.where(mean > 0, mean, 1.0)), np.nan)
    return {"recency": np.log1p(day.max() - last), "span": np.log1p(last - first), "regularity": regular}
