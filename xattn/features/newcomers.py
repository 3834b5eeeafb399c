"""What can be said of an item before anybody has met it: columns, with numbers in finer bins, and words of its title.

Of the words those count that a newcomer shares with another item: a sequel names what it follows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data import FeatureSet, ItemTable
from xattn.features.make import TITLE, make_features
from xattn.features.words import weighted_words

__all__ = ["newcomer_features"]

FINE_BINS = 16  # of a number: half as wide as where attention looks at it, since here nothing else tells items apart
MOST_TITLE_WORDS = 500


def newcomer_features(items: ItemTable, new: np.ndarray) -> FeatureSet:
    """Features of all items, by which the `new` ones (M,) bool resemble the others; within a block a row is at most 1
    long. Features that were given with the table take the place of those of the columns.

    >>> table = ItemTable(("a", "b", "c"), ("Alien", "Aliens", "Alien Covenant"), pd.DataFrame(index=range(3)))
    >>> newcomer_features(table, np.array([False, False, True])).names
    ('title: alien',)
    """
    columns = make_features(items, bins=FINE_BINS) if items.features is None else items.features
    words = _title_words(items, new)
    return FeatureSet.side_by_side([columns, words]) if len(words) else columns


def _title_words(items: ItemTable, new: np.ndarray) -> FeatureSet:
    """Words of titles of the `new` that other titles have too, the most frequent of them, weighted by rarity."""
    labels, rows = weighted_words(pd.Series(items.titles, dtype=object), None)
    F = sparse.csc_array(rows)
    of_new, of_others = (np.asarray((F[some] > 0).sum(axis=0)) for some in (new, ~new))
    shared = np.flatnonzero((of_new > 0) & (of_others > 0))
    shared = np.sort(shared[np.argsort(-(of_new + of_others)[shared], kind="stable")[:MOST_TITLE_WORDS]])
    return FeatureSet(tuple(f"{TITLE}: {labels[w]}" for w in shared), F[:, shared], (TITLE,) * len(shared))
