"""Categories: a column of texts, or of several texts a cell ("Drama|War"), becomes one feature a category."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.features.block import Fitted

__all__ = ["MARKS", "Categories"]

MARKS = "|;,"  # what may part the categories of a cell; the first that occurs in a column does
NOTHING = "(no "  # as in "(no genres listed)"
LEAST = 2  # items that a category has: one alone makes nothing alike


class Categories:
    """A feature for each category that two items have, 1 where an item has it; the `most` frequent ones.

    A column whose categories speak of less than half of the items that it fills is no column of categories: prose, or
    ids.
    """

    def __init__(self, most: int = 200) -> None:
        self.most = most

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> Categories().fit(pd.Series(["Drama|War", "War", "Drama"])).labels
        ('Drama', 'War')
        """
        text = column.astype("string").fillna("")
        mark = next((m for m in MARKS if text.str.contains(m, regex=False).any()), MARKS[0])
        flat = text.str.split(mark).explode().str.strip()
        flat = flat[(flat != "") & ~flat.str.startswith(NOTHING)]
        counts = flat.value_counts()
        counts = counts[counts >= LEAST].sort_index().sort_values(ascending=False, kind="stable").head(self.most)
        labels = sorted(map(str, counts.index))
        place = pd.Index(labels, dtype=object).get_indexer(pd.Index(flat, dtype=object))
        row, place = flat.index.to_numpy()[place >= 0], place[place >= 0]
        if not labels or len(np.unique(row)) < int((text != "").sum()) / 2:
            return None
        F = sparse.csr_array((np.ones(len(row)), (row, place)), shape=(len(column), len(labels)))
        F.sum_duplicates()
        F.data[:] = 1.0  # however often a cell names it
        return Fitted(tuple(labels), F)
