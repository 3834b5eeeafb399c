"""Scores that are products: dot, scaled dot, bilinear; and the float64 products of which all five scores are made.

The keys lie in panels (`tiles.py`). An iteration owns BLOCK rows of the result and GROUP panels of its columns.

Sums run in float64, or with `sums` float32 in that type: for float32 arrays a score of d products is then within
(d + 2) · 2^-24 · |scale| Σ_f |q_f k_f| of the exact one, as long as nothing over- or underflows (Higham 2002, §3.1: a
chain of fused products rounds once a product; scaling and the end round once more).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel
from xattn.kernels.lanes import BYTES
from xattn.kernels.tiles import TOGETHER, Keys, tile

__all__ = [
    "F8",
    "BilinearGradient",
    "LaidOut",
    "PairGradient",
    "add_product",
    "add_transposed",
    "bilinear",
    "bilinear_backward",
    "dot",
    "dot_backward",
    "product",
    "scaled_dot",
    "scaled_dot_backward",
]

BLOCK, GROUP = 96, 8  # rows and panels of one iteration
F8 = np.dtype(np.float64)


class PairGradient(NamedTuple):
    """Gradients of the queries (R, d) and of the keys (n, d)."""

    dq: np.ndarray
    dk: np.ndarray


class BilinearGradient(NamedTuple):
    """Gradients of the queries (R, d), the keys (n, c) and the matrix (d, c)."""

    dq: np.ndarray
    dk: np.ndarray
    dW: np.ndarray


# --- products ---------------------------------------------------------------------------------------------------------


@Kernel
def _products(e, X, data, panels, start, scale):  # type: ignore[no-untyped-def]
    """Assigns e[r, i] = scale · X[r]·k_i for keys in panels that begin at the columns `start`; all of one type."""
    R, d = X.shape
    n = e.shape[1]
    P = panels.shape[0]
    groups = (P + GROUP - 1) // GROUP
    for task in prange((R + BLOCK - 1) // BLOCK * groups):
        block, group = np.int64(task) // groups, np.int64(task) % groups
        first, last = group * GROUP, min((group + 1) * GROUP, P)
        low = start[first]
        z = np.empty((TOGETHER, start[last] - low), X.dtype)
        for j in range(block * BLOCK, min(R, (block + 1) * BLOCK), TOGETHER):
            for p in range(first, last):
                tile(z, start[p] - low, panels[p], X, j, R - 1, data, start[p] * d, d)
            for r in range(min(TOGETHER, R - j)):
                for i in range(min(n, start[last]) - low):
                    e[j + r, low + i] = scale * z[r, i]


class LaidOut(NamedTuple):
    """Y (n, d) as products take it, laid out once for many of them."""

    keys: Keys
    start: np.ndarray  # (P + 1,) the first column of each panel
    n: int

    @classmethod
    def of(cls, Y: np.ndarray, sums: np.dtype = F8) -> LaidOut:
        keys = Keys.of(np.asarray(Y, sums))
        return cls(keys, np.concatenate([[0], np.cumsum(keys.panels * (BYTES // sums.itemsize))]), len(Y))

    def product(self, X: np.ndarray, scale: float = 1.0, dtype: np.dtype = F8) -> np.ndarray:
        """scale · X Yᵀ (R, n) in `dtype`, for X (R, d); a row of it has the same bits whatever stands beside it.

        >>> import numpy as np
        >>> LaidOut.of(np.array([[1.0, 0.0], [1.0, 1.0]])).product(np.array([[2.0, 3.0]])).tolist()
        [[2.0, 5.0]]
        """
        sums = self.keys.data.dtype
        e = np.empty((X.shape[0], self.n), dtype=dtype)
        if e.size:
            X = np.ascontiguousarray(X, sums)
            work = e.size * X.shape[1] * sums.itemsize / 32.0
            _products(e, X, self.keys.data, self.keys.panels, self.start, scale, work=work)
        return e


def product(X: np.ndarray, Y: np.ndarray, scale: float, dtype: np.dtype, sums: np.dtype = F8) -> np.ndarray:
    """scale · X Yᵀ (R, n) in `dtype`, for X (R, d) and Y (n, d), added up in the type `sums`."""
    return LaidOut.of(Y, sums).product(X, scale, dtype)


def add_product(dX: np.ndarray, E: np.ndarray, Y: np.ndarray, scale: float = 1.0) -> None:
    """Add scale · E Y to dX."""
    dX += product(E, Y.T, scale, F8)


def add_transposed(dY: np.ndarray, E: np.ndarray, X: np.ndarray, scale: float = 1.0) -> None:
    """Add scale · Eᵀ X to dY."""
    add_product(dY, E.T, X, scale)


# --- dot, scaled dot --------------------------------------------------------------------------------------------------


def dot(q: np.ndarray, k: np.ndarray, sums: np.dtype = F8) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_r · k_i; `sums` float64 or, for float32 arrays, float32.

    >>> import numpy as np
    >>> dot(np.ones((1, 3)), np.array([[1.0, 0, 1], [0, 1, 0], [1, 1, 1]])).tolist()
    [[2.0, 1.0, 3.0]]
    """
    return product(q, k, 1.0, q.dtype, sums)


def dot_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n)."""
    return _scaled_backward(de, q, k, 1.0)


def _scale(d: int) -> float:
    return 1.0 / math.sqrt(max(d, 1))  # vectors without coordinates score 0, not 0/0


def scaled_dot(q: np.ndarray, k: np.ndarray, sums: np.dtype = F8) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_r · k_i / √d; `sums` as in `dot`.

    >>> import numpy as np
    >>> scaled_dot(np.ones((1, 4)), np.ones((1, 4))).tolist()
    [[2.0]]
    """
    return product(q, k, _scale(q.shape[1]), q.dtype, sums)


def scaled_dot_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n)."""
    return _scaled_backward(de, q, k, _scale(q.shape[1]))


def _scaled_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray, scale: float) -> PairGradient:
    dq, dk = np.zeros_like(q), np.zeros_like(k)
    add_product(dq, de, k, scale)
    add_transposed(dk, de, q, scale)
    return PairGradient(dq, dk)


# --- bilinear ---------------------------------------------------------------------------------------------------------


def bilinear(q: np.ndarray, k: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_rᵀ W k_i.

    >>> import numpy as np
    >>> bilinear(np.array([[1.0, 0.0]]), np.array([[3.0]]), np.array([[2.0], [5.0]])).tolist()
    [[6.0]]
    """
    P = np.zeros((q.shape[0], W.shape[1]))
    add_product(P, q, W)
    return product(P, k, 1.0, q.dtype)


def bilinear_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray, W: np.ndarray) -> BilinearGradient:
    """Gradients of q, k and W from de (R, n)."""
    P, dP = np.zeros((q.shape[0], W.shape[1])), np.zeros((q.shape[0], W.shape[1]))
    add_product(P, q, W)
    add_product(dP, de, k)
    dq, dk, dW = np.zeros_like(q), np.zeros_like(k), np.zeros_like(W)
    add_product(dq, dP, W.T)
    add_transposed(dk, de, P)
    add_transposed(dW, q, dP)
    return BilinearGradient(dq, dk, dW)
