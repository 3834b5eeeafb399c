"""Sparse values: the ridge problems of the closed forms, with K values for each target in place of all.

For catalogues whose table of all pairs does not fit. Each target's problem is the same as before, restricted to the K
unknowns that the data speak of most (`xattn.kernels.local`), and solved exactly. K = all gives the whole solution.

What comes next has the sums of `closed_form`; what belongs to a person at all those of `belonging`, EASE those of
`ease`: there no item may explain itself, so that each is simply left out of its own unknowns.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.errors import InputError
from xattn.kernels.gram import normalisers, occurrences, tails
from xattn.kernels.local import Pairs, local_solutions, pairs_of_prefixes, pairs_of_targets
from xattn.model.closed_form import Progress
from xattn.model.forms import SparseForm, rows_of

__all__ = ["fit_local_form", "local_values"]

TOGETHER = 1024  # targets between two reports of progress


def fit_local_form(
    indptr: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    warm: np.ndarray,
    *,
    tau: np.ndarray,
    beta: np.ndarray,
    lam: float,
    n_neighbors: int,
    dtype: type = np.float32,
    worth: np.ndarray | None = None,
    F: np.ndarray | None = None,
    progress: Progress | None = None,
) -> SparseForm:
    """`fit_closed_form` with at most `n_neighbors` values a target, the same arguments, and the same errors; InputError
    also where too many pairs of items occur together for memory.
    """
    tell = progress or (lambda what, share: None)
    C, H = len(warm), len(tau)
    tell("accumulate", 0.0)
    occ = occurrences(indptr, item, rows_of(warm, len(b)), C)
    rho = np.exp(-1.0 / tau)
    c = normalisers(indptr, rho, beta)
    tail = tails(indptr, np.append(rho, 1.0), np.vstack([c, np.ones(len(item))]))
    A = pairs_of_prefixes(occ, w, rho, np.ascontiguousarray(tail[:H, :H]))
    B = None if A is None else pairs_of_targets(occ, w, rho, c, np.ones(len(item)) if worth is None else worth)
    if A is None or B is None:
        raise InputError(
            f"`min_events` must leave out more items, or histories be shorter: too many pairs of {C} items."
        )
    kept = occ.row >= 0
    z = np.concatenate([np.bincount(occ.row[kept], (w[h] * tail[h, H])[kept], C) for h in range(H)])
    F = np.zeros((C, 0)) if F is None else F
    return _solved(A, B, z, b[warm], F, np.full(H * C, lam), lam, n_neighbors, False, warm, len(b), dtype, tell)


def local_values(
    R: sparse.csr_array,
    T: sparse.csr_array,
    F: np.ndarray,
    penalty: np.ndarray,
    lam: float,
    n_neighbors: int,
    warm: np.ndarray,
    n_items: int,
    dtype: type = np.float32,
    progress: Progress | None = None,
) -> SparseForm:
    """min_V ‖T − R V‖² + ‖Fᵀ − FᵀV‖² + Σ penalty V² with no value of an item for itself, `n_neighbors` values a target.

    `R` and `T` (rows, C), features `F` (C, d), d may be 0, `penalty` (C,) ≥ λ `lam`; `warm` (C,) are the items.
    """
    C = len(warm)
    none = np.zeros(C)
    tell = progress or (lambda what, share: None)
    A, B = _pairs(R.T @ R), _pairs(T.T @ R)
    return _solved(A, B, none, none, F, penalty, lam, n_neighbors, True, warm, n_items, dtype, tell)


def _pairs(table: sparse.sparray) -> Pairs:
    rows = sparse.csr_array(table)
    return Pairs(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data.astype(np.float64))


def _solved(
    A: Pairs,
    B: Pairs,
    z: np.ndarray,
    b: np.ndarray,
    F: np.ndarray,
    penalty: np.ndarray,
    lam: float,
    n_neighbors: int,
    others: bool,
    warm: np.ndarray,
    n_items: int,
    dtype: type,
    tell: Progress,
) -> SparseForm:
    C = len(warm)
    H = len(penalty) // max(C, 1)
    found = []
    for low in range(0, C, TOGETHER):
        tell("solve", 0.2 + 0.8 * low / C)
        targets = slice(low, low + TOGETHER)
        *part, sound = local_solutions(A, B, z, b, F, penalty, n_neighbors, others=others, targets=targets)
        if not sound:
            raise InputError(f"`regularization` must be large enough for the values to be found; got {lam:g}.")
        found.append(part)
    K = min(n_neighbors, len(penalty))
    chosen = np.concatenate([np.empty((0, K), np.int32), *(part[0] for part in found)])
    values = np.concatenate([np.empty((0, K)), *(part[1] for part in found)])
    tell("solve", 1.0)
    return SparseForm.of_targets(warm, n_items, H, chosen, values, dtype)
