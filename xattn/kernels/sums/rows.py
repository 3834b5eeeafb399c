"""Sums of rows with equal numbers: the gradient of a table from the gradients of the rows that were looked up in it.

    rows   2   0   2   2        →   distinct   0    2
    G      a   b   c   d            sums       b    a + c + d

The rows are sorted first (stably), so that each distinct row is owned by one iteration and summed in the order in which
it occurs: the sums do not depend on the number of threads, as scattered additions would.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel

__all__ = ["RowSums", "row_sums"]


@Kernel
def _row_sums(sums, order, ptr, G):  # type: ignore[no-untyped-def]
    """Assigns sums[r], the Σ of the rows of G that `order` names from ptr[r] to ptr[r + 1]."""
    for r in prange(sums.shape[0]):
        for f in range(sums.shape[1]):
            sums[r, f] = G[order[ptr[r]], f]
        for k in range(ptr[r] + 1, ptr[r + 1]):
            for f in range(sums.shape[1]):
                sums[r, f] += G[order[k], f]


class RowSums(NamedTuple):
    """`rows` (R,) that occur, rising; `sums` (R, d), one for each."""

    rows: np.ndarray
    sums: np.ndarray


def row_sums(rows: np.ndarray, G: np.ndarray) -> RowSums:
    """Sums of G (T, d) over equal numbers of `rows` (T,), in G's type.

    >>> row_sums(np.array([2, 0, 2]), np.array([[1.0], [5.0], [3.0]]))
    RowSums(rows=array([0, 2]), sums=array([[5.],
           [4.]]))
    """
    order = np.argsort(rows, kind="stable")
    in_order = rows[order]
    first = np.flatnonzero(np.append(True, in_order[1:] != in_order[:-1])) if len(rows) else np.zeros(0, np.int64)
    sums = np.empty((len(first), G.shape[1]), G.dtype)
    _row_sums(sums, order, np.append(first, len(rows)), G, work=0.25 * G.size)
    return RowSums(in_order[first], sums)
