"""Scores that are products: dot, scaled dot, bilinear."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from xattn.kernels.scorers.products import add_product, add_transposed, product

__all__ = [
    "BilinearGradient",
    "PairGradient",
    "bilinear",
    "bilinear_backward",
    "dot",
    "dot_backward",
    "scaled_dot",
    "scaled_dot_backward",
]


class PairGradient(NamedTuple):
    """Gradients of the queries (R, d) and of the keys (n, d)."""

    dq: np.ndarray
    dk: np.ndarray


class BilinearGradient(NamedTuple):
    """Gradients of the queries (R, d), the keys (n, c) and the matrix (d, c)."""

    dq: np.ndarray
    dk: np.ndarray
    dW: np.ndarray


# --- dot, scaled dot --------------------------------------------------------------------------------------------------


def dot(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_r · k_i.

    >>> import numpy as np
    >>> dot(np.ones((1, 3)), np.array([[1.0, 0, 1], [0, 1, 0], [1, 1, 1]])).tolist()
    [[2.0, 1.0, 3.0]]
    """
    return product(q, k, 1.0, q.dtype)


def dot_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n)."""
    return _scaled_backward(de, q, k, 1.0)


def _scale(d: int) -> float:
    return 1.0 / math.sqrt(max(d, 1))  # vectors without coordinates score 0, not 0/0


def scaled_dot(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_r · k_i / √d.

    >>> import numpy as np
    >>> scaled_dot(np.ones((1, 4)), np.ones((1, 4))).tolist()
    [[2.0]]
    """
    return product(q, k, _scale(q.shape[1]), q.dtype)


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
