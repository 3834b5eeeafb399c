"""Normal equations where a table of all pairs of items does not fit: the pairs that occur, and K unknowns an item.

The sums are those of `xattn.kernels.gram`, but only pairs that occur in a history are stored, row by row:

    A[(h,x), ·]   row x of head h: column[ptr[hx] : ptr[hx + 1]] and value[…], blocks g ≥ h
    B[·, j]       target j: the pairs (h, x) that were followed by it, and how much

Each target j has K unknowns S_j, those of largest |B_sj − z_s b_j|. Among equal ones, those come first that had most
chances to come before it, |z_s|; where z is 0, those that come with most others. The values are

    v_j = (A_SS + F_S F_Sᵀ + diag λ_S)⁻¹ (B_Sj − z_S b_j + F_S F_j)        the features in a head's own block only

which is the exact solution among all values that are zero outside of S_j. Cost: Σ_u n_u² for the sums, K³/3 a target
for the solutions. Memory: twelve bytes a pair that occurs, and K values a target.

Sparse linear methods with a choice of features: Ning and Karypis, SLIM (ICDM 2011), fsSLIM.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import prange

from xattn.kernels.compile import Kernel, compiled
from xattn.kernels.gram import Occurrences, of_each_event

__all__ = ["Pairs", "Problem", "Solutions", "local_solutions", "pairs_of_prefixes", "pairs_of_targets"]

NEGLIGIBLE = 1e-12  # as in `gram`: smaller powers of ρ change no digit
MOST_PAIRS = 400_000_000  # 4.8 GB
CHUNK = 32  # rows that share a scratch vector of the length of the catalogue


class Pairs(NamedTuple):
    """A sparse table by rows: `column[ptr[r] : ptr[r + 1]]`, in any order but each once, and their `value`."""

    ptr: np.ndarray  # (rows + 1,) int64
    column: np.ndarray  # (pairs,) int32
    value: np.ndarray  # (pairs,) float64


class Problem(NamedTuple):
    """A ridge problem for each of C targets, n unknowns: sums, the part of the base (z bᵀ), features, penalties."""

    A: Pairs  # n rows; of a symmetric table those blocks that `_prefixes` fills, or all
    B: Pairs  # C rows, a target each
    z: np.ndarray  # (n,)
    b: np.ndarray  # (C,)
    F: Pairs  # C rows of features
    d: int  # how many features there are
    penalty: np.ndarray  # (n,)
    others: bool  # whether no target may have itself among its unknowns


@compiled
def _add(acc, seen, touched, n, k, x):  # type: ignore[no-untyped-def]
    """Adds x to acc[k]; the first time, k joins the n that are touched. Returns how many those are."""
    acc[k] += x
    if seen[k]:
        return n
    seen[k] = True
    touched[n] = k
    return n + 1


@compiled
def _hand_over(column, value, place, acc, seen, touched, r, n):  # type: ignore[no-untyped-def]
    """Moves the n numbers that row r has gathered to `column` and `value`, from place[r] on, and clears the scratch.

    Where `column` is empty, place[r] = n is all that is kept: the length of the row.
    """
    if column.shape[0] == 0:
        place[r] = n
    for q in range(n):
        k = touched[q]
        if column.shape[0]:
            column[place[r] + q] = k
            value[place[r] + q] = acc[k]
        acc[k] = 0.0
        seen[k] = False


@Kernel
def _prefixes(column, value, place, ptr, event, start, stop, row, w, rho, tail):  # type: ignore[no-untyped-def]
    """Assigns the rows of A, blocks g ≥ h of block row h; with an empty `column` their lengths, to `place`."""
    C = ptr.shape[0] - 1
    H = rho.shape[0]
    for chunk in prange((H * C + CHUNK - 1) // CHUNK):
        acc, seen, touched = np.zeros(H * C), np.zeros(H * C, np.bool_), np.empty(H * C, np.int64)
        for hr in range(chunk * CHUNK, min(H * C, (chunk + 1) * CHUNK)):
            h = hr // C
            r = hr - h * C
            n = 0
            for o in range(ptr[r], ptr[r + 1]):
                i = event[o]
                for g in range(h, H):
                    at = g * C
                    n = _add(acc, seen, touched, n, at + row[i], w[h, i] * w[g, i] * tail[h, g, i])
                    power = w[h, i]
                    for j in range(i + 1, stop[i]):
                        power *= rho[h, j]
                        if abs(power) < NEGLIGIBLE:
                            break
                        if row[j] >= 0:
                            n = _add(acc, seen, touched, n, at + row[j], power * w[g, j] * tail[h, g, j])
                    power = w[h, i] * tail[h, g, i]
                    for j in range(i - 1, start[i] - 1, -1):
                        power *= rho[g, j + 1]
                        if abs(power) < NEGLIGIBLE:
                            break
                        if row[j] >= 0:
                            n = _add(acc, seen, touched, n, at + row[j], power * w[g, j])
            _hand_over(column, value, place, acc, seen, touched, hr, n)


@Kernel
def _targets(column, value, place, ptr, event, start, row, w, worth, rho, c):  # type: ignore[no-untyped-def]
    """Assigns the columns of B, each as a row: what was followed by target j. With an empty `column`: their lengths."""
    C = ptr.shape[0] - 1
    H = rho.shape[0]
    for chunk in prange((C + CHUNK - 1) // CHUNK):
        acc, seen, touched = np.zeros(H * C), np.zeros(H * C, np.bool_), np.empty(H * C, np.int64)
        for j in range(chunk * CHUNK, min(C, (chunk + 1) * CHUNK)):
            n = 0
            for o in range(ptr[j], ptr[j + 1]):
                t = event[o]
                for h in range(H):
                    power = worth[t] * c[h, t]
                    for i in range(t - 1, start[t] - 1, -1):
                        if power < NEGLIGIBLE:
                            break
                        if row[i] >= 0:
                            n = _add(acc, seen, touched, n, h * C + row[i], power * w[h, i])
                        power *= rho[h, i]
            _hand_over(column, value, place, acc, seen, touched, j, n)


@compiled
def _factorise(M):  # type: ignore[no-untyped-def]
    """M = UᵀU, U in the upper triangle, which alone is read; four rows at a time are taken from those below, so that
    each of these is read and written once for them. False where M is not positive definite.
    """
    n = M.shape[0]
    for low in range(0, n, 4):
        high = min(low + 4, n)
        for k in range(low, high):
            if not M[k, k] > 0.0:
                return False
            scale = 1.0 / np.sqrt(M[k, k])
            for j in range(k, n):
                M[k, j] *= scale
            for i in range(k + 1, high):
                f = M[k, i]
                for j in range(i, n):
                    M[i, j] -= f * M[k, j]
        if high == low + 4:
            u0, u1, u2, u3 = M[low], M[low + 1], M[low + 2], M[low + 3]
            for i in range(high, n):
                f0, f1, f2, f3 = u0[i], u1[i], u2[i], u3[i]
                row = M[i]
                for j in range(i, n):
                    row[j] -= (f0 * u0[j] + f1 * u1[j]) + (f2 * u2[j] + f3 * u3[j])
    return True


@compiled
def _solve(M, x):  # type: ignore[no-untyped-def]
    """x ← M⁻¹ x by Cholesky for a symmetric M of which the upper triangle is read, and lost; False where M has none."""
    if not _factorise(M):
        return False
    n = x.shape[0]
    for k in range(n):
        x[k] /= M[k, k]
        for j in range(k + 1, n):
            x[j] -= x[k] * M[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            x[k] -= M[k, j] * x[j]
        x[k] /= M[k, k]
    return True


@compiled
def _choose(chosen, values, place, column, value, z, base, often, but, C):  # type: ignore[no-untyped-def]
    """Assigns the unknowns of one target and their right sides; returns how many. `place` (n,): where each is, or −1.

    `column` and `value` are the target's pairs, `base` its b_j. No unknown may belong to the item `but`.
    """
    K, n = chosen.shape[0], column.shape[0]
    most = n + K + 1  # one of them may be the target itself
    index, size = np.empty(most, np.int64), np.empty(most)
    for p in range(n):
        s = column[p]
        index[p] = s
        size[p] = value[p] - z[s] * base
        place[s] = p
    for s in often:  # never followed by the target, though there were many chances
        if n == most:
            break
        if place[s] < 0:
            index[n] = s
            size[n] = -z[s] * base
            place[s] = n
            n += 1
    order = np.argsort(-np.abs(size[:n]), kind="mergesort")
    for p in range(n):
        place[index[p]] = -1
    k = 0
    for p in order:
        if k == K:
            break
        if index[p] % C != but:
            chosen[k] = index[p]
            values[k] = size[p]
            place[index[p]] = k
            k += 1
    return k


@compiled
def _times(ptr, column, value, r, own):  # type: ignore[no-untyped-def]
    """Σ_f F_rf own_f of a sparse row."""
    total = 0.0
    for p in range(ptr[r], ptr[r + 1]):
        total += value[p] * own[column[p]]
    return total


@compiled
def _system(  # type: ignore[no-untyped-def]
    M, values, place, own, chosen, a_ptr, a_column, a_value, f_ptr, f_column, f_value, penalty, j
):
    """Assigns the upper triangle of A_SS + F_S F_Sᵀ + diag λ_S to M, and adds F_S F_j to `values`; clears `place`.

    `own` (d,) is room for the features of one item; it comes and goes as zeros.
    """
    k, C = chosen.shape[0], f_ptr.shape[0] - 1
    for x in range(k):
        for y in range(x, k):
            M[x, y] = 0.0
    for x in range(k):
        s = chosen[x]
        for p in range(a_ptr[s], a_ptr[s + 1]):
            y = place[a_column[p]]
            if y >= 0:
                M[min(x, y), max(x, y)] = a_value[p]
    for x in range(k):
        s = chosen[x]
        place[s] = -1
        M[x, x] += penalty[s]
        c = s % C
        if f_ptr[c] < f_ptr[c + 1]:
            for p in range(f_ptr[c], f_ptr[c + 1]):
                own[f_column[p]] = f_value[p]
            if c != j:
                values[x] += _times(f_ptr, f_column, f_value, j, own)
            for y in range(x, k):
                if chosen[y] // C == s // C:
                    M[x, y] += _times(f_ptr, f_column, f_value, chosen[y] % C, own)
            for p in range(f_ptr[c], f_ptr[c + 1]):
                own[f_column[p]] = 0.0


@Kernel
def _solutions(  # type: ignore[no-untyped-def]
    chosen, values, sound,
    a_ptr, a_column, a_value, b_ptr, b_index, b_value, z, b, f_ptr, f_column, f_value, d, penalty,
    often, first, others,
):  # fmt: skip
    """Assigns S_j to `chosen` for the targets from `first` on, one a row, v_j to `values` (−1 and 0 after them), and
    whether v_j was found to `sound`."""
    J, K = chosen.shape
    C = b.shape[0]
    for chunk in prange((J + CHUNK - 1) // CHUNK):
        place = np.full(penalty.shape[0], -1, np.int64)
        M, features = np.empty((K, K)), np.zeros(d)
        for q in range(chunk * CHUNK, min(J, (chunk + 1) * CHUNK)):
            j = first + q
            own = slice(b_ptr[j], b_ptr[j + 1])
            but = j if others else -1
            k = _choose(chosen[q], values[q], place, b_index[own], b_value[own], z, b[j], often, but, C)
            picked = chosen[q, :k]
            _system(
                M, values[q], place, features, picked, a_ptr, a_column, a_value, f_ptr, f_column, f_value, penalty, j
            )
            sound[q] = _solve(M[:k, :k], values[q, :k])
            for x in range(k, K):
                chosen[q, x] = -1
                values[q, x] = 0.0


def _filled(kernel: Kernel, inputs: tuple[np.ndarray, ...], rows: int, work: float, most: int) -> Pairs | None:
    """The pairs that a kernel finds: a first pass counts them, a second one stores them. None: more than `most`."""
    length = np.empty(rows, np.int64)
    kernel(np.empty(0, np.int32), np.empty(0), length, *inputs, work=work)
    ptr = np.concatenate([[0], np.cumsum(length)])
    if ptr[-1] > most:
        return None
    pairs = Pairs(ptr, np.empty(int(ptr[-1]), np.int32), np.empty(int(ptr[-1])))
    if len(pairs.column):
        kernel(pairs.column, pairs.value, ptr[:-1], *inputs, work=work)
    return pairs


def pairs_of_prefixes(
    occ: Occurrences, w: np.ndarray, rho: np.ndarray, tail: np.ndarray, most: int = MOST_PAIRS
) -> Pairs | None:
    """A = Σ_t z_t z_tᵀ: rows (h, x), in each the columns of its own head and of those after it; None past `most`."""
    rows = len(rho) * (len(occ.ptr) - 1)
    work = float((occ.stop - occ.start).sum()) * len(rho) ** 2
    inputs = (occ.ptr, occ.event, occ.start, occ.stop, occ.row, w, of_each_event(rho, w.shape[1]), tail)
    return _filled(_prefixes, inputs, rows, work, most)


def pairs_of_targets(
    occ: Occurrences, w: np.ndarray, rho: np.ndarray, c: np.ndarray, worth: np.ndarray, most: int = MOST_PAIRS
) -> Pairs | None:
    """B = Σ_t worth_t z_t y_tᵀ by its columns: a row each for the items with rows, as targets; None past `most`."""
    work = float((occ.stop - occ.start).sum()) * len(rho)
    inputs = (occ.ptr, occ.event, occ.start, occ.row, w, worth, of_each_event(rho, w.shape[1]), c)
    return _filled(_targets, inputs, len(occ.ptr) - 1, work, most)


class Solutions(NamedTuple):
    """The unknowns of J targets, −1 after the last, and their values; whether all problems had a solution."""

    chosen: np.ndarray  # (J, K) int32
    values: np.ndarray  # (J, K)
    sound: bool


def local_solutions(problem: Problem, K: int, targets: slice) -> Solutions:
    """The values of some `targets`, from at most K unknowns each."""
    A, B, z, b, F, d, penalty, others = problem
    first, last, _ = targets.indices(len(b))
    chances = np.abs(z) if len(z) != len(b) or z.any() else np.diff(B.ptr)
    often = np.argsort(-chances, kind="stable")
    K = min(K, len(penalty))
    chosen, values = np.empty((last - first, K), np.int32), np.empty((last - first, K))
    sound = np.empty(last - first, np.bool_)
    work = (last - first) * K * (K * K / 3.0 + K)
    _solutions(chosen, values, sound, *A, *B, z, b, *F, d, penalty, often, first, others, work=work)
    return Solutions(chosen, values, bool(sound.all()))
