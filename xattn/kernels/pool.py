"""Scores of a whole catalogue from pooled histories: out[u, j] = Σ_h Σ_i coef[h, i] · V[h, row_i, j].

For heads whose attention does not look at the target, coef = weight × strength is known before any target is; the
score is then a sum of rows of the value table V (H, C, C), read in order. An iteration owns a stripe of columns of one
row of `out`, and each cell is summed in the order of heads and events: batch and single agree to the last bit. An event
without a row, or with a coefficient of 0, is skipped.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel

__all__ = ["pool_scores"]

STRIPE = 1024  # columns an iteration owns: 4–8 KB of output stay in the first-level cache


@Kernel
def _pool(ptr, row, coef, V, out):  # type: ignore[no-untyped-def]
    C = V.shape[2]
    stripes = (C + STRIPE - 1) // STRIPE
    for us in prange(out.shape[0] * stripes):
        u = us // stripes
        low = (us - u * stripes) * STRIPE
        high = min(C, low + STRIPE)
        for j in range(low, high):
            out[u, j] = 0.0
        for h in range(V.shape[0]):
            for i in range(ptr[u], ptr[u + 1]):
                a = coef[h, i]
                r = row[i]
                if r >= 0 and a != 0.0:
                    for j in range(low, high):
                        out[u, j] += a * V[h, r, j]


def pool_scores(ptr: np.ndarray, row: np.ndarray, coef: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Scores (U, C) summed in float64; `row` (N,) rows of V (−1: none), `coef` (H, N), histories in `ptr` (U+1,)."""
    out = np.empty((len(ptr) - 1, V.shape[2]))
    _pool(ptr, row, coef, V, out, work=2.0 * coef.size * V.shape[2])
    return out
