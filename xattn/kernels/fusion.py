"""Fusion of a history: its events' vectors become one vector, by weights, in the article's two ways (§3.2, step 3).

    multiply   y = Σ_i a_i x_i                     contribution of event i:  a_i x_i
    add        y = (1/N) Σ_i (x_i + a_i 1)         contribution of event i:  (x_i + a_i 1)/N,   N live events

Weights a (R, n), one row per way of attending; vectors x (n, d), shared by the rows; fused y (R, d). Ragged: a (N,)
and x (N, d), cut by `indptr` (R + 1), each row with vectors of its own. `mask` marks live events as in softmax.py: the
others are never read. Contributions add up to y: they are its terms. An empty history fuses to 0.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled

__all__ = [
    "Fused",
    "FusionGradient",
    "fuse_add",
    "fuse_add_backward",
    "fuse_multiply",
    "fuse_multiply_backward",
    "fuse_ragged",
    "fuse_ragged_backward",
]


class Fused(NamedTuple):
    """A fused vector per row, y (R, d), with what each event put into it, c (R, n, d), or (N, d) when ragged."""

    y: np.ndarray
    c: np.ndarray


class FusionGradient(NamedTuple):
    """Gradients of the weights and of the vectors, in their shapes."""

    da: np.ndarray
    dx: np.ndarray


# --- multiply, the rows sharing their vectors -------------------------------------------------------------------------


@compiled
def _multiply_row(y, c, a, live, X):  # type: ignore[no-untyped-def]
    """Assigns the fused vector y (d,) of one row and its contributions c (n, d)."""
    n, d = X.shape
    acc = np.zeros(d)
    for i in range(n):
        if live.size == 0 or live[i]:
            for j in range(d):
                term = np.float64(a[i]) * np.float64(X[i, j])
                acc[j] += term
                c[i, j] = term
        else:
            for j in range(d):
                c[i, j] = 0.0
    for j in range(d):
        y[j] = acc[j]


@Kernel
def _fuse_multiply_forward(y, c, a, live, X):  # type: ignore[no-untyped-def]
    """Assigns the fused vectors y and the contributions c."""
    R, n = a.shape
    for r in prange(R):
        _multiply_row(y[r], c[r], a[r], live[r * n : (r + 1) * n], X)


@Kernel
def _fuse_multiply_backward(da, dX, dy, a, live, X):  # type: ignore[no-untyped-def]
    """Adds dy_r·x_i to da[r, i], and Σ_r a[r, i] dy_r to dX[i]; an iteration owns event i, because the rows share X."""
    R, n = a.shape
    d = X.shape[1]
    for i in prange(n):
        acc = np.zeros(d)
        for r in range(R):
            if live.size == 0 or live[r * n + i]:
                s = 0.0
                for j in range(d):
                    s += np.float64(dy[r, j]) * X[i, j]
                    acc[j] += np.float64(a[r, i]) * dy[r, j]
                da[r, i] += s
        for j in range(d):
            dX[i, j] += acc[j]


def _flat(mask: np.ndarray | None) -> np.ndarray:
    return np.empty(0, dtype=np.bool_) if mask is None else mask.reshape(-1)


def _room(a: np.ndarray, x: np.ndarray) -> Fused:
    R, n = a.shape
    return Fused(np.empty((R, x.shape[1]), dtype=x.dtype), np.empty((R, n, x.shape[1]), dtype=x.dtype))


def fuse_multiply(a: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None) -> Fused:
    """Weighted sums y (R, d) of the vectors x (n, d) for the weights a (R, n), with the contributions c (R, n, d).

    >>> import numpy as np
    >>> fuse_multiply(np.array([[0.25, 0.75]]), np.array([[4.0, 0.0], [0.0, 8.0]])).y.tolist()
    [[1.0, 6.0]]
    """
    out = _room(a, x)
    _fuse_multiply_forward(*out, a, _flat(mask), x, work=2 * out.c.size)
    return out


def fuse_multiply_backward(
    dy: np.ndarray, a: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None
) -> FusionGradient:
    """Gradients of a and x from dy (R, d); 0 for masked events."""
    gradient = FusionGradient(np.zeros_like(a), np.zeros_like(x))
    _fuse_multiply_backward(*gradient, dy, a, _flat(mask), x, work=4 * a.size * x.shape[1])
    return gradient


# --- multiply, ragged -------------------------------------------------------------------------------------------------


@Kernel
def _fuse_ragged_forward(y, c, a, indptr, live, X):  # type: ignore[no-untyped-def]
    """Assigns the fused vectors y and the contributions c."""
    for r in prange(indptr.shape[0] - 1):
        lo, hi = indptr[r], indptr[r + 1]
        _multiply_row(y[r], c[lo:hi], a[lo:hi], live[lo:hi], X[lo:hi])


@Kernel
def _fuse_ragged_backward(da, dX, dy, a, indptr, live, X):  # type: ignore[no-untyped-def]
    """Adds dy_r·x_i to da_i, and a_i dy_r to dX[i], for the events i of row r; an iteration owns all of them."""
    for r in prange(indptr.shape[0] - 1):
        for i in range(indptr[r], indptr[r + 1]):
            if live.size == 0 or live[i]:
                s = 0.0
                for j in range(X.shape[1]):
                    s += np.float64(dy[r, j]) * X[i, j]
                    dX[i, j] += a[i] * dy[r, j]
                da[i] += s


def fuse_ragged(a: np.ndarray, indptr: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None) -> Fused:
    """Weighted sums y (R, d) over ragged rows: the events of row r are indptr[r] … indptr[r+1] − 1 of a (N,), x (N, d).

    >>> import numpy as np
    >>> fuse_ragged(np.ones(3), np.array([0, 2, 2, 3]), np.array([[1.0], [2.0], [4.0]])).y.tolist()
    [[3.0], [0.0], [4.0]]
    """
    out = Fused(np.empty((indptr.shape[0] - 1, x.shape[1]), dtype=x.dtype), np.empty_like(x))
    _fuse_ragged_forward(*out, a, indptr, _flat(mask), x, work=2 * x.size)
    return out


def fuse_ragged_backward(
    dy: np.ndarray, a: np.ndarray, indptr: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None
) -> FusionGradient:
    """Gradients of a (N,) and x (N, d) from dy (R, d); 0 for masked events."""
    gradient = FusionGradient(np.zeros_like(a), np.zeros_like(x))
    _fuse_ragged_backward(*gradient, dy, a, indptr, _flat(mask), x, work=4 * x.size)
    return gradient


# --- add --------------------------------------------------------------------------------------------------------------


@Kernel
def _fuse_add_forward(y, c, a, live, X):  # type: ignore[no-untyped-def]
    """Assigns the fused vectors y and the contributions c."""
    R, n = a.shape
    d = X.shape[1]
    for r in prange(R):
        N = 0
        for i in range(n):
            if live.size == 0 or live[r * n + i]:
                N += 1
        acc = np.zeros(d)
        for i in range(n):
            if live.size == 0 or live[r * n + i]:
                for j in range(d):
                    term = (np.float64(X[i, j]) + np.float64(a[r, i])) / N
                    acc[j] += term
                    c[r, i, j] = term
            else:
                for j in range(d):
                    c[r, i, j] = 0.0
        for j in range(d):
            y[r, j] = acc[j]


@Kernel
def _fuse_add_backward(da, dX, dy, N, live):  # type: ignore[no-untyped-def]
    """Adds Σ_j dy[r, j] / N_r to da[r, i], and Σ_r dy_r / N_r to dX[i]; an iteration owns event i, because the rows
    share X."""
    R, n = da.shape
    d = dX.shape[1]
    for i in prange(n):
        acc = np.zeros(d)
        for r in range(R):
            if live.size == 0 or live[r * n + i]:
                s = 0.0
                for j in range(d):
                    share = np.float64(dy[r, j]) / N[r]
                    s += share
                    acc[j] += share
                da[r, i] += s
        for j in range(d):
            dX[i, j] += acc[j]


def fuse_add(a: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None) -> Fused:
    """Means y (R, d) over the live events of x_i + a_i (the weight joins every coordinate); contributions c (R, n, d).

    >>> import numpy as np
    >>> fuse_add(np.array([[0.25, 0.75]]), np.array([[4.0, 0.0], [0.0, 8.0]])).y.tolist()
    [[2.5, 4.5]]
    """
    out = _room(a, x)
    _fuse_add_forward(*out, a, _flat(mask), x, work=4 * out.c.size)
    return out


def fuse_add_backward(dy: np.ndarray, a: np.ndarray, x: np.ndarray, mask: np.ndarray | None = None) -> FusionGradient:
    """Gradients of a and x from dy (R, d); 0 for masked events."""
    R, n = a.shape
    N = np.full(R, n, dtype=np.int64) if mask is None else np.count_nonzero(mask, axis=1).astype(np.int64)
    gradient = FusionGradient(np.zeros_like(a), np.zeros_like(x))
    _fuse_add_backward(*gradient, dy, N, _flat(mask), work=4 * a.size * x.shape[1])
    return gradient
