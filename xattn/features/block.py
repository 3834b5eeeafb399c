"""A block: what one column of the item table turns into, as named features.

    column (M values)   ──fit──▶   labels (d,)   F (M, d) sparse   and perhaps parts

The *parts* of an item are what its features are made of, where that can be told: words of a text, patches of a picture,
seconds of a sound. Features are linear in them, so whatever is said of a feature splits over the parts exactly:

    F_j = Σ_p parts_p        parts (p, d) of item j

A block is chosen for a column by name (`xattn.features.registry`). A new one is a class with `fit`, in its own file.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data.feature_set import Parts, Skipped

__all__ = ["Block", "Fitted", "row_lengths"]


class Fitted(NamedTuple):
    """d features of M items: `labels` (d,) for readers, `F` (M, d), and `parts` of each item where they are known."""

    labels: tuple[str, ...]
    F: sparse.csr_array
    parts: Parts | None = None
    skipped: tuple[Skipped, ...] = ()  # cells that could not be used


class Block(Protocol):
    """Anything with `fit`."""

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """The features of a column, whose index is 0 to M − 1; None where it holds nothing to tell items apart by.

        Two labels may be equal: features are known by number, and names are made different for readers. Rows need no
        certain length: each is brought to length 1 afterwards, so that blocks weigh alike whatever their width.
        """


def row_lengths(F: sparse.csr_array) -> np.ndarray:
    """√Σ_f F_jf² of each row (M,)."""
    rows = np.repeat(np.arange(F.shape[0]), np.diff(F.indptr))
    return np.sqrt(np.bincount(rows, F.data**2, minlength=F.shape[0]))
