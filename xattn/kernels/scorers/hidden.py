"""Additive scores: a network of one hidden layer, v · tanh(Wq q + Wk k)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.scorers.products import F8, add_product, add_transposed, product
from xattn.kernels.vectors import exp

__all__ = ["AdditiveGradient", "additive", "additive_backward"]

TANH_WORK = 20  # scalar operations that one tanh counts for
SMALL = 0.1  # below, 1 − e^(−2x) loses digits and the series has them all
CELLS = 256  # columns of a row that one parallel iteration owns: a long row is shared out among threads


class AdditiveGradient(NamedTuple):
    """Gradients of the queries (R, d), the keys (n, c) and the parameters."""

    dq: np.ndarray
    dk: np.ndarray
    dWq: np.ndarray
    dWk: np.ndarray
    dv: np.ndarray


@compiled
def _tanh(x):  # type: ignore[no-untyped-def]
    """tanh(x) without a branch or a call, so that loops of it become vector code; within 16 roundings."""
    a = abs(x)
    t = exp(-2.0 * a)
    s = a * a
    series = 1382 / 155925 - s * (21844 / 6081075 - s * (929569 / 638512875))
    series = 1 / 3 - s * (2 / 15 - s * (17 / 315 - s * (62 / 2835 - s * series)))
    y = a - a * s * series if a < SMALL else (1.0 - t) / (1.0 + t)
    return -y if x < 0.0 else y


@Kernel
def _additive_forward(e, A, BT, v):  # type: ignore[no-untyped-def]
    """Assigns e[r, i] = Σ_j v_j tanh(A[r, j] + BT[j, i]); an iteration owns CELLS columns of a row."""
    R, n = e.shape
    strips = (n + CELLS - 1) // CELLS
    for task in prange(R * strips):
        r, low = np.int64(task) // strips, np.int64(task) % strips * CELLS
        high = min(n, low + CELLS)
        s = np.zeros(high - low)
        for j in range(v.shape[0]):
            b, a, w = BT[j, low:high], A[r, j], np.float64(v[j])
            for i in range(high - low):
                s[i] += w * _tanh(a + b[i])
        for i in range(high - low):
            e[r, low + i] = s[i]


@Kernel
def _additive_backward(dA, dB, dv, de, A, B, v):  # type: ignore[no-untyped-def]
    """Adds Σ de t to dv, with t = tanh(A + B), and de v (1 − t²) to dA and dB; an iteration owns column j of all."""
    R, n = de.shape
    for j in prange(v.shape[0]):
        s = 0.0
        for r in range(R):
            for i in range(n):
                t = math.tanh(np.float64(A[r, j]) + np.float64(B[i, j]))
                s += de[r, i] * t
                w = de[r, i] * v[j] * (1.0 - t * t)
                dA[r, j] += w
                dB[i, j] += w
        dv[j] += s


def additive(q: np.ndarray, k: np.ndarray, Wq: np.ndarray, Wk: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = v · tanh(Wq q_r + Wk k_i).

    >>> import numpy as np
    >>> one = np.ones((1, 1))
    >>> additive(one, one, one, -one, np.ones(1)).tolist()
    [[0.0]]
    """
    A, B = product(q, Wq, 1.0, F8), product(k, Wk, 1.0, F8)
    e = np.empty((q.shape[0], k.shape[0]), dtype=q.dtype)
    _additive_forward(e, A, np.ascontiguousarray(B.T), v, work=TANH_WORK * e.size * v.size)
    return e


def additive_backward(
    de: np.ndarray, q: np.ndarray, k: np.ndarray, Wq: np.ndarray, Wk: np.ndarray, v: np.ndarray
) -> AdditiveGradient:
    """Gradients of q, k and the three parameters from de (R, n)."""
    A, B = product(q, Wq, 1.0, F8), product(k, Wk, 1.0, F8)
    dA, dB, dv = np.zeros(A.shape), np.zeros(B.shape), np.zeros_like(v)
    _additive_backward(dA, dB, dv, de, A, B, v, work=TANH_WORK * de.size * v.size)
    gradient = AdditiveGradient(np.zeros_like(q), np.zeros_like(k), np.zeros_like(Wq), np.zeros_like(Wk), dv)
    add_product(gradient.dq, dA, Wq)
    add_product(gradient.dk, dB, Wk)
    add_transposed(gradient.dWq, dA, q)
    add_transposed(gradient.dWk, dB, k)
    return gradient
