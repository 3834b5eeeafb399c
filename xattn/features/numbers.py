"""Numbers: a column of numbers becomes soft bins. A number between two centres belongs to each by nearness.

centres    1950      1970      1990         a bin a centre, at quantiles of the column
1965       .25       .75                    hat functions: 1 at the centre, 0 at its neighbours
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.features.block import Fitted

__all__ = ["BINS", "Numbers"]

BINS = 9  # about what the axis of a chart shows


class Numbers:
    """At most `bins` soft bins; None for a column with fewer than two different numbers. Other texts are unknown."""

    def __init__(self, bins: int = BINS) -> None:
        self.bins = bins

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> Numbers(3).fit(pd.Series([1950.0, 1965.0, 1970.0, 1990.0, 1990.0])).labels
        ('~1950', '~1970', '~1990')
        """
        x = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        row = np.flatnonzero(np.isfinite(x))
        centres = np.unique(np.quantile(x[row], np.linspace(0, 1, self.bins))) if row.size else np.empty(0)
        d = len(centres)
        if d < 2:
            return None
        left = np.clip(np.searchsorted(centres, x[row], side="right") - 1, 0, d - 2)
        share = (x[row] - centres[left]) / np.diff(centres)[left]
        values = np.concatenate([1.0 - share, share])
        F = sparse.csr_array((values, (np.tile(row, 2), np.concatenate([left, left + 1]))), shape=(len(x), d))
        return Fitted(_labels(centres), F)


def _labels(centres: np.ndarray) -> tuple[str, ...]:
    """The centres as texts of which no two are alike: in six digits, or in all where six make two of them alike."""
    short = tuple(f"~{centre:.6g}" for centre in centres)
    if len(set(short)) == len(short):
        return short
    return tuple(f"~{centre!r}".removesuffix(".0") for centre in centres.tolist())
