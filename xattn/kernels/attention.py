"""Attention of many queries to many keys, in heads that may share keys: scaled dot products, softmax, sum; with its
gradient.

    y_bi = Σ_j a_bij v_cj      a_bi = softmax_j(e_bi)      e_bij = cap · tanh(scale · q_i·k_j / cap) + bias_bij

b counts the heads of all batches (B of them), each of which reads one block of Q (·, L, d), one of K (·, n, d) and
V (·, n, w), and one of the mask; `where` (5, B) int64 says which, so that what is shared is stored once:

    where    Q, K and V, mask, keys before the first query (past), keys in use (length)

Query i sees the keys j with past + i − left ≤ j ≤ past + i + right and j < length; of these `live` (·, 1 or L, n) takes
out where it is False and `bias` where it is −inf. An empty array stands for "none".

What is taken out is never read: a row's live keys are packed to the front, so masking equals deletion bit for bit. A
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
NOTHING = np.empty((0, 0, 0))  # a table that is not wanted
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
def _logits(z, at, q, K, live, bias, lo, hi, scale, cap):  # type: ignore[no-untyped-def]
    """Logits of the live keys in lo..hi−1 to the front of z, their places to `at`; returns how many there are.

    live 1 0 1 1   →   z e0 e2 e3 _    at 0 2 3 _
    """
    n = 0
    for j in range(lo, hi):
        if live.size != 0 and not live[j]:
            continue
        b = 0.0
        if bias.size != 0:
            b = np.float64(bias[j])
            if b == -np.inf:
                continue
        s = scale * _dot(q, K[j])
        if cap > 0.0 and math.isfinite(s):  # a cap must not hide what overflowed
            s = cap * math.tanh(s / cap)
        s += b
        z[n] = s if math.isfinite(s) else np.nan
        at[n] = j
        n += 1
    return n


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


@Kernel
def _forward(Y, lse, A, Q, K, V, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    B, L, w = Y.shape
    n = K.shape[1]
    for r in prange(B * L):
        b, i = np.int64(r) // L, np.int64(r) % L  # prange counts in uint64
        block, kv, mask, first, length = where[0, b], where[1, b], where[2, b], where[3, b] + i, where[4, b]
        z, at = np.empty(n), np.empty(n, np.int64)
        lo, hi = max(0, first - left), min(length, first + right + 1)
        m = _logits(z, at, Q[block, i], K[kv], _row_of(live, mask, i), _row_of(bias, mask, i), lo, hi, scale, cap)
        lse[b, i] = _softmax(z[:m])
        acc = np.zeros(w)
        for l in range(m):
            a = z[l]
            v = V[kv, at[l]]
            for c in range(w):
                acc[c] += a * np.float64(v[c])
        for c in range(w):
            Y[b, i, c] = acc[c]
        if A.size != 0:
            A[b, i] = 0.0
            for l in range(m):
                A[b, i, at[l]] = z[l]


@Kernel
def _scores(E, Q, K, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    """The logits themselves, −inf where a key is not seen."""
    B, L, n = E.shape
    for r in prange(B * L):
        b, i = np.int64(r) // L, np.int64(r) % L
        block, kv, mask, first, length = where[0, b], where[1, b], where[2, b], where[3, b] + i, where[4, b]
        z, at = np.empty(n), np.empty(n, np.int64)
        lo, hi = max(0, first - left), min(length, first + right + 1)
        m = _logits(z, at, Q[block, i], K[kv], _row_of(live, mask, i), _row_of(bias, mask, i), lo, hi, scale, cap)
        E[b, i] = -np.inf
        for l in range(m):
            E[b, i, at[l]] = z[l]


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
    _forward(y, lse, a, Q, K, V, live, bias, where, float(scale), float(cap), left, right, work=work)
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
    """The logits e (B, L, n) that `attention` weighs by, of Q's type; −inf where a key is not seen.

    >>> Q, K = np.ones((1, 1, 2)), np.array([[[1.0, 2.0], [0.0, 0.0]]])
    >>> attention_scores(Q, K, np.array([[0], [0], [0], [0], [2]]), scale=2.0, left=0, right=0)
    array([[[  6., -inf]]])
    """
    B, (L, d), n = where.shape[1], Q.shape[1:], K.shape[1]
    e = np.empty((B, L, n), Q.dtype)
    _scores(e, Q, K, live, bias, where, float(scale), float(cap), left, right, work=float(B) * L * n * (d + 4))
    return e


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
