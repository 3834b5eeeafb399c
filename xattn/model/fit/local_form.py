"""Sparse values: the ridge problems of the closed forms, with K values for each target in place of all.

They serve catalogues whose table of all pairs does not fit. Each target's problem is that of the closed form,
restricted to the K unknowns with most evidence (`xattn.kernels.local`), and solved exactly. If K is the number of all
unknowns, this is the whole solution.

`fit_local_form` has the sums of `closed_form`, `local_values` those of `belonging` and `ease`, in which no item may
explain itself: there each item is left out of its own unknowns.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.kernels.local import Problem, local_solutions
from xattn.model.fit.pair_sums import PairSums, pairs_of_table, prefix_pairs
from xattn.model.fit.pooling import Pooled
from xattn.model.fit.sums import Histories
from xattn.model.value_table import SparseForm
from xattn.progress import Progress, silent

__all__ = ["fit_local_form", "local_values", "values_of_products"]

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
    F: np.ndarray | sparse.csr_array | None = None,
    sums: PairSums | None = None,
    pooled: Pooled | None = None,
    progress: Progress | None = None,
) -> SparseForm:
    """`fit_closed_form` with at most `n_neighbors` values a target, the same arguments, and the same errors; `sums`
    are `PairSums`. InputError also where too many pairs of items occur together for memory.
    """
    tell = progress or silent
    C, H = len(warm), len(tau)
    tell("accumulate", 0.0)
    if sums is not None:
        A, B, z = pairs_of_table(sums.A), pairs_of_table(sums.B), sums.z
    else:
        histories = Histories(indptr, item, w, np.ones(len(item)) if worth is None else worth, pooled)
        A, B, z = prefix_pairs(histories, warm, len(b), tau, beta)
    F = sparse.csr_array((C, 0) if F is None else F)
    problem = Problem(A, B, z, b[warm], pairs_of_table(F), F.shape[1], np.full(H * C, lam), others=False)
    chosen, values = _solved(problem, lam, n_neighbors, tell)
    return SparseForm.of_targets(warm, len(b), H, chosen, values, dtype)


def local_values(
    R: sparse.csr_array,
    T: sparse.csr_array,
    F: np.ndarray | sparse.csr_array,
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
    products = sparse.csr_array(R.T @ R), sparse.csr_array(T.T @ R)
    return values_of_products(*products, F, penalty, lam, n_neighbors, warm, n_items, dtype, progress)


def values_of_products(
    RR: sparse.csr_array,
    TR: sparse.csr_array,
    F: np.ndarray | sparse.csr_array,
    penalty: np.ndarray,
    lam: float,
    n_neighbors: int,
    warm: np.ndarray,
    n_items: int,
    dtype: type = np.float32,
    progress: Progress | None = None,
) -> SparseForm:
    """The same from RᵀR and TᵀR (C, C)."""
    none, F = np.zeros(len(warm)), sparse.csr_array(F)
    sums = pairs_of_table(RR), pairs_of_table(TR)
    problem = Problem(*sums, none, none, pairs_of_table(F), F.shape[1], penalty, others=True)
    chosen, values = _solved(problem, lam, n_neighbors, progress or silent)
    return SparseForm.of_targets(warm, n_items, 1, chosen, values, dtype)


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
