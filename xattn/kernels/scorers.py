"""Scores of queries against keys, five ways: dot, scaled dot, cosine, additive, bilinear; each with its gradient.

    dot         q·k                       Luong, Pham, Manning 2015
    scaled dot  q·k / √d                  Vaswani et al. 2017
    cosine      q·k / (|q| |k|)           in [−1, 1]; 0 for a zero vector
    additive    v · tanh(Wq q + Wk k)     Bahdanau, Cho, Bengio 2015
    bilinear    qᵀ W k                    Luong, Pham, Manning 2015

Queries q (R, d) and keys k (n, d) give scores e (R, n). Additive and bilinear take keys of another width c as well:
Wq (h, d), Wk (h, c), v (h,), W (d, c). All arrays of a call share one float type; sums run in float64.

Put together from products (`tiles.py`), the way of llm.c: forward, then backward, adjacent; a backward adds into
cleared buffers; a parallel iteration writes what it owns. What lies between (Wq q, Wk k, qᵀ W) is float64 for both
float types.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.lanes import BYTES
from xattn.kernels.tiles import TOGETHER, Keys, tile
from xattn.kernels.vectors import exp, fma

__all__ = [
    "AdditiveGradient",
    "BilinearGradient",
    "PairGradient",
    "additive",
    "additive_backward",
    "bilinear",
    "bilinear_backward",
    "cosine",
    "cosine_backward",
    "dot",
    "dot_backward",
    "scaled_dot",
    "scaled_dot_backward",
]

CELLS = 256  # columns of a row that one parallel iteration owns: a long row is shared out among threads
BLOCK, GROUP = 96, 8  # rows and panels of one iteration of the products
F8 = np.dtype(np.float64)


class PairGradient(NamedTuple):
    """Gradients of the queries (R, d) and of the keys (n, d)."""

    dq: np.ndarray
    dk: np.ndarray


class AdditiveGradient(NamedTuple):
    """Gradients of the queries (R, d), the keys (n, c) and the parameters."""

    dq: np.ndarray
    dk: np.ndarray
    dWq: np.ndarray
    dWk: np.ndarray
    dv: np.ndarray


class BilinearGradient(NamedTuple):
    """Gradients of the queries (R, d), the keys (n, c) and the matrix (d, c)."""

    dq: np.ndarray
    dk: np.ndarray
    dW: np.ndarray


# --- products ---------------------------------------------------------------------------------------------------------


@Kernel
def _products(e, X, data, panels, start, scale):  # type: ignore[no-untyped-def]
    """e[r, i] = scale · X[r]·k_i for keys in panels that begin at the columns `start`; X and the keys are float64."""
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
                tile(panels[p], X, j, R - 1, data, start[p] * d, d, z, start[p] - low)
            for r in range(min(TOGETHER, R - j)):
                for i in range(min(n, start[last]) - low):
                    e[j + r, low + i] = scale * z[r, i]


def _product(X: np.ndarray, Y: np.ndarray, scale: float, dtype: np.dtype) -> np.ndarray:
    """scale · X Yᵀ, for X (R, d) and Y (n, d)."""
    e = np.empty((X.shape[0], Y.shape[0]), dtype=dtype)
    if e.size:
        keys = Keys.of(np.asarray(Y, F8))
        start = np.concatenate([[0], np.cumsum(keys.panels * (BYTES // F8.itemsize))])
        X = np.ascontiguousarray(X, F8)
        _products(e, X, keys.data, keys.panels, start, scale, work=e.size * X.shape[1] / 4.0)
    return e


def _add_product(dX: np.ndarray, E: np.ndarray, Y: np.ndarray, scale: float = 1.0) -> None:
    """dX += scale · E Y."""
    dX += _product(E, Y.T, scale, F8)


def _add_transposed(dY: np.ndarray, E: np.ndarray, X: np.ndarray, scale: float = 1.0) -> None:
    """dY += scale · Eᵀ X."""
    _add_product(dY, E.T, X, scale)


@compiled
def _square(x):  # type: ignore[no-untyped-def]
    """x·x, as `_products` would have it."""
    s = 0.0
    for i in range(x.shape[0]):
        s = fma(x[i], x[i], s)
    return s


# --- dot, scaled dot --------------------------------------------------------------------------------------------------


def dot(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_r · k_i.

    >>> import numpy as np
    >>> dot(np.ones((1, 3)), np.array([[1.0, 0, 1], [0, 1, 0], [1, 1, 1]])).tolist()
    [[2.0, 1.0, 3.0]]
    """
    return _product(q, k, 1.0, q.dtype)


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
    return _product(q, k, _scale(q.shape[1]), q.dtype)


def scaled_dot_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n)."""
    return _scaled_backward(de, q, k, _scale(q.shape[1]))


def _scaled_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray, scale: float) -> PairGradient:
    dq, dk = np.zeros_like(q), np.zeros_like(k)
    _add_product(dq, de, k, scale)
    _add_transposed(dk, de, q, scale)
    return PairGradient(dq, dk)


# --- cosine -----------------------------------------------------------------------------------------------------------


@Kernel
def _unit_scale(S, largest, square, X):  # type: ignore[no-untyped-def]
    """S[r] = X[r] / max|X[r]| and square[r] = S[r]·S[r], in [1, d]: nothing over- or underflows. A zero row stays 0."""
    R, d = X.shape
    for r in prange(R):
        m = 0.0
        for j in range(d):
            x = abs(np.float64(X[r, j]))
            if x > m or x != x:  # NaN is kept: with zeros beside it, it must not pass for a zero vector
                m = x
        for j in range(d):
            S[r, j] = np.float64(X[r, j]) / m if m != 0.0 else 0.0
        largest[r] = m
        square[r] = _square(S[r])


@Kernel
def _cosine(e, P, qq, kk):  # type: ignore[no-untyped-def]
    """e[r, i] = P[r, i] / √(qq[r] kk[i]), clipped: rounding may lead past 1, acos and √(1 − e²) may not."""
    R, n = e.shape
    for r in prange(R):
        p, row, a = P[r], e[r], qq[r]
        for i in range(n):  # no branches: one vector to the compiler
            x = p[i] / np.sqrt(a * kk[i])
            x = 1.0 if x > 1.0 else x
            x = -1.0 if x < -1.0 else x
            row[i] = 0.0 if (a == 0.0) | (kk[i] == 0.0) else x


@Kernel
def _cosine_backward(dX, de, e, S, largest, square, Z, zz):  # type: ignore[no-untyped-def]
    """dX[r] += Σ_i de[r, i] (ẑ_i − e[r, i] x̂_r) / |x_r|,  x̂ and ẑ of length 1; a zero vector takes no gradient."""
    R, n = de.shape
    d = S.shape[1]
    for r in prange(R):
        if square[r] != 0.0:
            acc = np.zeros(d)
            along = 0.0
            for i in range(n):
                if zz[i] != 0.0:
                    w = np.float64(de[r, i]) / math.sqrt(zz[i])
                    for j in range(d):
                        acc[j] += w * Z[i, j]
                    along += np.float64(de[r, i]) * e[r, i]
            root = math.sqrt(square[r])
            for j in range(d):
                dX[r, j] += (acc[j] - along * (S[r, j] / root)) / root / largest[r]


class _Scaled(NamedTuple):
    S: np.ndarray  # (R, d) float64, rows divided by their largest coordinate
    largest: np.ndarray  # (R,)
    square: np.ndarray  # (R,) squared length of a row of S


def _scaled(X: np.ndarray) -> _Scaled:
    R, d = X.shape
    scaled = _Scaled(np.empty((R, d)), np.empty(R), np.empty(R))
    _unit_scale(*scaled, X, work=8 * X.size)
    return scaled


def _cosines(dtype: np.dtype, a: _Scaled, b: _Scaled) -> np.ndarray:
    e = np.empty((a.S.shape[0], b.S.shape[0]), dtype=dtype)
    _cosine(e, _product(a.S, b.S, 1.0, F8), a.square, b.square, work=8 * e.size)
    return e


def cosine(q: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Scores (R, n): cosine of the angle between q_r and k_i, in [−1, 1]; 0 where either is a zero vector.

    >>> import numpy as np
    >>> cosine(np.array([[1e200, 1e200]]), np.array([[1e-200, 1e-200], [0.0, 0.0]])).tolist()
    [[1.0, 0.0]]
    """
    return _cosines(q.dtype, _scaled(q), _scaled(k))


def cosine_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n); 0 for a zero vector, where the cosine has none."""
    a, b = _scaled(q), _scaled(k)
    e = _cosines(F8, a, b)
    dq, dk = np.zeros_like(q), np.zeros_like(k)
    work = de.size * (q.shape[1] + 8)
    _cosine_backward(dq, de, e, *a, b.S, b.square, work=work)
    _cosine_backward(dk, np.ascontiguousarray(de.T), np.ascontiguousarray(e.T), *b, a.S, a.square, work=work)
    return PairGradient(dq, dk)


# --- additive ---------------------------------------------------------------------------------------------------------

TANH_WORK = 20  # scalar operations that one tanh counts for
SMALL = 0.1  # below, 1 − e^(−2x) loses digits and the series has them all


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
def _additive(e, A, BT, v):  # type: ignore[no-untyped-def]
    """e[r, i] = Σ_j v_j tanh(A[r, j] + BT[j, i]); an iteration owns CELLS columns of a row."""
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
    """With t = tanh(A + B): dv += Σ de t; dA, dB += de v (1 − t²). An iteration owns column j of dA, dB, dv."""
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
    A, B = _product(q, Wq, 1.0, F8), _product(k, Wk, 1.0, F8)
    e = np.empty((q.shape[0], k.shape[0]), dtype=q.dtype)
    _additive(e, A, np.ascontiguousarray(B.T), v, work=TANH_WORK * e.size * v.size)
    return e


def additive_backward(
    de: np.ndarray, q: np.ndarray, k: np.ndarray, Wq: np.ndarray, Wk: np.ndarray, v: np.ndarray
) -> AdditiveGradient:
    """Gradients of q, k and the three parameters from de (R, n)."""
    A, B = _product(q, Wq, 1.0, F8), _product(k, Wk, 1.0, F8)
    dA, dB, dv = np.zeros(A.shape), np.zeros(B.shape), np.zeros_like(v)
    _additive_backward(dA, dB, dv, de, A, B, v, work=TANH_WORK * de.size * v.size)
    gradient = AdditiveGradient(np.zeros_like(q), np.zeros_like(k), np.zeros_like(Wq), np.zeros_like(Wk), dv)
    _add_product(gradient.dq, dA, Wq)
    _add_product(gradient.dk, dB, Wk)
    _add_transposed(gradient.dWq, dA, q)
    _add_transposed(gradient.dWk, dB, k)
    return gradient


# --- bilinear ---------------------------------------------------------------------------------------------------------


def bilinear(q: np.ndarray, k: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Scores (R, n): e[r, i] = q_rᵀ W k_i.

    >>> import numpy as np
    >>> bilinear(np.array([[1.0, 0.0]]), np.array([[3.0]]), np.array([[2.0], [5.0]])).tolist()
    [[6.0]]
    """
    P = np.zeros((q.shape[0], W.shape[1]))
    _add_product(P, q, W)
    return _product(P, k, 1.0, q.dtype)


def bilinear_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray, W: np.ndarray) -> BilinearGradient:
    """Gradients of q, k and W from de (R, n)."""
    P, dP = np.zeros((q.shape[0], W.shape[1])), np.zeros((q.shape[0], W.shape[1]))
    _add_product(P, q, W)
    _add_product(dP, de, k)
    dq = _product(dP, W, 1.0, q.dtype)
    dk, dW = np.zeros_like(k), np.zeros_like(W)
    _add_transposed(dk, de, P)
    _add_transposed(dW, q, dP)
    return BilinearGradient(dq, dk, dW)
