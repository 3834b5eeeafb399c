"""Attention of many queries to many keys, in heads that may share keys: scaled dot products, softmax, sum; with its
gradient.

    y_bi = Σ_j a_bij v_cj      a_bi = softmax_j(e_bi)      e_bij = cap · tanh(scale · q_i·k_j / cap) + bias_bij

b counts the heads of all batches (B of them), each of which reads one block of Q (·, L, d), one of K (·, n, d) and
V (·, n, w), and one of the mask; `where` (5, B) int64 says which, so that what is shared is stored once:

    where    Q, K and V, mask, keys before the first query (past), keys in use (length)

Query i sees the keys j with past + i − left ≤ j ≤ past + i + right and j < length; of these `live` (·, 1 or L, n) takes
out where it is False and `bias` where it is −inf. An empty array stands for "none".

What is taken out is in no sum: a row's live keys are packed to the front, so masking equals deletion bit for bit. A
row without keys gives zeros. A live logit that is not finite makes the row NaN. Sums run in float64 for both types.

Vaswani et al. 2017; grouped heads: Ainslie et al. 2023; the cap: Gemma Team 2024.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.vectors import divide, exp_sum, peak

__all__ = ["Attention", "AttentionGradient", "attention", "attention_backward", "attention_scores"]

EXP_WORK = 20  # scalar operations that one exponential, with the bookkeeping of a key, counts for
TOGETHER = 4  # queries that share a pass over the keys
ALL_LIVE = np.empty((0, 0, 0), dtype=np.bool_)
NO_BIAS = np.empty((0, 0, 0))


class Attention(NamedTuple):
    """Outputs y (B, L, w), weights a (B, L, n; empty unless asked for) and the log of each row's Σ exp(e), (B, L)."""

    y: np.ndarray
    a: np.ndarray
    lse: np.ndarray


class AttentionGradient(NamedTuple):
    """Gradients of Q, K and V, in their shapes."""

    dq: np.ndarray
    dk: np.ndarray
    dv: np.ndarray


# --- one row ----------------------------------------------------------------------------------------------------------


@compiled
def _dot(x, y):  # type: ignore[no-untyped-def]
    """Σ x y in float64, in four chains: an order that depends on the length alone, and one vector to the compiler."""
    s0 = s1 = s2 = s3 = 0.0
    whole = x.shape[0] - x.shape[0] % 4
    for i in range(0, whole, 4):
        s0 += np.float64(x[i]) * np.float64(y[i])
        s1 += np.float64(x[i + 1]) * np.float64(y[i + 1])
        s2 += np.float64(x[i + 2]) * np.float64(y[i + 2])
        s3 += np.float64(x[i + 3]) * np.float64(y[i + 3])
    for i in range(whole, x.shape[0]):
        s0 += np.float64(x[i]) * np.float64(y[i])
    return (s0 + s1) + (s2 + s3)


@compiled
def _products(z, q, KT, lo, hi):  # type: ignore[no-untyped-def]
    """z[c, j] = q_c·k_j for four queries and the keys lo..hi−1, in float64; KT (d, n) has the keys side by side.

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
def _logits(e, at, z, live, bias, lo, hi, scale, cap):  # type: ignore[no-untyped-def]
    """Logits of the live keys in lo..hi−1 to the front of e, their places to `at`; returns how many there are.

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
def _add_values(y, a, at, V):  # type: ignore[no-untyped-def]
    """y += Σ_l a_l V[at_l], in the order of l; four at a time, so that y is read and written once for them."""
    n = a.shape[0]
    whole = n - n % 4
    for l in range(0, whole, 4):
        a0, a1, a2, a3 = a[l], a[l + 1], a[l + 2], a[l + 3]
        v0, v1, v2, v3 = V[at[l]], V[at[l + 1]], V[at[l + 2]], V[at[l + 3]]
        for c in range(y.shape[0]):
            x = y[c] + a0 * np.float64(v0[c])
            x = x + a1 * np.float64(v1[c])
            x = x + a2 * np.float64(v2[c])
            y[c] = x + a3 * np.float64(v3[c])
    for l in range(whole, n):
        v = V[at[l]]
        for c in range(y.shape[0]):
            y[c] += a[l] * np.float64(v[c])


@compiled
def _softmax(z):  # type: ignore[no-untyped-def]
    """z ← softmax(z) in place; returns log Σ exp(z), −inf for none. NaN spoils the whole row: `peak` is NaN then."""
    if z.shape[0] == 0:
        return -np.inf
    m = peak(z)
    s = exp_sum(z, z, m)
    divide(z, s)
    return m + math.log(s)


@compiled
def _row_of(table, block, i):  # type: ignore[no-untyped-def]
    """Row i of a block of a mask; of a table with one row for all, that one; of an empty table, an empty row."""
    if table.size == 0:
        return table.reshape(-1)
    return table[block, min(i, table.shape[1] - 1)]


# --- all rows ---------------------------------------------------------------------------------------------------------


@compiled
def _block(z, Q, KT, where, b, first, left, right):  # type: ignore[no-untyped-def]
    """Products of the queries first..first+3 of head b with every key that one of them may see."""
    L, d = Q.shape[1], Q.shape[2]
    place = where[3, b] + first
    last = min(TOGETHER, L - first) - 1
    lo, hi = max(0, place - left), min(where[4, b], place + last + right + 1)
    if lo < hi:
        q = np.zeros((TOGETHER, d))
        for c in range(last + 1):
            q[c] = Q[where[0, b], first + c]
        _products(z, q, KT[where[1, b]], lo, hi)


@Kernel
def _forward(Y, lse, A, Q, KT, V, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    B, L, w = Y.shape
    n = KT.shape[2]
    blocks = (L + TOGETHER - 1) // TOGETHER
    for r in prange(B * blocks):
        b, first = np.int64(r) // blocks, np.int64(r) % blocks * TOGETHER  # prange counts in uint64
        z, e, at = np.empty((TOGETHER, n)), np.empty(n), np.empty(n, np.int64)
        _block(z, Q, KT, where, b, first, left, right)
        for i in range(first, min(L, first + TOGETHER)):
            place = where[3, b] + i
            lo, hi = max(0, place - left), min(where[4, b], place + right + 1)
            seen, added = _row_of(live, where[2, b], i), _row_of(bias, where[2, b], i)
            m = _logits(e, at, z[i - first], seen, added, lo, hi, scale, cap)
            lse[b, i] = _softmax(e[:m])
            acc = np.zeros(w)
            _add_values(acc, e[:m], at, V[where[1, b]])
            for c in range(w):
                Y[b, i, c] = acc[c]
            if A.size != 0:
                A[b, i] = 0.0
                for l in range(m):
                    A[b, i, at[l]] = e[l]


@Kernel
def _scores(E, Q, KT, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    """The logits themselves, −inf where a key is not seen."""
    B, L, n = E.shape
    blocks = (L + TOGETHER - 1) // TOGETHER
    for r in prange(B * blocks):
        b, first = np.int64(r) // blocks, np.int64(r) % blocks * TOGETHER
        z, e, at = np.empty((TOGETHER, n)), np.empty(n), np.empty(n, np.int64)
        _block(z, Q, KT, where, b, first, left, right)
        for i in range(first, min(L, first + TOGETHER)):
            place = where[3, b] + i
            lo, hi = max(0, place - left), min(where[4, b], place + right + 1)
            seen, added = _row_of(live, where[2, b], i), _row_of(bias, where[2, b], i)
            m = _logits(e, at, z[i - first], seen, added, lo, hi, scale, cap)
            E[b, i] = -np.inf
            for l in range(m):
                E[b, i, at[l]] = e[l]


@Kernel
def _backward_of_queries(dE, dQ, dY, A, Q, K, V, where, scale, cap):  # type: ignore[no-untyped-def]
    """de_j = a_j (dy·v_j − Σ_l a_l dy·v_l) · (1 − tanh²),  dq = scale Σ_j de_j k_j. A weight of 0 passes nothing on."""
    B, L, n = dE.shape
    d = Q.shape[2]
    for r in prange(B * L):
        b, i = np.int64(r) // L, np.int64(r) % L
        q, kv = Q[where[0, b], i], where[1, b]
        G = 0.0
        for j in range(n):
            if A[b, i, j] != 0.0:
                dE[b, i, j] = _dot(dY[b, i], V[kv, j])
                G += np.float64(A[b, i, j]) * dE[b, i, j]
        acc = np.zeros(d)
        for j in range(n):
            if A[b, i, j] != 0.0:
                g = np.float64(A[b, i, j]) * (dE[b, i, j] - G)
                if cap > 0.0:
                    t = math.tanh(scale * _dot(q, K[kv, j]) / cap)
                    g *= 1.0 - t * t
                dE[b, i, j] = g
                for c in range(d):
                    acc[c] += scale * g * np.float64(K[kv, j, c])
            else:
                dE[b, i, j] = 0.0
        for c in range(d):
            dQ[b, i, c] = acc[c]


@Kernel
def _backward_of_keys(dK, dV, dE, dY, A, Q, where, scale):  # type: ignore[no-untyped-def]
    """dk_j = scale Σ_i de_ij q_i,  dv_j = Σ_i a_ij dy_i; an iteration owns key j of head b."""
    B, n, d = dK.shape
    w = dV.shape[2]
    for r in prange(B * n):
        b, j = np.int64(r) // n, np.int64(r) % n
        k, v = np.zeros(d), np.zeros(w)
        for i in range(A.shape[1]):
            a = np.float64(A[b, i, j])
            if a != 0.0:
                g = scale * dE[b, i, j]
                for c in range(d):
                    k[c] += g * np.float64(Q[where[0, b], i, c])
                for c in range(w):
                    v[c] += a * np.float64(dY[b, i, c])
        for c in range(d):
            dK[b, j, c] = k[c]
        for c in range(w):
            dV[b, j, c] = v[c]


# --- what others call -------------------------------------------------------------------------------------------------


def attention(
    Q: np.ndarray,
    K: np.ndarray,
    V: np.ndarray,
    where: np.ndarray,
    live: np.ndarray = ALL_LIVE,
    bias: np.ndarray = NO_BIAS,
    *,
    scale: float,
    cap: float = 0.0,
    left: int,
    right: int,
    want_weights: bool = False,
) -> Attention:
    """Attend with the blocks of Q to those of K and V that `where` pairs; see the top of this file for every argument.

    >>> Q, K, V = np.ones((1, 1, 1)), np.zeros((1, 2, 1)), np.array([[[1.0], [3.0]]])
    >>> attention(Q, K, V, np.array([[0], [0], [0], [0], [2]]), scale=1.0, left=2, right=2).y
    array([[[2.]]])
    """
    B, (L, d), (n, w) = where.shape[1], Q.shape[1:], V.shape[1:]
    y, lse = np.zeros((B, L, w), Q.dtype), np.empty((B, L))
    a = np.zeros((B, L, n) if want_weights else (0, 0, 0), Q.dtype)
    work = float(B) * L * n * (d + w + EXP_WORK)
    _forward(y, lse, a, Q, _turned(K), V, live, bias, where, float(scale), float(cap), left, right, work=work)
    return Attention(y, a, lse)


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
    _scores(e, Q, _turned(K), live, bias, where, float(scale), float(cap), left, right, work=float(B) * L * n * (d + 4))
    return e


def _turned(K: np.ndarray) -> np.ndarray:
    """(·, n, d) as (·, d, n) float64: loops along the keys become vector code."""
    return np.ascontiguousarray(K.transpose(0, 2, 1), dtype=np.float64)


def attention_backward(
    dy: np.ndarray,
    a: np.ndarray,
    Q: np.ndarray,
    K: np.ndarray,
    V: np.ndarray,
    where: np.ndarray,
    *,
    scale: float,
    cap: float = 0.0,
) -> AttentionGradient:
    """Gradients from dy (B, L, w) for the weights `a` (B, L, n) that `attention` gave; 0 where nothing was read.

    >>> Q, K, V = np.ones((1, 1, 1)), np.zeros((1, 2, 1)), np.array([[[1.0], [3.0]]])
    >>> where = np.array([[0], [0], [0], [0], [2]])
    >>> a = attention(Q, K, V, where, scale=1.0, left=2, right=2, want_weights=True).a
    >>> attention_backward(np.ones((1, 1, 1)), a, Q, K, V, where, scale=1.0).dk.ravel().tolist()
    [-0.5, 0.5]
    """
    B, L, n = a.shape
    d, w = Q.shape[2], V.shape[2]
    dE, dQ = np.empty(a.shape), np.empty((B, L, d))
    dK, dV = np.empty((B, n, d)), np.empty((B, n, w))
    work = float(B) * L * n * (d + w + EXP_WORK)
    _backward_of_queries(dE, dQ, dy, a, Q, K, V, where, float(scale), float(cap), work=work)
    _backward_of_keys(dK, dV, dE, dy, a, Q, where, float(scale), work=work)
    return AttentionGradient(_gathered(dQ, where[0], Q), _gathered(dK, where[1], K), _gathered(dV, where[1], V))


def _gathered(parts: np.ndarray, block: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Σ of the parts of each block: heads that share a block add up, in the order of the heads."""
    whole = np.zeros(like.shape)
    np.add.at(whole, block, parts)
    return whole.astype(like.dtype)
