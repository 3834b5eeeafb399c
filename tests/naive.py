"""The obvious versions: each equation written out once more in NumPy, with no thought for speed or large numbers.

Fast code is compared with these. They take the arguments of the public functions and return float64 arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray


def weights(
    e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0, threshold: float = 0.0, shift: Any = None
) -> Array:
    """a_i = exp((e_i − m)/T) / (Σ exp((e_l − m)/T))^β, row by row; masked and −inf logits left out, then set to 0."""
    a = np.zeros(e.shape)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64)
        if x.size == 0:
            continue
        m = x.max() if shift is None or shift[r] == -np.inf else shift[r]
        z = np.exp((x - m) / T)
        row = z / z.sum() ** beta
        row[row < threshold] = 0.0
        a[r][live] = row
    return a


def log_weights(e: Array, mask: Any = None, T: float = 1.0, beta: float = 1.0) -> Array:
    g = np.full(e.shape, -np.inf)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64)
        if x.size:
            z = (x - x.max()) / T
            g[r][live] = z - beta * np.log(np.exp(z).sum())
    return g


def logsumexp(e: Array, mask: Any = None, T: float = 1.0) -> Array:
    out = np.full(e.shape[0], -np.inf)
    for r in range(e.shape[0]):
        live = e[r] != -np.inf if mask is None else mask[r] & (e[r] != -np.inf)
        x = e[r][live].astype(np.float64) / T
        if x.size:
            out[r] = x.max() + np.log(np.exp(x - x.max()).sum())
    return out


def dot(q: Array, k: Array) -> Array:
    return np.array([[sum(a * b for a, b in zip(x, y, strict=True)) for y in k.astype(float)] for x in q.astype(float)])


def scaled_dot(q: Array, k: Array) -> Array:
    return dot(q, k) / np.sqrt(q.shape[1])


def cosine(q: Array, k: Array) -> Array:
    e = np.zeros((q.shape[0], k.shape[0]))
    for r, x in enumerate(q.astype(float)):
        for i, y in enumerate(k.astype(float)):
            if x.any() and y.any():
                e[r, i] = (x * y).sum() / (np.sqrt((x * x).sum()) * np.sqrt((y * y).sum()))
    return e


def additive(q: Array, k: Array, Wq: Array, Wk: Array, v: Array) -> Array:
    q, k, Wq, Wk, v = (x.astype(np.float64) for x in (q, k, Wq, Wk, v))
    return np.array([[(v * np.tanh(Wq @ x + Wk @ y)).sum() for y in k] for x in q])


def bilinear(q: Array, k: Array, W: Array) -> Array:
    q, k, W = (x.astype(np.float64) for x in (q, k, W))
    return np.array([[x @ W @ y for y in k] for x in q])


def fuse_multiply(a: Array, x: Array, mask: Any = None) -> tuple[Array, Array]:
    """(y, c): c[r, i] = a[r, i] x[i] where live, y their sum over i."""
    live = np.ones(a.shape, dtype=bool) if mask is None else mask
    c = np.zeros((*a.shape, x.shape[1]))
    for r, i in zip(*np.nonzero(live), strict=True):
        c[r, i] = float(a[r, i]) * x[i].astype(float)
    return c.sum(axis=1), c


def fuse_add(a: Array, x: Array, mask: Any = None) -> tuple[Array, Array]:
    """(y, c): c[r, i] = (x[i] + a[r, i])/N where live, N the number of live events of row r."""
    live = np.ones(a.shape, dtype=bool) if mask is None else mask
    c = np.zeros((*a.shape, x.shape[1]))
    for r, i in zip(*np.nonzero(live), strict=True):
        c[r, i] = (x[i].astype(float) + float(a[r, i])) / live[r].sum()
    return c.sum(axis=1), c


def top_k(scores: Array, allowed: Any, k: int, excluded: Any = None, indptr: Any = None) -> list[list[int]]:
    """Per row, the items that are allowed, not excluded, not NaN, by falling score, then by index; the first k."""
    best = []
    ok_rows = np.broadcast_to(True if allowed is None else allowed, scores.shape)
    for r, row in enumerate(scores):
        ok = ok_rows[r].copy()
        if excluded is not None:
            ok[excluded[indptr[r] : indptr[r + 1]]] = False
        left = [i for i in range(row.size) if ok[i] and not np.isnan(row[i])]
        best.append(sorted(left, key=lambda i: (-row[i], i))[:k])
    return best


def gradient(f: Callable[[Array], float], x: Array) -> Array:
    """Central differences of the number f(x) for every entry of x; h = ∛(2^-53) · max(1, |x|) balances both errors."""
    g = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        h = 2.0**-17.5 * max(1.0, abs(x[i]))
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        g[i] = (f(up) - f(down)) / (up[i] - down[i])
    return g
