"""Which items the same people took: of each item the K most similar others by a damped cosine.

    sim(j, x) = n_jx / (√(n_j n_x) + shrink)      n_j people who took j, n_jx who took both

People and items stand in two tables, each stored by rows: who took an item, and what somebody took. What is shared with
one item is counted in a vector that is cleared place by place, so that the table of all pairs is never made.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel
from xattn.kernels.topk import enter, in_order

__all__ = ["Neighbours", "neighbours"]

BLOCK = 32  # items of one iteration, which share a vector of counts


class Neighbours(NamedTuple):
    """`items` (J, K) int64, the most similar first, −1 after the last; their `similarity` (J, K), −inf there."""

    items: np.ndarray
    similarity: np.ndarray


@Kernel
def _neighbours(near, sim, first, ptr_item, user, ptr_user, item, shrink):  # type: ignore[no-untyped-def]
    """Assigns the neighbours of the items from `first` on."""
    J, M = near.shape[0], ptr_item.shape[0] - 1
    for block in prange((J + BLOCK - 1) // BLOCK):
        low = np.int64(block) * BLOCK
        shared, met = np.zeros(M), np.empty(M, np.int64)
        for r in range(low, min(J, low + BLOCK)):
            j = first + r
            n = 0
            for p in range(ptr_item[j], ptr_item[j + 1]):
                for q in range(ptr_user[user[p]], ptr_user[user[p] + 1]):
                    x = item[q]
                    if x != j:
                        if shared[x] == 0.0:
                            met[n] = x
                            n += 1
                        shared[x] += 1.0
            own = np.float64(ptr_item[j + 1] - ptr_item[j])
            m = 0
            for t in range(n):
                x = met[t]
                both = own * np.float64(ptr_item[x + 1] - ptr_item[x])
                m = enter(near[r], sim[r], m, x, shared[x] / (np.sqrt(both) + shrink))
                shared[x] = 0.0
            in_order(near[r], sim[r], m)


def neighbours(
    ptr_item: np.ndarray,
    user: np.ndarray,
    ptr_user: np.ndarray,
    item: np.ndarray,
    k: int,
    shrink: float,
    items: slice,
) -> Neighbours:
    """The `k` most similar items of each of the `items`; equal ones in item order.

    Who took item j: user[ptr_item[j] : ptr_item[j + 1]]; what somebody took: item[ptr_user[u] : ptr_user[u + 1]]; all
    different.

    >>> took = (np.array([0, 2, 3]), np.array([0, 1, 0]), np.array([0, 2, 3]), np.array([0, 1, 0]))
    >>> neighbours(*took, 1, 0.0, slice(0, 2)).items.tolist()
    [[1], [0]]
    """
    low, high = items.start, min(items.stop, len(ptr_item) - 1)
    found = Neighbours(np.empty((high - low, k), np.int64), np.empty((high - low, k)))
    length = np.diff(ptr_user)[user[ptr_item[low] : ptr_item[high]]]
    _neighbours(*found, low, ptr_item, user, ptr_user, item, float(shrink), work=4.0 * float(length.sum()))
    return found
