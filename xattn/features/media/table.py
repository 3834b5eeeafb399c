"""Parts that all items have alike: P patches or stretches an item, one table for all items.

    rows of item j:  j·P … j·P + P − 1           (M · P, d) sparse

What an item is, is the mean over its parts, weighted by how rare a feature is among the items:

    F_jf = r_f · Σ_p measure_pf / P,      r_f = 1 + log((1 + N) / (1 + n_f))

N items are known, n_f of them show f in more than 2 % of what they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import sparse

from xattn.data.feature_set import Shown, Skipped
from xattn.features.block import Fitted

__all__ = ["TableParts", "fitted_table"]

SHOWN = 0.02  # of an item: a feature that is less of it is not shown by it


class TableParts:
    """The parts of items by row: what each brings, what it is called, where it lies; nothing for an item without."""

    def __init__(
        self,
        table: sparse.csr_array,
        start: np.ndarray,
        names: Sequence[Sequence[str]],
        places: Sequence[Sequence[tuple[float, ...]]],
        kind: str,
        shown: Shown | None,
    ) -> None:
        self.table = table
        self.start = start  # (M + 1,) the first row of each item
        self.names = names
        self._places = places
        self.kind = kind
        self.shown = shown

    def __call__(self, row: int) -> tuple[tuple[str, ...], sparse.csr_array]:
        return tuple(self.names[row]), self.table[self.start[row] : self.start[row + 1]]

    def places(self, row: int) -> tuple[tuple[float, ...], ...]:
        return tuple(self._places[row])


def fitted_table(
    labels: Sequence[str],
    measured: dict[int, np.ndarray],
    named: Mapping[int, Sequence[str]],
    placed: Mapping[int, Sequence[tuple[float, ...]]],
    M: int,
    skipped: Sequence[Skipped],
    kind: str,
    shown: Shown | None = None,
) -> Fitted | None:
    """Features from the `measured` parts (P_j, d) of some of the M items. Where nothing was measured, there are none;
    None where nothing was skipped either.

    `kind` and what is `shown` of an item are those of `PartsOf`.
    """
    rows = sorted(measured)
    count = np.zeros(M, np.int64)
    for row in rows:
        count[row] = len(measured[row])
    start = np.concatenate([[0], np.cumsum(count)])
    if not rows or not any(measured[row].any() for row in rows):
        return Fitted((), sparse.csr_array((M, 0)), None, tuple(skipped)) if skipped else None
    whole = np.array([measured[row].mean(axis=0) for row in rows])
    rarity = 1.0 + np.log((1.0 + len(rows)) / (1.0 + (whole > SHOWN).sum(axis=0)))
    table = sparse.csr_array(np.concatenate([measured[row] * (rarity / len(measured[row])) for row in rows]))
    sums = np.zeros((M, len(labels)))
    sums[rows] = [table[start[row] : start[row + 1]].sum(axis=0) for row in rows]
    seen = np.flatnonzero(sums.any(axis=0))
    parts = TableParts(
        sparse.csr_array(table[:, seen]),
        start,
        [named.get(row, ()) for row in range(M)],
        [placed.get(row, ()) for row in range(M)],
        kind,
        shown,
    )
    return Fitted(tuple(labels[f] for f in seen.tolist()), sparse.csr_array(sums[:, seen]), parts, tuple(skipped))
