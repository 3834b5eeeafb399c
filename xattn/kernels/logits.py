"""Logits of many queries against many keys, in heads that may share keys: scaled products, capped, with a bias added.

    e_bij = cap · tanh(scale · q_i·k_j / cap) + bias_bij

b counts the heads of all batches (B of them), each of which reads one block of Q (·, L, d), one of K (·, n, d) and V,
and one of the mask. `where` (5, B) int64 says which, so that what is shared is stored once:

    where    Q, K and V, mask, keys before the first query (past), keys in use (length)

Query i sees the keys j with past + i − left ≤ j ≤ past + i + right and j < length. Of these, `live` (·, 1 or L, n)
takes out a key where it is False, and `bias` where it is −inf. An empty array stands for "none".

Keys that are taken out are not read: the logits of the others are packed to the front of a row, so masking equals
deletion bit for bit. A logit that is not finite is NaN. Sums run in float64 for both types. The cap: Gemma Team 2024.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled

__all__ = ["ALL_LIVE", "NO_BIAS", "TOGETHER", "attention_scores", "logits", "products", "turned"]

TOGETHER = 4  # queries that share a pass over the keys
ALL_LIVE = np.empty((0, 0, 0), dtype=np.bool_)
NO_BIAS = np.empty((0, 0, 0))


# --- products ---------------------------------------------------------------------------------------------------------


@compiled
def _four_queries(z, q, KT, lo, hi):  # type: ignore[no-untyped-def]
    """Assigns z[c, j] = q_c·k_j for four queries and the keys lo..hi−1, in float64; KT (d, n): keys side by side.

    Four coordinates of four queries share a pass over the keys. Each number is the sum over the coordinates in their
    order, wherever its key stands.
    """
    d = KT.shape[0]
    z0, z1, z2, z3 = z[0, lo:hi], z[1, lo:hi], z[2, lo:hi], z[3, lo:hi]
    for j in range(hi - lo):
        z0[j] = z1[j] = z2[j] = z3[j] = 0.0
    whole = d - d % 4
    for f in range(0, whole, 4):
        k0, k1, k2, k3 = KT[f, lo:hi], KT[f + 1, lo:hi], KT[f + 2, lo:hi], KT[f + 3, lo:hi]
        a0, a1, a2, a3 = q[0, f], q[0, f + 1], q[0, f + 2], q[0, f + 3]
        b0, b1, b2, b3 = q[1, f], q[1, f + 1], q[1, f + 2], q[1, f + 3]
        c0, c1, c2, c3 = q[2, f], q[2, f + 1], q[2, f + 2], q[2, f + 3]
        d0, d1, d2, d3 = q[3, f], q[3, f + 1], q[3, f + 2], q[3, f + 3]
        for j in range(hi - lo):
            x0, x1, x2, x3 = k0[j], k1[j], k2[j], k3[j]
            z0[j] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
            z1[j] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
            z2[j] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
            z3[j] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
    for f in range(whole, d):
        for c in range(TOGETHER):
            for j in range(lo, hi):
                z[c, j] += q[c, f] * KT[f, j]


@compiled
def products(z, Q, KT, where, b, first, left, right):  # type: ignore[no-untyped-def]
    """Assigns z (TOGETHER, n), the products of the queries first..first+3 of head b with every key that one of them may
    see; other places are left as they are."""
    L, d = Q.shape[1], Q.shape[2]
    place = where[3, b] + first
    last = min(TOGETHER, L - first) - 1
    lo, hi = max(0, place - left), min(where[4, b], place + last + right + 1)
    if lo < hi:
        q = np.zeros((TOGETHER, d))
        for c in range(last + 1):
            q[c] = Q[where[0, b], first + c]
        _four_queries(z, q, KT[where[1, b]], lo, hi)


# --- one row ----------------------------------------------------------------------------------------------------------


@compiled
def _packed(e, at, z, live, bias, lo, hi, scale, cap):  # type: ignore[no-untyped-def]
    """Assigns the logits of the live keys in lo..hi−1 to the front of e, and their places to `at`; returns how many.

    live 1 0 1 1   →   e e0 e2 e3 _    at 0 2 3 _
    """
    if live.size == 0 and bias.size == 0 and cap == 0.0:
        for j in range(lo, hi):
            s = scale * z[j]
            e[j - lo] = s if abs(s) < np.inf else np.nan
            at[j - lo] = j
        return max(hi - lo, 0)
    n = 0
    for j in range(lo, hi):
        if live.size != 0 and not live[j]:
            continue
        b = 0.0
        if bias.size != 0:
            b = np.float64(bias[j])
            if b == -np.inf:
                continue
        s = scale * z[j]
        if cap > 0.0 and abs(s) < np.inf:  # a cap must not hide what overflowed
            s = cap * math.tanh(s / cap)
        s += b
        e[n] = s if abs(s) < np.inf else np.nan
        at[n] = j
        n += 1
    return n


@compiled
def _row_of(table, block, i):  # type: ignore[no-untyped-def]
    """Row i of a block of a mask; of a table with one row for all, that one; of an empty table, an empty row."""
    if table.size == 0:
        return table.reshape(-1)
    return table[block, min(i, table.shape[1] - 1)]


@compiled
def logits(e, at, z, live, bias, where, b, i, scale, cap, left, right):  # type: ignore[no-untyped-def]
    """Assigns the logits of the keys that query i of head b sees to the front of e, and their places to `at`; returns
    how many there are. z (n,) are the query's `products`."""
    place = where[3, b] + i
    lo, hi = max(0, place - left), min(where[4, b], place + right + 1)
    return _packed(e, at, z, _row_of(live, where[2, b], i), _row_of(bias, where[2, b], i), lo, hi, scale, cap)


# --- all rows ---------------------------------------------------------------------------------------------------------


@Kernel
def _scores(E, Q, KT, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    """Assigns the logits, −inf where a key is not seen."""
    B, L, n = E.shape
    blocks = (L + TOGETHER - 1) // TOGETHER
    for r in prange(B * blocks):
        b, first = np.int64(r) // blocks, np.int64(r) % blocks * TOGETHER  # prange counts in uint64
        z, e, at = np.empty((TOGETHER, n)), np.empty(n), np.empty(n, np.int64)
        products(z, Q, KT, where, b, first, left, right)
        for i in range(first, min(L, first + TOGETHER)):
            m = logits(e, at, z[i - first], live, bias, where, b, i, scale, cap, left, right)
            E[b, i] = -np.inf
            for l in range(m):
                E[b, i, at[l]] = e[l]


def attention_scores(
    Q: np.ndarray,
    K: np.ndarray,
    where: np.ndarray,
    live: np.ndarray = ALL_LIVE,
    bias: np.ndarray = NO_BIAS,
    *,
    scale: float,
    cap: float = 0.0,
    left: int,
    right: int,
) -> np.ndarray:
    """The logits e (B, L, n), float64, that `attention` weighs by; −inf where a key is not seen.

    >>> Q, K = np.ones((1, 1, 2)), np.array([[[1.0, 2.0], [0.0, 0.0]]])
    >>> attention_scores(Q, K, np.array([[0], [0], [0], [0], [2]]), scale=2.0, left=0, right=0)
    array([[[  6., -inf]]])
    """
    B, (L, d), n = where.shape[1], Q.shape[1:], K.shape[1]
    e = np.empty((B, L, n))
    work = float(B) * L * n * (d + 4)
    _scores(e, Q, turned(K), live, bias, where, float(scale), float(cap), left, right, work=work)
    return e


def turned(K: np.ndarray) -> np.ndarray:
    """(·, n, d) as (·, d, n) float64: loops along the keys become vector code."""
    return np.ascontiguousarray(K.transpose(0, 2, 1), dtype=np.float64)
