"""The *field* of a head, E and X over J targets × n events, and every score that follows from it.

With E = exp(e − m) (unnormalised attention) and X = strength × value × gate, the head's part of the score of target j
is (docs/model.md, eq. 2–3)

    s_j = Σ_i a_ji X_ji,     a_ji = E_ji / S_j^β  (0 where a_ji < θ),     S_j = Σ_{live i} E_ji

Removing events only makes S_j smaller, so the score without any event follows from E and X alone (eq. 18). Sums over
the other events are taken directly or as prefix + suffix, never as total − part, which loses all digits where one
weight is nearly 1. The maximum m stays that of the full history: an event 745 or more below it has E = 0, whatever is
removed.

E has J rows, or one row for all targets when the head's attention does not depend on the target. Each target's row is
owned by one iteration. Sums run in float64, along vector lanes wherever a score is served. A masked event is never
read; NaN in a live one makes the score NaN.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.live import live_dot, live_total

__all__ = ["FAINT", "add_field_scores", "add_field_without_each", "field_weights", "field_weights_of_many"]

FAINT = 2.0**-70  # of the largest weight: a million events that are fainter are no bit of a float64 sum


@compiled
def _row_weights(a, E, live, beta, theta, faint):  # type: ignore[no-untyped-def]
    S = live_total(E.reshape(1, E.shape[0]), 0, live)
    norm = np.inf if S == 0.0 else S**beta
    largest = 0.0
    for i in range(E.shape[0]):
        x = E[i] / norm if live[i] else 0.0
        a[i] = 0.0 if x < theta else x
        largest = max(largest, a[i])
    for i in range(E.shape[0]):
        if a[i] < faint * largest:
            a[i] = 0.0


@Kernel
def _weights(a, E, live, beta, theta, faint):  # type: ignore[no-untyped-def]
    """Assigns a[j, i] of every event: 0 where it is not live, or its weight is under the threshold or faint."""
    for j in prange(E.shape[0]):
        _row_weights(a[j], E[j], live, beta, theta, faint)


@Kernel
def _weights_of_many(a, E, live, ptr, beta, theta, faint):  # type: ignore[no-untyped-def]
    """Assigns the same for histories that lie end to end, cut by `ptr`; E and a (H, N)."""
    for u in prange(ptr.shape[0] - 1):
        own = slice(ptr[u], ptr[u + 1])
        for h in range(E.shape[0]):
            _row_weights(a[h, own], E[h, own], live[own], beta, theta, faint)


@Kernel
def _add_scores(out, E, X, live, beta, theta):  # type: ignore[no-untyped-def]
    """Adds Σ_i a_ji X_ji to out[j]."""
    shared = E.shape[0] == 1
    for j in prange(X.shape[0]):
        k = 0 if shared else np.int64(j)  # prange counts in uint64
        S = live_total(E, k, live)
        if S != 0.0:
            norm = S**beta
            if theta == 0.0:
                s = live_dot(E, k, X, np.int64(j), live)
            else:
                s = 0.0
                for i in range(X.shape[1]):
                    if live[i] and not E[k, i] / norm < theta:  # NaN passes, so that the score is NaN
                        s += E[k, i] * X[j, i]
            out[j] += s / norm


@compiled
def _kept_norms(norms, E, live, beta):  # type: ignore[no-untyped-def]
    """Assigns norms[r] = S^β when event r is masked too, 0 where nothing is left."""
    n = E.shape[0]
    after = 0.0
    for i in range(n - 1, -1, -1):
        norms[i] = after  # Σ over what comes after i, completed below
        after += E[i] if live[i] else 0.0
    before = 0.0
    for r in range(n):
        S = before + norms[r]
        norms[r] = S if beta == 1.0 or S == 0.0 else S**beta
        before += E[r] if live[r] else 0.0


@Kernel
def _add_without_each(out, E, X, live, beta, theta):  # type: ignore[no-untyped-def]
    """Adds to out[j, r] the head's score of target j when event r is masked too.

    Without a threshold: prefix + suffix sums, O(n) a target. With one, what passes θ changes as S shrinks: O(n²).
    """
    shared = E.shape[0] == 1
    n = X.shape[1]
    common = np.empty(n)
    if shared and theta == 0.0:  # the powers cost most of all: once for all targets
        _kept_norms(common, E[0], live, beta)
    for j in prange(X.shape[0]):
        k = 0 if shared else np.int64(j)  # prange counts in uint64
        if theta > 0.0:
            kept = live.copy()
            for r in range(n):
                kept[r] = False
                S = live_total(E, k, kept)  # as it is served, to the bit: a weight may lie right at the threshold
                kept[r] = live[r]
                if S != 0.0:
                    norm = S**beta
                    s = 0.0
                    for i in range(n):
                        if live[i] and i != r and not E[k, i] / norm < theta:
                            s += E[k, i] * X[j, i]
                    out[j, r] += s / norm
        else:
            idle = True  # the head says nothing about this target
            for i in range(n):
                idle &= X[j, i] == 0.0
            if idle:
                continue
            norms = common
            if not shared:
                norms = np.empty(n)
                _kept_norms(norms, E[k], live, beta)
            after = np.zeros(n + 1)  # after[r] = Σ_{i ≥ r} E X
            for i in range(n - 1, -1, -1):
                after[i] = after[i + 1] + (E[k, i] * X[j, i] if live[i] else 0.0)
            before = 0.0
            for r in range(n):
                if norms[r] != 0.0:
                    out[j, r] += (before + after[r + 1]) / norms[r]
                if live[r]:
                    before += E[k, r] * X[j, r]


def field_weights(E: np.ndarray, live: np.ndarray, beta: float, theta: float, faint: float = 0.0) -> np.ndarray:
    """a (J, n): attention weights of the live events (n,); 0 in place of those under `faint` times the row's largest.

    Whoever sums over a whole catalogue leaves out what is under `FAINT`, and has the same sums to rounding.
    """
    a = np.empty(E.shape)
    E, live = np.ascontiguousarray(E), np.ascontiguousarray(live)
    _weights(a, E, live, beta, theta, faint, work=3.0 * E.size)
    return a


def field_weights_of_many(
    E: np.ndarray, live: np.ndarray, ptr: np.ndarray, beta: float, theta: float, faint: float = 0.0
) -> np.ndarray:
    """a (H, N): `field_weights` of each history by itself, to the bit; E (H, N), live (N,), cuts `ptr` (U + 1,)."""
    a = np.empty(E.shape)
    E, live = np.ascontiguousarray(E), np.ascontiguousarray(live)
    _weights_of_many(a, E, live, ptr, beta, theta, faint, work=3.0 * E.size)
    return a


def add_field_scores(
    out: np.ndarray, E: np.ndarray, X: np.ndarray, live: np.ndarray, beta: float, theta: float
) -> None:
    """Add the head's scores to `out` (J,) float64."""
    E, X, live = (np.ascontiguousarray(x) for x in (E, X, live))
    _add_scores(out, E, X, live, beta, theta, work=3.0 * X.size)


def add_field_without_each(
    out: np.ndarray, E: np.ndarray, X: np.ndarray, live: np.ndarray, beta: float, theta: float
) -> None:
    """Add to `out` (J, n) float64 the head's scores with each event masked in turn."""
    E, live = np.ascontiguousarray(E), np.ascontiguousarray(live)
    _add_without_each(out, E, X, live, beta, theta, work=6.0 * X.size)
