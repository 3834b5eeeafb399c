"""Attention weights: the softmax over each history of its live logits, generalised by an exponent; with its gradient.

    a_i = exp((e_i − m)/T) / (Σ_l exp((e_l − m)/T))^β     m: largest live logit, or a shift that the caller gives

β = 1 is softmax; with β < 1 the weights of a long history add up to more (the idea of NAIS, He et al. 2018, without m).

Shapes: the logits `e` are rows of histories, either a table (R, n) or ragged, one flat array cut by `indptr` (R + 1). A
table is the ragged case with equal cuts, so one kernel serves both, bit for bit. `mask` marks live events; None: all.

A masked event is never read: a row is first packed to its live logits, so masking equals deletion bit for bit, whatever
the masked places hold. A logit of −inf is a masked event. NaN or +inf make all live weights of the row NaN. In an empty
row all weights are 0.

float32 weights are within 4 · 2^-24 of the float64 answer (and within two of the least float32, below the normal
range); sums run in float64. Plain softmax, β = T = 1, over finite logits is one function of vector lanes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.vectors import divide, exp_of_parts, exp_sum, largest, peak, softmax, softmax_near, total

__all__ = ["weights", "weights_backward", "weights_ragged", "weights_ragged_backward"]

EXP_WORK = 4  # scalar operations that one exponential counts for when the serial or parallel twin is chosen
ALL_LIVE = np.empty(0, dtype=np.bool_)  # the mask that masks nothing
OWN_MAX = np.empty(0, dtype=np.float64)  # the shift that leaves each row to its own maximum


# --- one row ----------------------------------------------------------------------------------------------------------


@compiled
def _is_live(e, mask, i):  # type: ignore[no-untyped-def]
    return (mask.size == 0 or mask[i]) and e[i] != -np.inf  # NaN stays live: it must be seen


@compiled
def _pack(z, e, mask):  # type: ignore[no-untyped-def]
    """Moves the live logits to the front of z; returns how many there are.    e: 5 . 7 . 9   →   z: 5 7 9 _ _"""
    n = 0
    for i in range(e.shape[0]):
        if _is_live(e, mask, i):
            z[n] = e[i]
            n += 1
    return n


@compiled
def _unpack(z, e, mask, n):  # type: ignore[no-untyped-def]
    """Moves the first n of z back to the live places, from the end, so that none is overwritten unread; 0 elsewhere."""
    if n == z.shape[0]:
        return
    for i in range(z.shape[0] - 1, -1, -1):
        if _is_live(e, mask, i):
            n -= 1
            z[i] = z[n]
        else:
            z[i] = 0.0


@compiled
def _exponentials(z, m, T):  # type: ignore[no-untyped-def]
    """Turns z into exp((z − m)/T) in place. The difference comes first: z/T − m/T is inf − inf for a small T."""
    for i in range(z.shape[0]):
        if z.itemsize == 4:
            x = (np.float64(z[i]) - m) / T
            x = -120.0 if x < -120.0 else x
            rounded = np.float32(x)
            z[i] = exp_of_parts(rounded, np.float32(x - rounded))
        else:
            d = z[i] - m
            back = d - z[i]
            lost = (z[i] - (d - back)) - (m + back)
            x = d / T
            z[i] = exp_of_parts(x, lost / T if x > -1000.0 else 0.0)  # further down e^x is 0, and lost / T may be inf


@compiled
def _denominator(s, m, T, beta, shift):  # type: ignore[no-untyped-def]
    """(Σ exp((e − shift)/T))^β relative to numerators that are shifted by m: s^β · exp((1 − β)(shift − m)/T).

    So nothing underflows where the shift is far above all logits that are left, and β = 1 ignores it.
    """
    if beta == 1.0:
        return s
    if shift == -np.inf:
        return math.pow(s, beta)
    return math.pow(s, beta) * np.exp((1.0 - beta) * ((shift - m) / T))  # math.exp raises where there is no JIT


@compiled
def _cut(a, theta):  # type: ignore[no-untyped-def]
    """Turns weights under the threshold into 0."""
    if theta > 0.0:
        for i in range(a.shape[0]):
            if a[i] < theta:
                a[i] = 0.0


@compiled
def _row(a, e, mask, T, beta, theta, shift):  # type: ignore[no-untyped-def]
    """Assigns the weights a of one row."""
    n = e.shape[0]
    if beta == 1.0 and math.frexp(T)[0] == 0.5:  # T = 1, as rows without a mask; other powers of two divide exactly
        n = _pack(a, e, mask)
        for i in range(n):
            a[i] /= T
        if softmax_near(a, a, 0, n):
            _cut(a[:n], theta)
            _unpack(a, e, mask, n)
            return
        n = e.shape[0]
    # 1 exponentials and their sum
    m = peak(e) if mask.size == 0 and T == 1.0 else e.dtype.type(np.nan)
    if m == m:
        s = exp_sum(a, e, m)
    else:
        n = _pack(a, e, mask)
        m = largest(a[:n])
        _exponentials(a[:n], m, T)
        s = total(a[:n])
    # 2 weights
    divide(a[:n], np.float64(_denominator(s, m, T, beta, shift)))
    _cut(a[:n], theta)
    _unpack(a, e, mask, n)


@compiled
def _row_backward(de, da, a, e, mask, T, beta, shift):  # type: ignore[no-untyped-def]
    """Adds [a_j da_j − G (β p_j + (1 − β) t_j)] / T to de_j: G = Σ_i a_i da_i, p the softmax, t uniform on the arg max.

    The term in t comes from m: it is absent when m was given, and shared by all logits that equal the maximum.
    """
    # 1 exponentials and their sum, again
    p = np.empty_like(e)
    n = _pack(p, e, mask)
    if n == 0:
        return
    z = p[:n]
    m = largest(z)
    _exponentials(z, m, T)
    s = total(z)
    _unpack(p, e, mask, n)
    # 2 weights
    G = 0.0
    ties = 0
    for i in range(e.shape[0]):
        if _is_live(e, mask, i):
            if a[i] != 0.0:
                G += np.float64(a[i]) * da[i]
            ties += e[i] == m
    for j in range(e.shape[0]):
        if _is_live(e, mask, j):
            own = np.float64(a[j]) * da[j] if a[j] != 0.0 else 0.0
            share = beta * (p[j] / s)
            if beta != 1.0 and shift == -np.inf and e[j] == m:
                share += (1.0 - beta) / ties
            de[j] += (own - G * share) / T


# --- all rows ---------------------------------------------------------------------------------------------------------


@Kernel
def _weights_forward(a, e, indptr, mask, T, beta, theta, shift):  # type: ignore[no-untyped-def]
    """Assigns the weights a of every row."""
    plain = mask.size == 0 and T == 1.0 and beta == 1.0
    for r in prange(indptr.shape[0] - 1):
        lo, hi = indptr[r], indptr[r + 1]
        if plain and (softmax_near(a, e, lo, hi) or softmax(a, e, lo, hi)):
            for i in range(lo, hi if theta > 0.0 else lo):
                if a[i] < theta:
                    a[i] = 0.0
        else:
            _row(a[lo:hi], e[lo:hi], mask[lo:hi], T, beta, theta, shift[r] if shift.size else -np.inf)


@Kernel
def _weights_backward(de, da, a, e, indptr, mask, T, beta, shift):  # type: ignore[no-untyped-def]
    """Adds the gradient of the logits of every row to de."""
    for r in prange(indptr.shape[0] - 1):
        lo, hi = indptr[r], indptr[r + 1]
        c = shift[r] if shift.size else -np.inf
        _row_backward(de[lo:hi], da[lo:hi], a[lo:hi], e[lo:hi], mask[lo:hi], T, beta, c)


# --- the functions that others call -----------------------------------------------------------------------------------


def _cuts(e: np.ndarray) -> np.ndarray:
    cuts: np.ndarray = np.arange(e.shape[0] + 1, dtype=np.int64) * e.shape[1]
    return cuts


def _flat(mask: np.ndarray | None) -> np.ndarray:
    return ALL_LIVE if mask is None else mask.reshape(-1)


def weights_ragged(
    e: np.ndarray,
    indptr: np.ndarray,
    mask: np.ndarray | None = None,
    temperature: float = 1.0,
    beta: float = 1.0,
    threshold: float = 0.0,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Weights a (N,) of ragged rows: row r is e[indptr[r] : indptr[r + 1]]; `mask` (N,) bool, the rest as in `weights`.

    >>> import numpy as np
    >>> weights_ragged(np.zeros(3), np.array([0, 2, 2, 3])).tolist()
    [0.5, 0.5, 1.0]
    """
    a = np.empty_like(e)
    c = OWN_MAX if shift is None else shift
    numbers = (float(temperature), float(beta), float(threshold))
    _weights_forward(a, e, indptr, _flat(mask), *numbers, c, work=EXP_WORK * e.size)
    return a


def weights_ragged_backward(
    da: np.ndarray,
    a: np.ndarray,
    e: np.ndarray,
    indptr: np.ndarray,
    mask: np.ndarray | None = None,
    temperature: float = 1.0,
    beta: float = 1.0,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient de (N,) of ragged rows; the arguments as in `weights_ragged` and `weights_backward`."""
    de = np.zeros_like(e)
    c = OWN_MAX if shift is None else shift
    _weights_backward(de, da, a, e, indptr, _flat(mask), float(temperature), float(beta), c, work=EXP_WORK * e.size)
    return de


def weights(
    e: np.ndarray,
    mask: np.ndarray | None = None,
    temperature: float = 1.0,
    beta: float = 1.0,
    threshold: float = 0.0,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Weights a (R, n), of e's type, for the logits e (R, n); see the top of this file for the equation.

    `mask` (R, n) bool: True where an event is live; the others are never read and weigh 0. Weights under `threshold`
    become 0 after normalising, and the rest is not scaled up again. `shift` (R,) float64 takes the place of each row's
    maximum m: a history with events removed keeps the m of the full one. It matters for β < 1 only; −inf: own maximum.

    >>> import numpy as np
    >>> weights(np.array([[2.0, 1.0, 3.0]])).round(5).tolist()
    [[0.24473, 0.09003, 0.66524]]
    """
    flat = weights_ragged(e.reshape(-1), _cuts(e), mask, temperature, beta, threshold, shift)
    return flat.reshape(e.shape)


def weights_backward(
    da: np.ndarray,
    a: np.ndarray,
    e: np.ndarray,
    mask: np.ndarray | None = None,
    temperature: float = 1.0,
    beta: float = 1.0,
    shift: np.ndarray | None = None,
) -> np.ndarray:
    """Gradient de (R, n) from da (R, n), for the weights a that `weights` gave for the same e and options.

    A weight that the threshold set to 0 passes no gradient on; its logit still has one, through the denominator.
    Masked events get 0. Without `shift` the rows of the Jacobian add up to 0, and the gradient of T is −Σ e·de / T.

    >>> import numpy as np
    >>> e = np.array([[0.0, 0.0]])
    >>> weights_backward(np.array([[1.0, 0.0]]), weights(e), e).tolist()
    [[0.25, -0.25]]
    """
    flat = weights_ragged_backward(
        da.reshape(-1), a.reshape(-1), e.reshape(-1), _cuts(e), mask, temperature, beta, shift
    )
    return flat.reshape(e.shape)
