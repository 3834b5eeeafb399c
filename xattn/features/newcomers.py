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
MOST = 1000  # features of columns, or more where few items have values:
ROOM = 4_000_000  # slopes of a head, one for each item with values and each feature


def newcomer_features(items: ItemTable, new: np.ndarray, known: np.ndarray | None = None) -> FeatureSet:
    """Features of all items, by which the `new` ones (M,) bool resemble the `known` ones (M,) bool, or all others;
    within a block a row is at most 1 long. Features that were given with the table take the place of those of the
    columns. Of many, those are kept that new and known items share, the most frequent first.

    >>> table = ItemTable(("a", "b", "c"), ("Alien", "Aliens", "Alien Covenant"), pd.DataFrame(index=range(3)))
    >>> newcomer_features(table, np.array([False, False, True])).names
    ('title: alien',)
    """
    known = ~new if known is None else known
    columns, most = _columns(items), max(MOST, ROOM // max(1, int(known.sum())))
    if len(columns) > most:
        columns = columns.only(_shared(columns.F, new, known, most))
    words = _title_words(items, new, known)
    return FeatureSet.side_by_side([columns, *([words] if len(words) else [])])


def has_texts(items: ItemTable) -> bool:
    """Whether a column of texts, or a block of given features whose parts are words, says what items are like."""
    found = feature_set(items)
    return any(kind_of(own) == "words" and (items.features or name in items.frame) for name, own in found.parts.items())


def _columns(items: ItemTable) -> FeatureSet:
    """Those given with the table, or those of its columns, kept with it."""
    if items.features is not None:
        return items.features
    found: FeatureSet | None = items.kept.get(("features", "newcomers"))
    if found is None:
        found = items.kept["features", "newcomers"] = make_features(items, bins=FINE_BINS)
    return found


def _title_words(items: ItemTable, new: np.ndarray, known: np.ndarray) -> FeatureSet:
    """Words of titles that the `new` and the `known` share, the most frequent of them, weighted by rarity."""
    labels, F = weighted_words(pd.Series(items.titles, dtype=object), None)
    words = _shared(F, new, known, MOST_TITLE_WORDS)
    return FeatureSet(tuple(f"{TITLE}: {labels[w]}" for w in words), F[:, words], (TITLE,) * len(words))


def _shared(F: sparse.csr_array, new: np.ndarray, known: np.ndarray, most: int) -> list[int]:
    """The features that some of the `new` and some of the `known` items have; at most so many, the most frequent."""
    of_new, of_known = (np.asarray((F[some] != 0).sum(axis=0)).ravel() for some in (new, known))
    shared = np.flatnonzero((of_new > 0) & (of_known > 0))
    return sorted(shared[np.argsort(-(of_new + of_known)[shared], kind="stable")[:most]].tolist())
