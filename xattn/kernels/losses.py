"""Losses of learned models, each with its gradient: over the whole catalogue, over a sample, by pairs, by yes or no.

    cross-entropy   L_b = log Σ_j exp(z_bj) − z_{b,y_b}                  dz_bj = dL_b (softmax(z_b)_j − 1[j = y_b])
    sampled         L_b = log(exp(p_b) + Σ_s exp(z_bs − c_bs)) − p_b     c: log of the expected count of draw s
    BPR             L_b = Σ_s log(1 + exp(z_bs − p_b))
    logistic        L_i = log(1 + exp(z_i)) − t_i z_i                    dz_i = dL_i (σ(z_i) − t_i)

z are logits (B, M) of all items, (B, S) of sampled negatives, or (N,) of single events; p (B,) are those of the
positives; y (B,) the target columns; t (N,) labels from 0 to 1; dL the gradient of each loss. With c the sampled sum is
an unbiased estimate of the sum over the catalogue (Bengio & Senécal 2008). BPR: Rendle et al., UAI 2009.

A logit of −inf is a candidate that is not there: its gradient is 0. NaN anywhere in a row makes the row's loss and
gradients NaN.

Exponentials are those of `vectors.py`, good to the last bits; sums run in float64, in chains of a stated order. Rows
are owned; results are bitwise equal at every thread count.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.vectors import exp, exp_sum, total

__all__ = [
    "CrossEntropy",
    "SampleGradient",
    "bpr",
    "bpr_backward",
    "cross_entropy",
    "cross_entropy_backward",
    "logistic",
    "logistic_backward",
    "sampled_cross_entropy",
    "sampled_cross_entropy_backward",
]

EXP_WORK = {4: 0.5, 8: 4}  # operations an exponential, when the twin is chosen: parallel from some 0.3 ms
BLOCK = 1024  # single events of one iteration
RUN = 512  # factors from 1 to 2 whose product stays far under the largest float64


# --- exponentials -----------------------------------------------------------------------------------------------------


@compiled
def _largest(z):  # type: ignore[no-untyped-def]
    """Largest number in z; NaN is passed over (it spoils the exponentials instead)."""
    m = z.dtype.type(-np.inf)
    for i in range(z.shape[0]):
        m = z[i] if z[i] > m else m
    return m


@compiled
def _add_shares(dz, z, m, factor):  # type: ignore[no-untyped-def]
    """Adds factor · exp(z − m) to dz, m the largest of z."""
    x = np.empty_like(z)
    exp_sum(x, z, m)
    for i in range(z.shape[0]):
        dz[i] += factor * x[i]


# --- the whole catalogue ----------------------------------------------------------------------------------------------


@Kernel
def _cross_entropy_forward(loss, m, s, Z, y):  # type: ignore[no-untyped-def]
    """Assigns the loss, the largest logit and the sum of exponentials of each row."""
    for b in prange(Z.shape[0]):
        m[b] = _largest(Z[b])
        s[b] = exp_sum(np.empty_like(Z[b]), Z[b], m[b])
        loss[b] = math.log(s[b]) + (m[b] - Z[b, y[b]])


@Kernel
def _cross_entropy_backward(dZ, dL, m, s, Z, y):  # type: ignore[no-untyped-def]
    """Adds the gradient to dZ."""
    for b in prange(Z.shape[0]):
        _add_shares(dZ[b], Z[b], m[b], dL[b] / s[b])
        dZ[b, y[b]] -= dL[b]


class CrossEntropy(NamedTuple):
    """Losses, and what the gradient needs again: exp(z − m)/s is the softmax."""

    loss: np.ndarray  # (B,)
    m: np.ndarray  # (B,) largest logit
    s: np.ndarray  # (B,) Σ_j exp(z_j − m)


class SampleGradient(NamedTuple):
    """Gradients of the negatives' logits (B, S) and of the positives' (B,)."""

    dZ: np.ndarray
    dp: np.ndarray


def cross_entropy(Z: np.ndarray, y: np.ndarray) -> CrossEntropy:
    """Losses of the logits `Z` (B, M) for the target columns `y` (B,) int64; all in Z's type.

    >>> cross_entropy(np.array([[0.0, 0.0], [1000.0, 0.0]]), np.array([0, 0])).loss.round(4).tolist()
    [0.6931, 0.0]
    """
    forward = CrossEntropy(*(np.empty(len(Z), Z.dtype) for _ in range(3)))
    _cross_entropy_forward(*forward, Z, y, work=EXP_WORK[Z.itemsize] * Z.size)
    return forward


def cross_entropy_backward(dL: np.ndarray, forward: CrossEntropy, Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The gradient dZ (B, M) of Σ_b dL_b L_b; `dL` (B,) of Z's type.

    >>> Z, y = np.zeros((1, 2)), np.array([0])
    >>> cross_entropy_backward(np.ones(1), cross_entropy(Z, y), Z, y)
    array([[-0.5,  0.5]])
    """
    dZ = np.zeros_like(Z)
    _cross_entropy_backward(dZ, dL, forward.m, forward.s, Z, y, work=EXP_WORK[Z.itemsize] * Z.size)
    return dZ


# --- a sample ---------------------------------------------------------------------------------------------------------


@compiled
def _candidates(z, p, c):  # type: ignore[no-untyped-def]
    """The corrected logits of one row's candidates (S + 1,): its negatives, then the positive."""
    x = np.empty(z.shape[0] + 1, z.dtype)
    for i in range(z.shape[0]):
        x[i] = z[i] - c[i]
    x[-1] = p
    return x


@Kernel
def _sampled_forward(loss, m, s, Z, p, c):  # type: ignore[no-untyped-def]
    """Assigns the loss, the largest corrected logit and the sum of exponentials of each row."""
    for b in prange(Z.shape[0]):
        x = _candidates(Z[b], p[b], c[np.int64(b) if c.shape[0] > 1 else 0])  # prange counts in uint64
        m[b] = _largest(x)
        s[b] = exp_sum(np.empty_like(x), x, m[b])
        loss[b] = math.log(s[b]) + (m[b] - p[b])


@Kernel
def _sampled_backward(dZ, dp, dL, m, s, Z, p, c):  # type: ignore[no-untyped-def]
    """Adds the gradients to dZ and dp."""
    for b in prange(Z.shape[0]):
        x = _candidates(Z[b], p[b], c[np.int64(b) if c.shape[0] > 1 else 0])
        dx = np.zeros_like(x)
        _add_shares(dx, x, m[b], dL[b] / s[b])
        for i in range(Z.shape[1]):
            dZ[b, i] += dx[i]
        dp[b] += dx[-1] - dL[b]


def sampled_cross_entropy(Z: np.ndarray, p: np.ndarray, c: np.ndarray) -> CrossEntropy:
    """Losses for the negatives' logits `Z` (B, S), the positives' `p` (B,) and the log-counts `c` (B or 1, S).

    c is the log of how often each negative is expected among the S draws: log(S q) for draws with probabilities q. A
    draw that hit the positive itself is left out by a logit of −inf.

    >>> Z, p = np.array([[0.0, 0.0]]), np.array([0.0])
    >>> float(sampled_cross_entropy(Z, p, np.log([[0.5, 0.5]])).loss[0].round(6)) == round(float(np.log(5)), 6)
    True
    """
    forward = CrossEntropy(*(np.empty(len(Z), Z.dtype) for _ in range(3)))
    _sampled_forward(*forward, Z, p, c, work=EXP_WORK[Z.itemsize] * Z.size)
    return forward


def sampled_cross_entropy_backward(
    dL: np.ndarray, forward: CrossEntropy, Z: np.ndarray, p: np.ndarray, c: np.ndarray
) -> SampleGradient:
    """The gradients of Σ_b dL_b L_b.

    >>> Z, p, c = np.array([[0.0]]), np.array([0.0]), np.array([[0.0]])
    >>> sampled_cross_entropy_backward(np.ones(1), sampled_cross_entropy(Z, p, c), Z, p, c)
    SampleGradient(dZ=array([[0.5]]), dp=array([-0.5]))
    """
    gradient = SampleGradient(np.zeros_like(Z), np.zeros_like(p))
    _sampled_backward(*gradient, dL, forward.m, forward.s, Z, p, c, work=EXP_WORK[Z.itemsize] * Z.size)
    return gradient


# --- pairs, and single yes or no --------------------------------------------------------------------------------------


@compiled
def _softplus(x):  # type: ignore[no-untyped-def]
    """log(1 + exp(x)) without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x))) if x == x else x


@compiled
def _sigmoid(x):  # type: ignore[no-untyped-def]
    """1/(1 + exp(−x)) with all digits on both sides."""
    z = math.exp(-abs(x))
    return 1.0 / (1.0 + z) if x >= 0.0 else z / (1.0 + z)


@compiled
def _softplus_sum32(z, p):  # type: ignore[no-untyped-def]
    """Σ log(1 + exp(z − p)) of float32 logits: max(x, 0) + log(1 + e^−|x|), with one logarithm for a product of RUN."""
    e, above = np.empty_like(z), np.empty_like(z)
    for i in range(z.shape[0]):
        x = z[i] - p
        above[i] = np.float32(0.0) if x < 0 else x
        e[i] = exp(-abs(x))
    loss = total(above)
    for low in range(0, z.shape[0], RUN):
        high = min(low + RUN, z.shape[0])
        p0 = p1 = p2 = p3 = 1.0
        whole = high - (high - low) % 4
        for i in range(low, whole, 4):
            p0 *= 1.0 + e[i]
            p1 *= 1.0 + e[i + 1]
            p2 *= 1.0 + e[i + 2]
            p3 *= 1.0 + e[i + 3]
        for i in range(whole, high):
            p0 *= 1.0 + e[i]
        loss += math.log((p0 * p1) * (p2 * p3))
    return loss


@compiled
def _sigmoids32(s, z, p):  # type: ignore[no-untyped-def]
    """Assigns s = σ(z − p)."""
    for i in range(z.shape[0]):
        x = z[i] - p
        e = exp(-abs(x))
        s[i] = (e if x < 0 else np.float32(1.0)) / (np.float32(1.0) + e)


@Kernel
def _bpr_forward(loss, Z, p):  # type: ignore[no-untyped-def]
    """Assigns the loss of each row."""
    for b in prange(Z.shape[0]):
        if Z.itemsize == 4:
            loss[b] = _softplus_sum32(Z[b], p[b])
        else:
            total = 0.0
            for i in range(Z.shape[1]):
                total += _softplus(Z[b, i] - p[b])
            loss[b] = total


@Kernel
def _bpr_backward(dZ, dp, dL, Z, p):  # type: ignore[no-untyped-def]
    """Adds the gradients to dZ and dp."""
    for b in prange(Z.shape[0]):
        s = np.empty_like(Z[b])
        if Z.itemsize == 4:
            _sigmoids32(s, Z[b], p[b])
        else:
            for i in range(Z.shape[1]):
                s[i] = _sigmoid(Z[b, i] - p[b])
        for i in range(Z.shape[1]):
            s[i] *= dL[b]
            dZ[b, i] += s[i]
        dp[b] -= total(s)


def bpr(Z: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Losses (B,) for the negatives' logits `Z` (B, S) and the positives' `p` (B,): summed over the S pairs of a row.

    With p = 0 it is the logistic loss of rows of events that are all a "no".

    >>> bpr(np.array([[0.0, -1000.0]]), np.array([0.0])).round(4)
    array([0.6931])
    """
    loss = np.empty(len(Z), Z.dtype)
    _bpr_forward(loss, Z, p, work=EXP_WORK[Z.itemsize] * Z.size)
    return loss


def bpr_backward(dL: np.ndarray, Z: np.ndarray, p: np.ndarray) -> SampleGradient:
    """The gradients of Σ_b dL_b L_b.

    >>> bpr_backward(np.ones(1), np.array([[0.0, -1000.0]]), np.array([0.0]))
    SampleGradient(dZ=array([[0.5, 0. ]]), dp=array([-0.5]))
    """
    gradient = SampleGradient(np.zeros_like(Z), np.zeros_like(p))
    _bpr_backward(*gradient, dL, Z, p, work=EXP_WORK[Z.itemsize] * Z.size)
    return gradient


@Kernel
def _logistic_forward(loss, z, t):  # type: ignore[no-untyped-def]
    """Assigns the loss of each event."""
    for block in prange((z.shape[0] + BLOCK - 1) // BLOCK):
        low = np.int64(block) * BLOCK
        for i in range(low, min(low + BLOCK, z.shape[0])):
            x = np.float64(z[i])
            total = 0.0  # softplus(x) − t x in two terms: the difference would lose small losses, and be NaN at ±inf
            if t[i] != 1.0:
                total += (1.0 - t[i]) * _softplus(x)
            if t[i] != 0.0:
                total += t[i] * _softplus(-x)
            loss[i] = total


@Kernel
def _logistic_backward(dz, dL, z, t):  # type: ignore[no-untyped-def]
    """Adds the gradient to dz."""
    for block in prange((z.shape[0] + BLOCK - 1) // BLOCK):
        low = np.int64(block) * BLOCK
        for i in range(low, min(low + BLOCK, z.shape[0])):
            x = np.float64(z[i])
            dz[i] += dL[i] * ((1.0 - t[i]) * _sigmoid(x) - t[i] * _sigmoid(-x))  # σ(x) − t, with all digits


def logistic(z: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Binary cross-entropy (N,) of the logits `z` (N,) for the labels `t` (N,) from 0 to 1, of z's type.

    >>> logistic(np.array([0.0, 1000.0, -1000.0]), np.array([1.0, 1.0, 1.0])).round(4).tolist()
    [0.6931, 0.0, 1000.0]
    """
    loss = np.empty_like(z)
    _logistic_forward(loss, z, t, work=8 * z.size)
    return loss


def logistic_backward(dL: np.ndarray, z: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The gradient (N,) of Σ_i dL_i L_i.

    >>> logistic_backward(np.ones(2), np.array([0.0, 0.0]), np.array([1.0, 0.0]))
    array([-0.5,  0.5])
    """
    dz = np.zeros_like(z)
    _logistic_backward(dz, dL, z, t, work=8 * z.size)
    return dz
