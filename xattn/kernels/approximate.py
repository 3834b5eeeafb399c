"""Approximate scores of every item without each event, within a known slack: enough to count who is ahead of a target.

Ranks need the scores of a whole catalogue with each event masked in turn. Most items are far from the target, so an
approximate score decides about them. `add_approximate_without_each` takes the heads whose attention does not depend on
the target, and reads the rows of the value table once, in float32. `count_ahead` counts the items that are surely ahead
and flags those that are too close to tell; the caller scores the flagged ones exactly.

    approximate[r, c] = Σ_h (N_hc − E_hr w_r V_h[row_r, c]) / S_h(−r)^β,      N_hc = Σ_{live i} E_hi w_i V_h[row_i, c]

`pool_reach` bounds how far masking any m events can lift a score. φ = S^{−β} lies between its value for the full
history and its value without the m largest E, and no set of m events gains more than the m largest single gains.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel

__all__ = ["Attending", "add_approximate_without_each", "count_ahead", "pool_reach"]

STRIPE = 512  # columns an iteration owns: the sums of a stripe stay in the first-level cache


@Kernel
def _add_without_each(out, row, EW, alone, phi, V, column, gate):  # type: ignore[no-untyped-def]
    """Adds gate_c Σ_h phi[h, r] (N_hc − EW[h, r] V[h, row_r, c]) to out[r, column_c]; `alone`: N lacks r."""
    H, n = EW.shape
    C = V.shape[2]
    stripes = (C + STRIPE - 1) // STRIPE
    for stripe in prange(stripes):
        low = stripe * STRIPE
        high = min(C, low + STRIPE)
        N = np.empty(high - low)
        gain = np.zeros((n, high - low), np.float32)
        for h in range(H):
            for j in range(high - low):
                N[j] = 0.0
            for i in range(n):
                if row[i] >= 0 and EW[h, i] != 0.0:
                    for j in range(high - low):
                        N[j] += EW[h, i] * V[h, row[i], low + j]
            rest = np.empty(high - low)
            for r in range(n):
                f = phi[h, r]
                if f == 0.0:
                    continue
                if alone[h, r]:  # this event has most of the weight: nothing is subtracted
                    for j in range(high - low):
                        rest[j] = 0.0
                    for i in range(n):
                        if i != r and row[i] >= 0 and EW[h, i] != 0.0:
                            for j in range(high - low):
                                rest[j] += EW[h, i] * V[h, row[i], low + j]
                    for j in range(high - low):
                        gain[r, j] += np.float32(f * rest[j])
                elif row[r] >= 0:
                    own = EW[h, r]
                    for j in range(high - low):
                        gain[r, j] += np.float32(f * (N[j] - own * V[h, row[r], low + j]))
                else:
                    for j in range(high - low):
                        gain[r, j] += np.float32(f * N[j])
        for r in range(n):
            for j in range(high - low):
                out[r, column[low + j]] += gate[low + j] * gain[r, j]


@Kernel
def _reach(gains, sums, row, EW, least, most, V):  # type: ignore[no-untyped-def]
    """Assigns sums[c] = Σ_h max(least_h N_hc, most_h N_hc), and gains[q, c]: of the Σ_h max(−least_h x, −most_h x) of
    single events the m largest."""
    H, n = EW.shape
    m, C = gains.shape
    stripes = (C + STRIPE - 1) // STRIPE
    for stripe in prange(stripes):
        low = stripe * STRIPE
        high = min(C, low + STRIPE)
        width = high - low
        N = np.zeros((H, width))
        gain = np.empty(width)
        top = np.zeros((m, width))
        for i in range(n):
            if row[i] < 0:
                continue
            for j in range(width):
                gain[j] = 0.0
            for h in range(H):
                w = EW[h, i]
                for j in range(width):
                    x = w * V[h, row[i], low + j]
                    N[h, j] += x
                    gain[j] += max(-least[h] * x, -most[h] * x)
            for q in range(m):
                for j in range(width):
                    larger = max(top[q, j], gain[j])
                    gain[j] = min(top[q, j], gain[j])
                    top[q, j] = larger
        for j in range(width):
            s = 0.0
            for h in range(H):
                s += max(least[h] * N[h, j], most[h] * N[h, j])
            sums[low + j] = s
            for q in range(m):
                gains[q, low + j] = top[q, j]


@Kernel
def _count(ahead, flagged, approximate, slack, allowed, own):  # type: ignore[no-untyped-def]
    """Assigns ahead[s, r], how many allowed items of stripe s are surely over own[r], and flagged[j], whether item j is
    too close to tell; flagged items are in no count."""
    n, M = approximate.shape
    for stripe in prange(ahead.shape[0]):
        low = stripe * STRIPE
        high = min(M, low + STRIPE)
        for j in range(low, high):
            flagged[j] = False
        for r in range(n):
            x = own[r]
            for j in range(low, high):
                flagged[j] |= approximate[r, j] + slack[j] >= x and approximate[r, j] - slack[j] <= x
        for j in range(low, high):
            flagged[j] &= allowed[j]
        for r in range(n):
            x, count = own[r], 0
            for j in range(low, high):
                count += approximate[r, j] > x and allowed[j] and not flagged[j]
            ahead[stripe, r] = count


class Attending(NamedTuple):
    """A history as H heads attend to it: `row` (n,) rows of their values, −1: none; E (H, n) before anything is shared
    out; strengths `w` (n,); which events are `live` (n,); the exponent β of the normaliser."""

    row: np.ndarray
    E: np.ndarray
    w: np.ndarray
    live: np.ndarray
    beta: float

    def without_each(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(H, n) each: E w of live events; which has most of E alone; φ without each event, 0 where none is left."""
        EL = np.where(self.live, self.E, 0.0)
        S = EL.sum(axis=1, keepdims=True)
        alone = EL > S / 2
        left = S - EL
        h, r = np.nonzero(alone)
        left[h, r] = [np.delete(EL[a], b).sum() for a, b in zip(h.tolist(), r.tolist(), strict=True)]
        return EL * self.w, alone, np.where(left > 0, np.where(left > 0, left, 1.0) ** -self.beta, 0.0)

    def without_most(self, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """E w of live events (H, n), least and most φ (H,) when any m events go; None: next to nothing stays."""
        EL = np.where(self.live, self.E, 0.0)
        S = EL.sum(axis=1)
        smallest = np.sort(EL, axis=1)[:, : max(EL.shape[1] - m, 0)].sum(axis=1)
        if len(S) and smallest.min() <= 1e-9 * S.max():
            return None
        return EL * self.w, S**-self.beta, smallest**-self.beta


def add_approximate_without_each(
    out: np.ndarray, attending: Attending, V: np.ndarray, column: np.ndarray, gate: np.ndarray
) -> None:
    """Add the heads' part to `out` (n, M) float32: the values of V (H, C, C) to its columns `column` (C,).

    `gate` (C,) multiplies the columns.
    """
    EW, alone, phi = attending.without_each()
    work = 4.0 * EW.size * len(gate)
    _add_without_each(out, attending.row, EW, alone, phi, V, column, gate.astype(np.float32), work=work)


def pool_reach(attending: Attending, V: np.ndarray, m: int) -> np.ndarray:
    """(C,) what the heads' part of a score can come to at most when up to `m` live events are masked.

    +inf where masking m events may leave no attention at all, or next to none.
    """
    C = V.shape[2]
    found = attending.without_most(m)
    if found is None:
        return np.full(C, np.inf)
    EW, least, most = found
    gains, sums = np.empty((m, C)), np.empty(C)
    _reach(gains, sums, attending.row, EW, least, most, V, work=(2.0 * m + 6.0) * EW.size * C)
    reach: np.ndarray = sums + gains.sum(axis=0)
    return reach


def count_ahead(
    approximate: np.ndarray, slack: np.ndarray, allowed: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(ahead, flagged): for each row r of `approximate` (n, M), how many allowed items are surely over own[r] (n,), and
    which items (M,) are within `slack` (M,) of it in some row; those are in no count."""
    n, M = approximate.shape
    ahead, flagged = np.empty(((M + STRIPE - 1) // STRIPE, n), np.int64), np.empty(M, np.bool_)
    _count(ahead, flagged, approximate, slack, allowed, own, work=2.0 * approximate.size)
    return ahead.sum(axis=0), flagged
