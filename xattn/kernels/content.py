"""Target attention over sparse item features, one target a row (docs/model.md, eq. 6–7).

    e_i(j) = ⟨F_i, F_j⟩ / (|F_i| |F_j| T) − g_i/τ,      E = exp(e − m),      X = gate_j w_i Σ_f θ_f F_if F_jf

The target's few non-zero features drive the loops; the events' features lie feature by feature (d, n), so that the
innermost loop runs along the events. Scores and fields go through the same row function: from its E and X on they take
the same steps.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.vectors import exp

__all__ = ["content_field", "content_scores"]

LOWEST = -708.0  # below, a float64 exponential is left at 0: it is under 4e-308, and the largest is 1


@compiled
def _exp(z):  # type: ignore[no-untyped-def]
    """z ← exp(z) in place for z ≤ 0, NaN kept."""
    for i in range(z.shape[0]):
        z[i] = 0.0 if z[i] < LOWEST else exp(z[i])


@compiled
def _row(E, X, index, value, norm, theta, unit, events, g, T):  # type: ignore[no-untyped-def]
    """Assigns E and X of a target over n events; `unit`, `events` (d, n): features of length 1, and times strength."""
    n = g.shape[0]
    for i in range(n):
        E[i] = 0.0
        X[i] = 0.0
    for z in range(index.shape[0]):
        f = index[z]
        a = value[z] / norm
        b = value[z] * theta[f]
        for i in range(n):
            E[i] += a * unit[f, i]
            X[i] += b * events[f, i]
    s = min(T, 1.0)  # logits times s, so that a tiny T overflows nothing: cos/T − m/T would be inf − inf
    for i in range(n):
        E[i] = E[i] * (s / T) - g[i] * s
    m0, m1, m2, m3 = -np.inf, -np.inf, -np.inf, -np.inf  # four maxima at a time: one alone waits for itself
    full = n - n % 4
    for i in range(0, full, 4):
        m0, m1, m2, m3 = max(m0, E[i]), max(m1, E[i + 1]), max(m2, E[i + 2]), max(m3, E[i + 3])
    for i in range(full, n):
        m0 = max(m0, E[i])
    m = max(max(m0, m1), max(m2, m3))
    for i in range(n):
        E[i] = (E[i] - m) / s
    _exp(E)


@Kernel
def _field(E, X, ptr, index, value, norm, theta, gate, unit, events, g, T):  # type: ignore[no-untyped-def]
    """Assigns E and X of all targets."""
    for j in prange(E.shape[0]):
        lo, hi = ptr[j], ptr[j + 1]
        _row(E[j], X[j], index[lo:hi], value[lo:hi], norm[j], theta, unit, events, g, T)
        for i in range(g.shape[0]):
            X[j, i] *= gate[j]


@Kernel
def _scores(  # type: ignore[no-untyped-def]
    out, ptr, index, value, norm, theta, gate, unit, events, g, T, live, beta, least
):
    """Assigns the head's score of each target."""
    n = g.shape[0]
    whole = np.all(live)
    for j in prange(out.shape[0]):
        E = np.empty(n)
        X = np.empty(n)
        lo, hi = ptr[j], ptr[j + 1]
        _row(E, X, index[lo:hi], value[lo:hi], norm[j], theta, unit, events, g, T)
        S = 0.0
        s = 0.0  # without a threshold both sums in one go
        if whole:
            for i in range(n):
                S += E[i]
                s += E[i] * (X[i] * gate[j])
        else:
            for i in range(n):
                if live[i]:
                    S += E[i]
                    s += E[i] * (X[i] * gate[j])
        norm_S = np.inf if S == 0.0 else S**beta
        if least > 0.0:
            s = 0.0
            for i in range(n):
                if live[i] and not E[i] / norm_S < least:  # NaN passes: it must be seen
                    s += E[i] * (X[i] * gate[j])
        out[j] = s / norm_S


def content_field(
    targets: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    theta: np.ndarray,
    gate: np.ndarray,
    unit: np.ndarray,
    events: np.ndarray,
    g: np.ndarray,
    T: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(E, X), both (J, n), for J sparse targets = (ptr, index, value, norm) with their lengths `norm` and `gate` (J,).

    The n events come as `unit` and `events` (d, n), features by length 1 and times strength, and `g` (n,), age over τ.
    """
    shape = (len(gate), len(g))
    E, X = np.empty(shape), np.empty(shape)
    work = 4.0 * len(targets[1]) * shape[1] + 10.0 * E.size
    _field(E, X, *targets, theta, gate, unit, events, g, T, work=work)
    return E, X


def content_scores(
    targets: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    theta: np.ndarray,
    gate: np.ndarray,
    unit: np.ndarray,
    events: np.ndarray,
    g: np.ndarray,
    T: float,
    live: np.ndarray,
    beta: float,
    least: float,
) -> np.ndarray:
    """The head's scores (J,) without keeping E and X; weights under `least` count as 0."""
    out = np.empty(len(gate))
    work = 4.0 * len(targets[1]) * len(g) + 12.0 * len(g) * len(gate)
    _scores(out, *targets, theta, gate, unit, events, g, T, live, beta, least, work=work)
    return out
