"""What can be said of an item before anybody has met it: columns, with numbers in finer bins, and words of its title.

Of the words those count that a newcomer shares with another item: a sequel names what it follows. The table is sparse,
since most items have none of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from xattn.data import ItemTable
from xattn.features.blocks import item_features

__all__ = ["NewcomerFeatures", "newcomer_features"]

FINE_BINS = 16  # of a number: half as wide as where attention looks at it, since here nothing else tells items apart
MOST_TITLE_WORDS = 500
READ = 2000  # characters of a title


class NewcomerFeatures(NamedTuple):
    """`names` (d,), and `F` (M, d) of every item, met or not; within a block a row is at most 1 long."""

    names: tuple[str, ...]
    F: sparse.csr_array


def newcomer_features(items: ItemTable, new: np.ndarray) -> NewcomerFeatures:
    """Features by which the `new` items (M,) bool resemble the others.

    >>> import pandas as pd
    >>> table = ItemTable(("a", "b", "c"), ("Alien", "Aliens", "Alien Covenant"), pd.DataFrame(index=range(3)))
    >>> newcomer_features(table, np.array([False, False, True])).names
    ('title: alien',)
    """
    blocks = item_features(items, FINE_BINS)
    columns = [f for f, block in enumerate(blocks.blocks) if block != "title"]
    names, parts = [blocks.names[f] for f in columns], [sparse.csr_array(blocks.F[:, columns])]
    words, F = _title_words(items, new)
    if words:
        names += words
        parts.append(F)
    return NewcomerFeatures(tuple(names), sparse.csr_array(sparse.hstack(parts)))


def _title_words(items: ItemTable, new: np.ndarray) -> tuple[list[str], sparse.csr_array]:
    """Words of titles of the `new` that other titles have too, the most frequent of them, weighted by rarity."""
    nothing = sparse.csr_array((len(items), 0))
    vectoriser = TfidfVectorizer(min_df=2, stop_words="english", dtype=np.float64)
    try:
        F = sparse.csc_array(vectoriser.fit_transform([title[:READ] for title in items.titles]))
    except ValueError:  # scikit-learn's way to say that no word stands in two titles
        return [], nothing
    of_new = np.asarray((F[new] > 0).sum(axis=0))
    of_others = np.asarray((F[~new] > 0).sum(axis=0))
    shared = np.flatnonzero((of_new > 0) & (of_others > 0))
    shared = np.sort(shared[np.argsort(-(of_new + of_others)[shared], kind="stable")[:MOST_TITLE_WORDS]])
    labels = vectoriser.get_feature_names_out()[shared]
    return [f"title: {label}" for label in labels], sparse.csr_array(F[:, shared])
