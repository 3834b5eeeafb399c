"""Cosines of the angles between queries and keys. Rows are first divided by their largest coordinate.

With sums in float32 the rows are brought to length 1 in float64 and rounded; a cosine of d coordinates is then within
(d + 4) · 2^-24 of the exact one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.scorers.dots import F8, PairGradient, product
from xattn.kernels.vectors import fma

__all__ = ["cosine", "cosine_backward"]


@compiled
def _square(x):  # type: ignore[no-untyped-def]
    """x·x, rounded as products are."""
    s = 0.0
    for i in range(x.shape[0]):
        s = fma(x[i], x[i], s)
    return s


@Kernel
def _unit_scale(S, largest, square, X):  # type: ignore[no-untyped-def]
    """Assigns S[r] = X[r] / max|X[r]|, that maximum, and square[r] = S[r]·S[r], which is in [1, d]: nothing over- or
    underflows. A zero row stays 0."""
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
def _cosine_forward(e, P, qq, kk):  # type: ignore[no-untyped-def]
    """Assigns e[r, i] = P[r, i] / √(qq[r] kk[i]), clipped to [−1, 1], as acos and √(1 − e²) need it."""
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
    """Adds Σ_i de[r, i] (ẑ_i − e[r, i] x̂_r) / |x_r| to dX[r], x̂ and ẑ of length 1; a zero vector takes no gradient."""
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
    _cosine_forward(e, product(a.S, b.S, 1.0, F8), a.square, b.square, work=8 * e.size)
    return e


def cosine(q: np.ndarray, k: np.ndarray, sums: np.dtype = F8) -> np.ndarray:
    """Scores (R, n): cosine of the angle between q_r and k_i, in [−1, 1]; 0 where either is a zero vector.

    `sums` float64 or, for float32 arrays, float32.

    >>> import numpy as np
    >>> cosine(np.array([[1e200, 1e200]]), np.array([[1e-200, 1e-200], [0.0, 0.0]])).tolist()
    [[1.0, 0.0]]
    """
    a, b = _scaled(q), _scaled(k)
    if sums == F8:
        return _cosines(q.dtype, a, b)
    X, Y = ((own.S / np.sqrt(np.where(own.square == 0.0, 1.0, own.square))[:, None]).astype(sums) for own in (a, b))
    e = product(X, Y, 1.0, q.dtype, sums)
    return np.clip(e, -1.0, 1.0, out=e)


def cosine_backward(de: np.ndarray, q: np.ndarray, k: np.ndarray) -> PairGradient:
    """Gradients of q and k from de (R, n); 0 for a zero vector, where the cosine has none."""
    a, b = _scaled(q), _scaled(k)
    e = _cosines(F8, a, b)
    dq, dk = np.zeros_like(q), np.zeros_like(k)
    work = de.size * (q.shape[1] + 8)
    _cosine_backward(dq, de, e, *a, b.S, b.square, work=work)
    _cosine_backward(dk, np.ascontiguousarray(de.T), np.ascontiguousarray(e.T), *b, a.S, a.square, work=work)
    return PairGradient(dq, dk)
