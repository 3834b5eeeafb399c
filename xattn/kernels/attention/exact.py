"""Attention of many queries to many keys, in heads that may share keys: softmax of the logits, weighted sum of values.

    y_bi = Σ_j a_bij v_cj      a_bi = softmax_j(e_bi)      e_bi the logits of `logits.py`

The arrays, `where`, the masks and the range of keys that a query sees are those of `logits.py`. What is masked is in no
sum, so masking equals deletion bit for bit. A row without keys gives zeros. A live logit that is not finite makes the
row NaN. Sums run in float64 for both types.

Vaswani et al. 2017; grouped heads: Ainslie et al. 2023.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.logits import ALL_LIVE, NO_BIAS, TOGETHER, logits, products, turned
from xattn.kernels.vectors import divide, exp_sum, peak

__all__ = ["Attention", "AttentionGradient", "attention", "attention_backward"]

EXP_WORK = 20  # scalar operations that one exponential, with the bookkeeping of a key, counts for


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
def _add_values(y, a, at, V):  # type: ignore[no-untyped-def]
    """Adds Σ_l a_l V[at_l] to y in the order of l, four at a time, so that y is read and written once for them."""
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
    """Turns z into its softmax in place; returns log Σ exp(z), −inf for none. NaN spoils the row, through `peak`."""
    if z.shape[0] == 0:
        return -np.inf
    m = peak(z)
    s = exp_sum(z, z, m)
    divide(z, s)
    return m + math.log(s)


# --- all rows ---------------------------------------------------------------------------------------------------------


@Kernel
def _forward(Y, lse, A, Q, KT, V, live, bias, where, scale, cap, left, right):  # type: ignore[no-untyped-def]
    """Assigns the outputs, the log-sum-exps, and the weights unless A is empty."""
    B, L, w = Y.shape
    n = KT.shape[2]
    blocks = (L + TOGETHER - 1) // TOGETHER
    for r in prange(B * blocks):
        b, first = np.int64(r) // blocks, np.int64(r) % blocks * TOGETHER  # prange counts in uint64
        z, e, at = np.empty((TOGETHER, n)), np.empty(n), np.empty(n, np.int64)
        # 1 logits
        products(z, Q, KT, where, b, first, left, right)
        for i in range(first, min(L, first + TOGETHER)):
            m = logits(e, at, z[i - first], live, bias, where, b, i, scale, cap, left, right)
            # 2 weights
            lse[b, i] = _softmax(e[:m])
            # 3 outputs
            acc = np.zeros(w)
            _add_values(acc, e[:m], at, V[where[1, b]])
            for c in range(w):
                Y[b, i, c] = acc[c]
            if A.size != 0:
                A[b, i] = 0.0
                for l in range(m):
                    A[b, i, at[l]] = e[l]


@Kernel
def _backward_of_queries(dE, dQ, dY, A, Q, K, V, where, scale, cap):  # type: ignore[no-untyped-def]
    """Adds de_j = a_j (dy·v_j − Σ_l a_l dy·v_l) · (1 − tanh²) to dE, and scale Σ_j de_j k_j to dQ.

    A weight of 0 passes nothing on.
    """
    B, L, n = dE.shape
    d = Q.shape[2]
    for r in prange(B * L):
        b, i = np.int64(r) // L, np.int64(r) % L
        q, kv = Q[where[0, b], i], where[1, b]
        # 3 gradients of the weights
        da = np.empty(n)
        G = 0.0
        for j in range(n):
            if A[b, i, j] != 0.0:
                da[j] = _dot(dY[b, i], V[kv, j])
                G += np.float64(A[b, i, j]) * da[j]
        acc = np.zeros(d)
        for j in range(n):
            if A[b, i, j] != 0.0:
                # 2 gradient of the logit
                de = np.float64(A[b, i, j]) * (da[j] - G)
                if cap > 0.0:
                    t = math.tanh(scale * _dot(q, K[kv, j]) / cap)
                    de *= 1.0 - t * t
                dE[b, i, j] += de
                # 1 gradient of the query
                for c in range(d):
                    acc[c] += scale * de * np.float64(K[kv, j, c])
        for c in range(d):
            dQ[b, i, c] += acc[c]


@Kernel
def _backward_of_keys(dK, dV, dE, dY, A, Q, where, scale):  # type: ignore[no-untyped-def]
    """Adds scale Σ_i de_ij q_i to dK[j], and Σ_i a_ij dy_i to dV[j]; an iteration owns key j of head b."""
    B, n, d = dK.shape
    w = dV.shape[2]
    for r in prange(B * n):
        b, j = np.int64(r) // n, np.int64(r) % n
        k, v = np.zeros(d), np.zeros(w)
        for i in range(A.shape[1]):
            a = np.float64(A[b, i, j])
            if a != 0.0:
                # 3 gradient of the value
                for c in range(w):
                    v[c] += a * np.float64(dY[b, i, c])
                # 1 gradient of the key
                de = scale * dE[b, i, j]
                for c in range(d):
                    k[c] += de * np.float64(Q[where[0, b], i, c])
        for c in range(d):
            dK[b, j, c] += k[c]
        for c in range(w):
            dV[b, j, c] += v[c]


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
    """Attend with the blocks of Q to those of K and V that `where` pairs; see the top of `logits.py` for the arguments.

    >>> Q, K, V = np.ones((1, 1, 1)), np.zeros((1, 2, 1)), np.array([[[1.0], [3.0]]])
    >>> attention(Q, K, V, np.array([[0], [0], [0], [0], [2]]), scale=1.0, left=2, right=2).y
    array([[[2.]]])
    """
    B, (L, d), (n, w) = where.shape[1], Q.shape[1:], V.shape[1:]
    y, lse = np.empty((B, L, w), Q.dtype), np.empty((B, L))
    a = np.empty((B, L, n) if want_weights else (0, 0, 0), Q.dtype)
    work = float(B) * L * n * (d + w + EXP_WORK)
    _forward(y, lse, a, Q, turned(K), V, live, bias, where, float(scale), float(cap), left, right, work=work)
    return Attention(y, a, lse)


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
    dE, dQ, dK, dV = (np.zeros(shape) for shape in (a.shape, (B, L, d), (B, n, d), (B, n, w)))
    work = float(B) * L * n * (d + w + EXP_WORK)
    _backward_of_queries(dE, dQ, dy, a, Q, K, V, where, float(scale), float(cap), work=work)
    _backward_of_keys(dK, dV, dE, dy, a, Q, where, float(scale), work=work)
    return AttentionGradient(_gathered(dQ, where[0], Q), _gathered(dK, where[1], K), _gathered(dV, where[1], V))


def _gathered(parts: np.ndarray, block: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Σ of the parts of each block: heads that share a block add up, in the order of the heads."""
    whole = np.zeros(like.shape)
    np.add.at(whole, block, parts)
    return whole.astype(like.dtype)
