"""Causal attention over ragged sequences with linear values, forward and backward.

Position t of a sequence attends to the positions i ≤ t of the same sequence that are at most L − 1 older:

    e_hti = ⟨Q_th, K_ih⟩ · scale + r_h,t−i         m = max_i e_hti
    a_hti = exp(e_hti − m) / (Σ_l exp(e_htl − m))^β                    (docs/model.md, eq. 2)
    O_t   = Σ_h Σ_i a_hti V_ih

N positions, H heads, keys of dk and values of d numbers. Weights are kept by age g = t − i, newest first, so that the
recency bias r (H, L) is a row that all positions share; the newest stands last, so that ages and positions run alike:

    position     0  1  2 | 3  4          start   0  0  0 | 3  3
    A[4, h]      0 … 0   a_3   a_4       (L,)

Backward: with G = Σ_i a_i ∂a_i and p_i = exp(e_i − m)/Σ,  ∂e_i = a_i ∂a_i − β p_i G − [i is the largest] (1 − β) G. The
last term comes from m, which does not cancel for β < 1.

Four neighbouring positions, a *tile*, are computed together, because they read nearly the same rows of K and V. Every
product is then a (4 × F) by (F × W) one, and its innermost loop runs along contiguous numbers.

Every row is owned by one iteration: dQ by the tile of the query, dK and dV by the tile of the key. So results are
bitwise equal at every thread count.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled, compiled_for_vectors
from xattn.kernels.vectors import exp_sum

__all__ = ["CausalAttention", "CausalGradient", "causal_attention", "causal_attention_backward"]


TILE = 4


class CausalAttention(NamedTuple):
    """Outputs, and the weights and sums that made them."""

    O: np.ndarray  # (N, d)
    A: np.ndarray  # (N, H, L) weights by age, age 0 last; 0 where there is no event so old
    S: np.ndarray  # (N, H) Σ_i exp(e_i − m)


class CausalGradient(NamedTuple):
    """Gradients of Q, K, V and r, in their shapes."""

    dQ: np.ndarray
    dK: np.ndarray
    dV: np.ndarray
    dr: np.ndarray


@compiled_for_vectors
def _add_product(out, W, a, F, B, row, column):  # type: ignore[no-untyped-def]
    """Adds to out[c, :W] the Σ_f a[c, f] B[row + f, column : column + W] for the four rows c."""
    o0, o1, o2, o3 = out[0], out[1], out[2], out[3]
    whole = F - F % 4
    for f in range(0, whole, 4):
        b0, b1, b2, b3 = B[row + f], B[row + f + 1], B[row + f + 2], B[row + f + 3]
        p0, p1, p2, p3 = a[0, f], a[0, f + 1], a[0, f + 2], a[0, f + 3]
        q0, q1, q2, q3 = a[1, f], a[1, f + 1], a[1, f + 2], a[1, f + 3]
        r0, r1, r2, r3 = a[2, f], a[2, f + 1], a[2, f + 2], a[2, f + 3]
        s0, s1, s2, s3 = a[3, f], a[3, f + 1], a[3, f + 2], a[3, f + 3]
        for i in range(W):
            x0, x1, x2, x3 = b0[column + i], b1[column + i], b2[column + i], b3[column + i]
            o0[i] += p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3
            o1[i] += q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3
            o2[i] += r0 * x0 + r1 * x1 + r2 * x2 + r3 * x3
            o3[i] += s0 * x0 + s1 * x1 + s2 * x2 + s3 * x3
    for f in range(whole, F):
        b = B[row + f]
        for i in range(W):
            o0[i] += a[0, f] * b[column + i]
            o1[i] += a[1, f] * b[column + i]
            o2[i] += a[2, f] * b[column + i]
            o3[i] += a[3, f] * b[column + i]


@compiled
def _weigh(z, first, last, bias, shift, scale, beta):  # type: ignore[no-untyped-def]
    """Turns the products z into weights in place, 0 outside of first..last−1; returns Σ exp(e − m)."""
    m = -np.inf
    for i in range(first, last):
        z[i] = z[i] * scale + bias[shift + i]
        m = max(m, z[i])
    total = exp_sum(z[first:last], z[first:last], z.dtype.type(m))
    norm = total ** (-beta)
    for i in range(first, last):
        z[i] *= norm
    z[:first] = 0
    z[last:] = 0
    return total


@Kernel
def _forward(O, A, S, tile, count, start, Q, KT, V, bias, keep, scale, beta):  # type: ignore[no-untyped-def]
    """Assigns O, A and S; `keep` multiplies the weights on their way to O, or is empty."""
    H, L = bias.shape
    dk, d = Q.shape[2], V.shape[2]
    for b in prange(tile.shape[0]):
        t, n = tile[b], count[b]
        low = max(start[t], t - L + 1)
        W = t + n - low
        z = np.empty((TILE, W), Q.dtype)
        q = np.zeros((TILE, dk), Q.dtype)
        out = np.zeros((TILE, d), Q.dtype)
        for h in range(H):
            # 1 products of the tile's queries with the keys
            z[:] = 0
            q[:n] = Q[h, t : t + n]
            _add_product(z, W, q, dk, KT[h], 0, low)
            # 2 weights
            for c in range(n):
                first, last = max(start[t], t + c - L + 1) - low, t + c - low + 1
                shift = L - last
                S[t + c, h] = _weigh(z[c], first, last, bias[h], shift, scale, beta)
                A[t + c, h, : shift + first] = 0
                for i in range(first, last):
                    A[t + c, h, shift + i] = z[c, i]
                    if keep.shape[0] > 0:
                        z[c, i] *= keep[t + c, h, shift + i]
            # 3 outputs
            _add_product(out, d, z, W, V[h], low, 0)
        O[t : t + n] = out[:n]


@Kernel
def _backward_of_queries(dE, dQ, dO, A, S, tile, count, start, K, VT, keep, scale, beta):  # type: ignore[no-untyped-def]
    """Adds the gradients of the logits by age to dE (N, H, L), and those of the queries to dQ."""
    H, L = A.shape[1], A.shape[2]
    dk, d = K.shape[2], dO.shape[1]
    for b in prange(tile.shape[0]):
        t, n = tile[b], count[b]
        low = max(start[t], t - L + 1)
        W = t + n - low
        z = np.empty((TILE, W), dO.dtype)
        g = np.zeros((TILE, d), dO.dtype)
        g[:n] = dO[t : t + n]
        out = np.empty((TILE, dk), dO.dtype)
        for h in range(H):
            # 3 gradients of the weights
            z[:] = 0
            _add_product(z, W, g, d, VT[h], 0, low)
            # 2 gradients of the logits
            for c in range(n):
                first, last = max(start[t], t + c - L + 1) - low, t + c - low + 1
                shift = L - last
                a, de, x = A[t + c, h], dE[t + c, h], z[c]
                G = 0.0
                largest = last - 1 + shift
                for i in range(first, last):
                    if keep.shape[0] > 0:
                        x[i] *= keep[t + c, h, shift + i]
                    x[i] *= a[shift + i]
                    G += x[i]
                    if a[shift + i] > a[largest]:
                        largest = shift + i
                share = beta * S[t + c, h] ** (beta - 1.0) * G
                for i in range(first, last):
                    x[i] -= share * a[shift + i]
                x[largest - shift] -= (1.0 - beta) * G
                x[:first] = 0
                x[last:] = 0
                for i in range(first, last):
                    de[shift + i] += x[i]
            # 1 gradients of the queries
            out[:] = 0
            _add_product(out, dk, z, W, K[h], low, 0)
            for c in range(n):
                for f in range(dk):
                    dQ[h, t + c, f] += out[c, f] * scale


@Kernel
def _backward_of_keys(dK, dV, dO, dE, A, tile, count, stop, Q, keep, scale):  # type: ignore[no-untyped-def]
    """Adds the gradients of the keys to dK, and those of the values to dV."""
    H, L = A.shape[1], A.shape[2]
    dk, d = Q.shape[2], dO.shape[1]
    for b in prange(tile.shape[0]):
        i, n = tile[b], count[b]
        W = min(stop[i], i + n - 1 + L) - i  # positions i..i+W−1 may look at the tile
        a = np.empty((TILE, W), dO.dtype)
        e = np.empty((TILE, W), dO.dtype)
        outK = np.empty((TILE, dk), dO.dtype)
        outV = np.empty((TILE, d), dO.dtype)
        for h in range(H):
            a[:] = 0
            e[:] = 0
            for c in range(n):
                for g in range(min(L, W - c)):
                    t, at = i + c + g, L - 1 - g
                    e[c, c + g] = dE[t, h, at] * scale
                    a[c, c + g] = A[t, h, at] * keep[t, h, at] if keep.shape[0] > 0 else A[t, h, at]
            # 3 gradients of the values
            outV[:] = 0
            _add_product(outV, d, a, W, dO, i, 0)
            dV[h, i : i + n] += outV[:n]
            # 1 gradients of the keys
            outK[:] = 0
            _add_product(outK, dk, e, W, Q[h], i, 0)
            dK[h, i : i + n] += outK[:n]


def _tiles(start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First positions and lengths (1 to TILE) of tiles that cover every sequence and cross no border."""
    t = np.arange(len(start))
    tile = t[(t - start) % TILE == 0]
    return tile, np.diff(np.append(tile, len(start)))


def causal_attention(
    Q: np.ndarray,
    K: np.ndarray,
    V: np.ndarray,
    r: np.ndarray,
    start: np.ndarray,
    *,
    scale: float,
    beta: float,
    keep: np.ndarray | None = None,
) -> CausalAttention:
    """Outputs and weights for `Q`, `K` (H, N, dk), `V` (H, N, d), `r` (H, L); all of one type.

    `start` (N,) int64 is the first position of each position's sequence. `keep` (N, H, L) multiplies the weights on
    their way to the output (0 or 1/(1 − p): dropout); the weights that are returned are those before it.

    >>> import numpy as np
    >>> one = np.ones((1, 2, 1))
    >>> causal_attention(one, one, one, np.zeros((1, 4)), np.zeros(2, np.int64), scale=1.0, beta=1.0).A[1, 0].tolist()
    [0.0, 0.0, 0.5, 0.5]
    """
    H, N = Q.shape[:2]
    L, d = r.shape[1], V.shape[2]
    out = CausalAttention(np.empty((N, d), Q.dtype), np.empty((N, H, L), Q.dtype), np.empty((N, H), Q.dtype))
    number = Q.dtype.type
    KT, bias = _turned(K), np.ascontiguousarray(r[:, ::-1])
    kept = _or_empty(keep, Q.dtype)
    work = float(N) * H * L * (Q.shape[2] + d)
    _forward(*out, *_tiles(start), start, Q, KT, V, bias, kept, number(scale), number(beta), work=work)
    return out


def causal_attention_backward(
    dO: np.ndarray,
    forward: CausalAttention,
    Q: np.ndarray,
    K: np.ndarray,
    V: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    *,
    scale: float,
    beta: float,
    keep: np.ndarray | None = None,
) -> CausalGradient:
    """Gradients of Σ dO · O, where `causal_attention` gave `forward`; `stop` (N,) is one past each position's sequence.

    >>> import numpy as np
    >>> one, start, how = np.ones((1, 2, 1)), np.zeros(2, np.int64), {"scale": 1.0, "beta": 1.0}
    >>> forward = causal_attention(one, one, one, np.zeros((1, 4)), start, **how)
    >>> causal_attention_backward(np.ones((2, 1)), forward, one, one, one, start, start + 2, **how).dV.ravel().tolist()
    [1.5, 0.5]
    """
    dE, dQ, dK, dV = (np.zeros_like(X) for X in (forward.A, Q, K, V))
    number = Q.dtype.type
    s, b, kept, tiles = number(scale), number(beta), _or_empty(keep, Q.dtype), _tiles(start)
    dO = np.ascontiguousarray(dO)
    work = float(forward.A.size) * (Q.shape[2] + V.shape[2])
    _backward_of_queries(dE, dQ, dO, forward.A, forward.S, *tiles, start, K, _turned(V), kept, s, b, work=work)
    _backward_of_keys(dK, dV, dO, dE, forward.A, *tiles, stop, Q, kept, s, work=work)
    return CausalGradient(dQ, dK, dV, np.ascontiguousarray(dE.sum(axis=0)[:, ::-1]))


def _turned(X: np.ndarray) -> np.ndarray:
    """(H, N, f) as (H, f, N), contiguous along positions."""
    return np.ascontiguousarray(X.transpose(0, 2, 1))


def _or_empty(keep: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    return np.empty((0, 0, 0), dtype) if keep is None else keep
