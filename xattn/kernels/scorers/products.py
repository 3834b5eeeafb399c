"""Products of two tables of vectors, summed in float64: what the scores and their gradients are made of.

The keys lie in panels (`tiles.py`). An iteration owns BLOCK rows of the result and GROUP panels of its columns.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel
from xattn.kernels.lanes import BYTES
from xattn.kernels.tiles import TOGETHER, Keys, tile

__all__ = ["F8", "add_product", "add_transposed", "product"]

BLOCK, GROUP = 96, 8  # rows and panels of one iteration
F8 = np.dtype(np.float64)


@Kernel
def _products(e, X, data, panels, start, scale):  # type: ignore[no-untyped-def]
    """Assigns e[r, i] = scale · X[r]·k_i for float64 keys in panels that begin at the columns `start`."""
    R, d = X.shape
    n = e.shape[1]
    P = panels.shape[0]
    groups = (P + GROUP - 1) // GROUP
    for task in prange((R + BLOCK - 1) // BLOCK * groups):
        block, group = np.int64(task) // groups, np.int64(task) % groups
        first, last = group * GROUP, min((group + 1) * GROUP, P)
        low = start[first]
        z = np.empty((TOGETHER, start[last] - low))
        for j in range(block * BLOCK, min(R, (block + 1) * BLOCK), TOGETHER):
            for p in range(first, last):
                tile(z, start[p] - low, panels[p], X, j, R - 1, data, start[p] * d, d)
            for r in range(min(TOGETHER, R - j)):
                for i in range(min(n, start[last]) - low):
                    e[j + r, low + i] = scale * z[r, i]


def product(X: np.ndarray, Y: np.ndarray, scale: float, dtype: np.dtype) -> np.ndarray:
    """scale · X Yᵀ (R, n) in `dtype`, for X (R, d) and Y (n, d)."""
    e = np.empty((X.shape[0], Y.shape[0]), dtype=dtype)
    if e.size:
        keys = Keys.of(np.asarray(Y, F8))
        start = np.concatenate([[0], np.cumsum(keys.panels * (BYTES // F8.itemsize))])
        X = np.ascontiguousarray(X, F8)
        _products(e, X, keys.data, keys.panels, start, scale, work=e.size * X.shape[1] / 4.0)
    return e


def add_product(dX: np.ndarray, E: np.ndarray, Y: np.ndarray, scale: float = 1.0) -> None:
    """Add scale · E Y to dX."""
    dX += product(E, Y.T, scale, F8)


def add_transposed(dY: np.ndarray, E: np.ndarray, X: np.ndarray, scale: float = 1.0) -> None:
    """Add scale · Eᵀ X to dY."""
    add_product(dY, E.T, X, scale)
