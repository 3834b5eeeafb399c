"""Sparse values: the ridge problems of the closed forms, with K values for each target in place of all.

For catalogues whose table of all pairs does not fit. Each target's problem is the same as before, restricted to the K
unknowns that the data speak of most (`xattn.kernels.local`), and solved exactly. K = all gives the whole solution.

What comes next has the sums of `closed_form`; what belongs to a person at all those of `belonging`, EASE those of
`ease`: there no item may explain itself, so that each is simply left out of its own unknowns.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.kernels.gram import normalisers, occurrences, tails
from xattn.kernels.local import Pairs, Problem, local_solutions, pairs_of_prefixes, pairs_of_targets
from xattn.model.value_table import SparseForm, rows_of
from xattn.progress import Progress, silent

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
    tell = progress or silent
    C, H = len(warm), len(tau)
    tell("accumulate", 0.0)
    occ = occurrences(indptr, item, rows_of(warm, len(b)), C)
    rho = np.exp(-1.0 / tau)
    c = normalisers(indptr, rho, beta)
    tail = tails(indptr, np.append(rho, 1.0), np.vstack([c, np.ones(len(item))]))
    A = pairs_of_prefixes(occ, w, rho, np.ascontiguousarray(tail[:H, :H]))
    B = None if A is None else pairs_of_targets(occ, w, rho, c, np.ones(len(item)) if worth is None else worth)
    if A is None or B is None:
        refuse("too_many_pairs", items=C)
    kept = occ.row >= 0
    z = np.concatenate([np.bincount(occ.row[kept], (w[h] * tail[h, H])[kept], C) for h in range(H)])
    F = np.zeros((C, 0)) if F is None else F
    problem = Problem(A, B, z, b[warm], F, np.full(H * C, lam), others=False)
    chosen, values = _solved(problem, lam, n_neighbors, tell)
    return SparseForm.of_targets(warm, len(b), H, chosen, values, dtype)


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
    none = np.zeros(len(warm))
    problem = Problem(_pairs(R.T @ R), _pairs(T.T @ R), none, none, F, penalty, others=True)
    chosen, values = _solved(problem, lam, n_neighbors, progress or silent)
    return SparseForm.of_targets(warm, n_items, 1, chosen, values, dtype)


def _pairs(table: sparse.sparray) -> Pairs:
    rows = sparse.csr_array(table)
    return Pairs(rows.indptr.astype(np.int64), rows.indices.astype(np.int32), rows.data.astype(np.float64))


def _solved(problem: Problem, lam: float, n_neighbors: int, tell: Progress) -> tuple[np.ndarray, np.ndarray]:
    """Unknowns and values (C, K) of all targets. Raises InputError where λ is too small."""
    C, K = len(problem.b), min(n_neighbors, len(problem.penalty))
    chosen, values = np.empty((C, K), np.int32), np.empty((C, K))
    for low in range(0, C, TOGETHER):
        tell("solve", 0.2 + 0.8 * low / C)
        targets = slice(low, low + TOGETHER)
        chosen[targets], values[targets], sound = local_solutions(problem, K, targets)
        if not sound:
            refuse("regularization", got=lam)
    tell("solve", 1.0)
    return chosen, values
