"""Normal equations of the closed-form heads: sums over all prefixes of all histories, in O(n²) per user.

Head h pools the prefix before position t into ``z_t[x_i] += c_t ρ^(t−1−i) w_i``, ``c_t = (Σ_{l<t} ρ^(t−1−l))^(−β)``.
The ridge problem needs ``A = Σ_t z_t z_tᵀ`` and ``B = Σ_t z_t y_tᵀ`` (docs/model.md, eq. 9–11). With the sum over t
taken first,

    A[(h,x_i),(g,x_j)] += w_hi w_gj ρ_*^|i−j| · tail_hg[max(i,j)],    tail_hg[p] = Σ_{t>p} c_t^h c_t^g (ρ_h ρ_g)^(t−1−p)

where ρ_* belongs to the older event's head. One backward sweep gives `tail`; the double loop then adds each pair once.
The block of a head with itself is symmetric, so there one of the two orders is enough. ρ is one number a head, or,
where a head forgets by elapsed time, one for each event: what it leaves of the weights of those before it. Powers of ρ
are then products of these.

Each row (h, item) is owned by one iteration, which sums over the occurrences of its item in a float64 buffer, so that
no update is lost and the sums do not depend on the thread count. Sizes: N events, U users, C items with a row, H heads,
M target items.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled

__all__ = [
    "Occurrences",
    "accumulate_gram",
    "accumulate_targets",
    "add_gram",
    "add_targets",
    "normalisers",
    "occurrences",
    "of_each_event",
    "tails",
]

TILE = 32
NEGLIGIBLE = 1e-12  # powers of ρ below this change no digit of a float32 sum; the loops stop there


class Occurrences(NamedTuple):
    """Where each row's item occurs: events ``event[ptr[r]:ptr[r+1]]`` (global positions), oldest user first."""

    ptr: np.ndarray  # (C+1,) int64
    event: np.ndarray  # (occurrences,) int64
    start: np.ndarray  # (N,) int64: first event of the same user
    stop: np.ndarray  # (N,) int64: one past the last event of the same user
    row: np.ndarray  # (N,) int64: row of the event's item, −1 where it has none


def occurrences(indptr: np.ndarray, item: np.ndarray, row_of_item: np.ndarray, n_rows: int) -> Occurrences:
    """Invert the histories: for each of `n_rows` rows, the events of its item (`row_of_item` (M,), −1: no row)."""
    lengths = np.diff(indptr)
    row = row_of_item[item]
    kept = np.flatnonzero(row >= 0)
    event = kept[np.argsort(row[kept], kind="stable")]
    ptr = np.zeros(n_rows + 1, np.int64)
    np.cumsum(np.bincount(row[kept], minlength=n_rows), out=ptr[1:])
    return Occurrences(ptr, event, np.repeat(indptr[:-1], lengths), np.repeat(indptr[1:], lengths), row)


@Kernel
def _normalisers(c, indptr, rho, beta):  # type: ignore[no-untyped-def]
    """Assigns c[h, e] = (Σ_{l<t} ρ_h^(t−1−l))^(−β_h) for the event e at position t of its user; 0 at t = 0."""
    for u in prange(indptr.shape[0] - 1):
        for h in range(rho.shape[0]):
            S = 0.0
            for e in range(indptr[u], indptr[u + 1]):
                c[h, e] = S ** (-beta[h]) if S > 0.0 else 0.0
                S = 1.0 + rho[h, e] * S


@Kernel
def _tails(tail, indptr, rho, c):  # type: ignore[no-untyped-def]
    """Assigns tail[h, g, e] = Σ_{t>p} c_t^h c_t^g (ρ_h ρ_g)^(t−1−p) for the event e at position p of its user."""
    H = rho.shape[0]
    for u in prange(indptr.shape[0] - 1):
        for h in range(H):
            for g in range(H):
                T = 0.0
                for e in range(indptr[u + 1] - 1, indptr[u] - 1, -1):
                    tail[h, g, e] = T
                    T = c[h, e] * c[g, e] + rho[h, e] * rho[g, e] * T


@compiled
def _coprime(n):  # type: ignore[no-untyped-def]
    """A number near .618 n without a common divisor: its multiples modulo n visit every row, neighbours far apart."""
    step = np.int64(0.6180339887 * n) + 1
    while True:
        a, b = n, step
        while b:
            a, b = b, a % b
        if a <= 1 or step == 1:
            return step
        step -= 1


@Kernel
def _add_gram(A, T, ptr, event, start, stop, row, w, wt, rho, tail, h):  # type: ignore[no-untyped-def]
    """Adds to A (H·C, H·C) the blocks of head h with the heads after it, and to T (C, C) one triangle of its own block.

    The own block is T + Tᵀ: T takes the pairs in which the event of this row is the older one, and half of each pair of
    an event with itself. wt = w · tail.
    """
    C = ptr.shape[0] - 1
    H = rho.shape[0]
    step = _coprime(C)
    for k in prange(C):
        r = np.int64(k) * step % C  # each thread takes a run of k: this spreads the rows with much work over them
        acc = np.zeros(H * C)
        for o in range(ptr[r], ptr[r + 1]):
            i = event[o]
            for g in range(h, H):
                at = g * C
                acc[at + row[i]] += w[h, i] * wt[g, i] * (0.5 if g == h else 1.0)
                power = w[h, i]
                for j in range(i + 1, stop[i]):  # j newer: this row's head decays over the gap
                    power *= rho[h, j]
                    if abs(power) < NEGLIGIBLE:
                        break
                    if row[j] >= 0:
                        acc[at + row[j]] += power * wt[g, j]
                if g == h:
                    continue
                power = w[h, i] * tail[g, i]
                for j in range(i - 1, start[i] - 1, -1):  # j older: the other head decays
                    power *= rho[g, j + 1]
                    if abs(power) < NEGLIGIBLE:
                        break
                    if row[j] >= 0:
                        acc[at + row[j]] += power * w[g, j]
        for j in range(C):
            T[r, j] += acc[h * C + j]
        for j in range((h + 1) * C, H * C):
            A[h * C + r, j] += acc[j]


@Kernel
def _add_both_ways(A, T):  # type: ignore[no-untyped-def]
    """Adds T + Tᵀ to A in squares of TILE × TILE, so that T and Tᵀ stay in the cache."""
    C = T.shape[0]
    for t in prange((C + TILE - 1) // TILE):
        for low in range(0, C, TILE):
            for r in range(t * TILE, min(C, (t + 1) * TILE)):
                for k in range(low, min(C, low + TILE)):
                    A[r, k] += T[r, k] + T[k, r]


@Kernel
def _add_targets(B, z, ptr, event, stop, item, w, worth, rho, c):  # type: ignore[no-untyped-def]
    """Adds to B[(h,r), y] the Σ of worth_t z_t over the prefixes whose next item is y, to z[(h,r)] that of all."""
    C = ptr.shape[0] - 1
    M = B.shape[1]
    step = _coprime(B.shape[0])
    for k in prange(B.shape[0]):
        hr = np.int64(k) * step % B.shape[0]
        h = hr // C
        r = hr - h * C
        if ptr[r] == ptr[r + 1]:
            continue
        acc = np.zeros(M)
        total = 0.0
        for o in range(ptr[r], ptr[r + 1]):
            i = event[o]
            power = w[h, i]
            for t in range(i + 1, stop[i]):
                if abs(power) < NEGLIGIBLE:
                    break
                total += power * c[h, t]
                if item[t] >= 0:
                    acc[item[t]] += power * c[h, t] * worth[t]
                power *= rho[h, t]
        z[hr] += total
        for y in range(M):
            B[hr, y] += acc[y]


def of_each_event(rho: np.ndarray, N: int) -> np.ndarray:
    """(H, N) the factor with which the weights of all older events shrink as each event comes; `rho` (H,) or (H, N)."""
    every = rho if rho.ndim == 2 else np.broadcast_to(rho[:, None], (len(rho), N))
    return np.ascontiguousarray(every, np.float64)


def normalisers(indptr: np.ndarray, rho: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """c (H, N): what head h divides its prefix sum by at each event (eq. 9)."""
    c = np.empty((len(rho), int(indptr[-1])))
    _normalisers(c, indptr, of_each_event(rho, c.shape[1]), beta, work=4.0 * c.size)
    return c


def tails(indptr: np.ndarray, rho: np.ndarray, c: np.ndarray) -> np.ndarray:
    """tail (H, H, N): the backward sweep of eq. 10."""
    H, N = c.shape
    tail = np.empty((H, H, N))
    _tails(tail, indptr, of_each_event(rho, N), c, work=3.0 * tail.size)
    return tail


def accumulate_gram(occ: Occurrences, w: np.ndarray, rho: np.ndarray, tail: np.ndarray, dtype: type) -> np.ndarray:
    """A (H·C, H·C): Σ_t z_t z_tᵀ in its upper block triangle (the rest is zero); `w` (H, N) strengths."""
    n = len(rho) * (len(occ.ptr) - 1)
    A: np.ndarray = np.zeros((n, n), dtype)
    add_gram(A, occ, w, rho, tail)
    return A


def add_gram(A: np.ndarray, occ: Occurrences, w: np.ndarray, rho: np.ndarray, tail: np.ndarray) -> None:
    """Add the same sum to `A`. The events of a user whose `tail` is negated are subtracted."""
    work = float((occ.stop - occ.start).sum()) * len(rho) ** 2 + A.size
    C = len(occ.ptr) - 1
    T = np.empty((C, C))
    rho = of_each_event(rho, w.shape[1])
    for h in range(len(rho)):
        T[:] = 0.0
        _add_gram(A, T, *occ, w, w * tail[h], rho, tail[h], h, work=work)
        _add_both_ways(A[h * C : (h + 1) * C, h * C : (h + 1) * C], T, work=2.0 * T.size)


def accumulate_targets(
    occ: Occurrences,
    target: np.ndarray,
    n_targets: int,
    w: np.ndarray,
    rho: np.ndarray,
    c: np.ndarray,
    dtype: type,
    worth: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """B (H·C, n_targets) = Σ_t z_t y_tᵀ and z (H·C,) = Σ_t z_t; `target` (N,) is each event's column, −1: none.

    y_t is `worth` (N,) in that column, or 1.
    """
    n = len(rho) * (len(occ.ptr) - 1)
    B: np.ndarray = np.zeros((n, n_targets), dtype)
    z = np.zeros(n)
    add_targets(B, z, occ, target, w, rho, c, worth)
    return B, z


def add_targets(
    B: np.ndarray,
    z: np.ndarray,
    occ: Occurrences,
    target: np.ndarray,
    w: np.ndarray,
    rho: np.ndarray,
    c: np.ndarray,
    worth: np.ndarray | None = None,
) -> None:
    """Add the same sums to `B` and `z`. The events of a user whose `c` is negated are subtracted."""
    work = float((occ.stop - occ.start).sum()) * len(rho) + B.size
    y = np.ones(len(target)) if worth is None else worth
    _add_targets(B, z, occ.ptr, occ.event, occ.stop, target, w, y, of_each_event(rho, len(target)), c, work=work)
