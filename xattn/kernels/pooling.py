"""Histories pooled for learning: for each event t of a person, one vector of the other events, or of those before it.

    u_t = Σ_{i ∈ pool(t)} E_i w_i P[x_i] / S_t^β,      S_t = Σ_{i ∈ pool(t)} E_i,      E_i = exp(k[x_i] − r g_i)

    others   pool(t) = all events but t,  g_i the age of event i          what t was, from all other events
    before   pool(t) = the events before t,  g_i the age seen from t      what comes next, from what came before

These are the weights of docs/model.md, eq. 2, with m = 0: k is learned, and so is its level. P (M, D) are what events
say, k (M,) how much they are looked at, r ≥ 0 is 1/τ, w (N,) strengths. A pool without events gives 0.

Both take O(n D) a person, not O(n² D). `others` adds what stands before to what stands after; the total minus one event
would lose its digits where one weight is nearly 1. `before` is one running sum that decays by e^{−r} a step.

Persons are slices of the events: `start`, `stop` (B,). Their results lie one after the other, from `ptr` (B,) on, in
arrays of T rows. Each person is owned by one iteration. Gradients are not summed over persons: dX (T, D) and de (T,)
belong to each event's own P[x_i] and logit, drate (B,) to each person's r; `kernels/sums/rows.py` sums them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled

__all__ = [
    "Head",
    "Persons",
    "PoolGradient",
    "Pools",
    "pool_before",
    "pool_before_backward",
    "pool_others",
    "pool_others_backward",
]

POOL_WORK = 0.25  # operations a coordinate, when the twin is chosen: parallel from 800,000 coordinates, some 2 ms


@compiled
def _normalise(U, S, beta):  # type: ignore[no-untyped-def]
    """Divides U[t] by S[t]^β in place; where nothing is pooled U[t] is 0 already."""
    for t in range(U.shape[0]):
        if S[t] != 0.0:  # NaN passes: it must be seen
            scale = S[t] ** -beta
            for f in range(U.shape[1]):
                U[t, f] *= scale


@compiled
def _sum_gradient(N, dU, U, S, beta):  # type: ignore[no-untyped-def]
    """Assigns N[t], the gradient of the sum over t's pool; returns that of S: −β/S ⟨u, du⟩, as (n,)."""
    dS = np.zeros_like(S)
    for t in range(U.shape[0]):
        if S[t] != 0.0:
            scale = S[t] ** -beta
            along = dS[t]
            for f in range(U.shape[1]):
                N[t, f] = scale * dU[t, f]
                along += U[t, f] * dU[t, f]
            dS[t] = -beta / S[t] * along
        else:
            N[t] = 0.0
    return dS


# --- all other events -------------------------------------------------------------------------------------------------


@compiled
def _others_of(U, S, P, k, w, item, rate, beta):  # type: ignore[no-untyped-def]
    """Assigns U (n, D) and S (n,) of one person with the events w (n,), item (n,)."""
    n, D = U.shape
    E = np.empty_like(S)
    run = np.zeros(U.shape[1], U.dtype)
    s = rate - rate  # 0 of the arrays' type
    # 1 what stands before
    for t in range(n):
        U[t] = run
        S[t] = s
        E[t] = math.exp(k[item[t]] - rate * (n - 1 - t))
        s += E[t]
        c = E[t] * w[t]
        for f in range(D):
            run[f] += c * P[item[t], f]
    # 2 what stands after
    run[:] = 0.0
    s = rate - rate
    for t in range(n - 1, -1, -1):
        S[t] += s
        s += E[t]
        c = E[t] * w[t]
        for f in range(D):
            U[t, f] += run[f]
            run[f] += c * P[item[t], f]
    # 3 shares
    _normalise(U, S, beta)


@compiled
def _others_backward_of(dX, de, dU, U, S, P, k, w, item, rate, beta):  # type: ignore[no-untyped-def]
    """Adds to dX and de of one person; returns the gradient of r.

    Sums over all but one are a total minus one: a gradient can lose the digits that an output cannot.
    """
    n, D = U.shape
    # 3 shares
    N = np.empty_like(U)
    dS = _sum_gradient(N, dU, U, S, beta)
    # 2 and 1 what stands after and before
    total = np.zeros(U.shape[1], U.dtype)
    for t in range(n):
        for f in range(D):
            total[f] += N[t, f]
    s = dS.sum()
    drate = rate - rate
    for i in range(n):
        E = math.exp(k[item[i]] - rate * (n - 1 - i))
        c = E * w[i]
        along = rate - rate
        for f in range(D):
            other = total[f] - N[i, f]
            dX[i, f] += c * other
            along += P[item[i], f] * other
        slope = E * (w[i] * along + (s - dS[i]))
        de[i] += slope
        drate -= (n - 1 - i) * slope
    return drate


# --- the events before ------------------------------------------------------------------------------------------------


@compiled
def _before_of(U, S, P, k, w, item, rate, beta):  # type: ignore[no-untyped-def]
    """Assigns U (n, D) and S (n,) of one person."""
    n, D = U.shape
    rho = math.exp(-rate)
    # 1 running sums
    run = np.zeros(U.shape[1], U.dtype)
    s = rate - rate
    for t in range(n):
        U[t] = run
        S[t] = s
        E = math.exp(k[item[t]])
        s = rho * s + E
        c = E * w[t]
        for f in range(D):
            run[f] = rho * run[f] + c * P[item[t], f]
    # 2 shares
    _normalise(U, S, beta)


@compiled
def _before_backward_of(dX, de, dU, U, S, P, k, w, item, rate, beta):  # type: ignore[no-untyped-def]
    """Adds to dX and de of one person; returns the gradient of r."""
    n, D = U.shape
    # 2 shares
    N = np.empty_like(U)
    dS = _sum_gradient(N, dU, U, S, beta)
    # 1 running sums: `run` and `s` are the gradients of the sums after event t
    rho = math.exp(-rate)
    run = np.zeros(U.shape[1], U.dtype)
    s = rate - rate
    drho = rate - rate
    for t in range(n - 1, -1, -1):
        E = math.exp(k[item[t]])
        c = E * w[t]
        along, past = rate - rate, rate - rate
        for f in range(D):
            dX[t, f] += c * run[f]
            along += P[item[t], f] * run[f]
            past += U[t, f] * run[f]
            run[f] = rho * run[f] + N[t, f]
        de[t] += E * (w[t] * along + s)
        if S[t] != 0.0:
            drho += S[t] ** beta * past + S[t] * s
        s = rho * s + dS[t]
    return -rho * drho


# --- all persons ------------------------------------------------------------------------------------------------------


@Kernel
def _pools_forward(U, S, P, k, w, item, start, stop, ptr, rate, beta, others):  # type: ignore[no-untyped-def]
    """Assigns the pools U and sums S of all persons, of all `others` events or of those before."""
    for b in prange(start.shape[0]):
        lo, hi = start[b], stop[b]
        at, to = ptr[b], ptr[b] + hi - lo
        if others:
            _others_of(U[at:to], S[at:to], P, k, w[lo:hi], item[lo:hi], rate, beta)
        else:
            _before_of(U[at:to], S[at:to], P, k, w[lo:hi], item[lo:hi], rate, beta)


@Kernel
def _pools_backward(  # type: ignore[no-untyped-def]
    dX, de, drate, dU, U, S, P, k, w, item, start, stop, ptr, rate, beta, others
):
    """Adds the gradients of all persons to dX, de and drate."""
    for b in prange(start.shape[0]):
        lo, hi = start[b], stop[b]
        at, to = ptr[b], ptr[b] + hi - lo
        own = slice(at, to)
        if others:
            drate[b] += _others_backward_of(
                dX[own], de[own], dU[own], U[own], S[own], P, k, w[lo:hi], item[lo:hi], rate, beta
            )
        else:
            drate[b] += _before_backward_of(
                dX[own], de[own], dU[own], U[own], S[own], P, k, w[lo:hi], item[lo:hi], rate, beta
            )


# --- the functions that others call -----------------------------------------------------------------------------------


class Head(NamedTuple):
    """One way of attending: values P, logits k, 1/τ, and the exponent β of the normaliser."""

    P: np.ndarray  # (M, D)
    k: np.ndarray  # (M,)
    rate: float
    beta: float


class Persons(NamedTuple):
    """B persons: their events are start[b] ≤ i < stop[b] of `item` and `w`; their results stand from row ptr[b] on."""

    item: np.ndarray  # (N,) rows of P
    w: np.ndarray  # (N,) of P's type
    start: np.ndarray  # (B,)
    stop: np.ndarray  # (B,)
    ptr: np.ndarray  # (B,)


class Pools(NamedTuple):
    """What was pooled: `U` (T, D), and the sums of attention `S` (T,), which the gradient needs again."""

    U: np.ndarray
    S: np.ndarray


class PoolGradient(NamedTuple):
    """Gradients of each event's own P[x_i] (T, D) and logit (T,), and of each person's r (B,)."""

    dX: np.ndarray
    de: np.ndarray
    drate: np.ndarray


def _forward(head: Head, who: Persons, others: bool) -> Pools:
    T, number = int((who.stop - who.start).sum()), head.P.dtype.type
    U, S = np.empty((T, head.P.shape[1]), number), np.empty(T, number)
    rate, beta = number(head.rate), number(head.beta)
    persons = (who.w, who.item, who.start, who.stop, who.ptr)
    _pools_forward(U, S, head.P, head.k, *persons, rate, beta, others, work=POOL_WORK * U.size)
    return Pools(U, S)


def _backward(dU: np.ndarray, pools: Pools, head: Head, who: Persons, others: bool) -> PoolGradient:
    number = head.P.dtype.type
    out = PoolGradient(np.zeros_like(dU), np.zeros_like(pools.S), np.zeros(len(who.start), number))
    rate, beta = number(head.rate), number(head.beta)
    persons = (who.w, who.item, who.start, who.stop, who.ptr)
    work = 2 * POOL_WORK * dU.size
    _pools_backward(*out, dU, *pools, head.P, head.k, *persons, rate, beta, others, work=work)
    return out


def pool_others(head: Head, who: Persons) -> Pools:
    """Each event's pool of all other events of the same person, before it or after.

    >>> who = Persons(np.array([0, 1, 1]), np.ones(3), np.array([0]), np.array([3]), np.array([0]))
    >>> pool_others(Head(np.array([[10.0], [1.0]]), np.zeros(2), rate=0.0, beta=1.0), who).U.ravel().tolist()
    [1.0, 5.5, 5.5]
    """
    return _forward(head, who, others=True)


def pool_others_backward(dU: np.ndarray, pools: Pools, head: Head, who: Persons) -> PoolGradient:
    """Gradients for dU (T, D), of the pools that `pool_others` gave."""
    return _backward(dU, pools, head, who, others=True)


def pool_before(head: Head, who: Persons) -> Pools:
    """Each event's pool of the events before it.

    >>> who = Persons(np.array([0, 1, 1]), np.ones(3), np.array([0]), np.array([3]), np.array([0]))
    >>> pool_before(Head(np.array([[10.0], [1.0]]), np.zeros(2), rate=0.0, beta=1.0), who).U.ravel().tolist()
    [0.0, 10.0, 5.5]
    """
    return _forward(head, who, others=False)


def pool_before_backward(dU: np.ndarray, pools: Pools, head: Head, who: Persons) -> PoolGradient:
    """Gradients for dU (T, D), of the pools that `pool_before` gave."""
    return _backward(dU, pools, head, who, others=False)
