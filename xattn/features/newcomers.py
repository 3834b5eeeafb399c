"""What can be said of an item before anybody has met it: columns, with numbers in finer bins, and words of its title.

Of the words those count that a newcomer shares with another item: a sequel names what it follows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data import FeatureSet, ItemTable
from xattn.data.feature_set import kind_of
from xattn.features.make import TITLE, feature_set, make_features
from xattn.features.words import weighted_words

__all__ = ["has_texts", "newcomer_features"]

FINE_BINS = 16  # of a number: half as wide as where attention looks at it, since here nothing else tells items apart
MOST_TITLE_WORDS = 500
MOST = 1000  # features of columns: values are regressed on all of them at once, for every item with values


def newcomer_features(items: ItemTable, new: np.ndarray) -> FeatureSet:
    """Features of all items, by which the `new` ones (M,) bool resemble the others; within a block a row is at most 1
    long. Features that were given with the table take the place of those of the columns.

    >>> table = ItemTable(("a", "b", "c"), ("Alien", "Aliens", "Alien Covenant"), pd.DataFrame(index=range(3)))
    >>> newcomer_features(table, np.array([False, False, True])).names
    ('title: alien',)
    """
    columns = make_features(items, bins=FINE_BINS) if items.features is None else items.features
    if len(columns) > MOST:
        columns = columns.only(_shared(columns.F, new, MOST))
    words = _title_words(items, new)
    return FeatureSet.side_by_side([columns, *([words] if len(words) else [])])


def has_texts(items: ItemTable) -> bool:
    """Whether a column of texts, or a block of given features whose parts are words, says what items are like."""
    found = feature_set(items)
    return any(kind_of(own) == "words" and (items.features or name in items.frame) for name, own in found.parts.items())


def _title_words(items: ItemTable, new: np.ndarray) -> FeatureSet:
    """Words of titles of the `new` that other titles have too, the most frequent of them, weighted by rarity."""
    labels, F = weighted_words(pd.Series(items.titles, dtype=object), None)
    words = _shared(F, new, MOST_TITLE_WORDS)
    return FeatureSet(tuple(f"{TITLE}: {labels[w]}" for w in words), F[:, words], (TITLE,) * len(words))


def _shared(F: sparse.csr_array, new: np.ndarray, most: int) -> list[int]:
    """The features that some of the `new` items and some of the others have; at most so many, the most frequent."""
    columns = sparse.csc_array(F)
    of_new, of_others = (np.asarray((columns[some] != 0).sum(axis=0)) for some in (new, ~new))
    shared = np.flatnonzero((of_new > 0) & (of_others > 0))
    return sorted(shared[np.argsort(-(of_new + of_others)[shared], kind="stable")[:most]].tolist())
