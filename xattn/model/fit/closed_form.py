"""Closed-form heads: the value table V as the solution of one ridge problem over all prefixes of all histories.

    min_V Σ_t ‖z_t V − (y_t − b)‖² + λ‖V‖²      ⇒      V = (A + λI)⁻¹ (B − z bᵀ)

with A = Σ z_tᵀz_t, B = Σ z_tᵀy_t, z = Σ z_tᵀ: z_t stacks the H pooled prefixes (docs/model.md, eq. 9–12), y_t is the
next item one-hot, b the base (how often each item is the next one at all). So V explains only what the base does not,
and is close to 0 where there is little evidence.

Features of the items may be added, each as one more prefix of every head that holds all items with the feature: A gains
φFFᵀ in each head's own block, B the same off its diagonal. So items that share features get values for each other even
where few people have both.

Only *warm* items, those with enough events, have rows in V; the others have the base and content heads alone.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

from xattn.errors import refuse
from xattn.kernels.gram import accumulate_gram, accumulate_targets, occurrences
from xattn.model.fit.pooling import Pooled, pooled_by_events
from xattn.model.fit.sums import Sums
from xattn.model.value_table import ClosedForm, rows_of
from xattn.progress import Progress, silent

__all__ = ["ClosedForm", "fit_closed_form", "warm_items"]

MANY = 2000  # features from which their products are taken as sparse rows
RESIDUAL = 1e-3  # relative residual of the float32 solve above which float64 is used instead
DROWNED = 1e3  # roundings of A's largest entry: a λ of less would be lost in them to one part in a thousand or more


def warm_items(counts: np.ndarray, min_count: int, max_rows: int | None = None) -> np.ndarray:
    """Rows of the items with at least `min_count` events, the `max_rows` most frequent of them, in item order."""
    warm = np.flatnonzero(counts >= min_count)
    if max_rows is not None and len(warm) > max_rows:
        warm = np.sort(warm[np.argsort(-counts[warm], kind="stable")[:max_rows]])
    return warm


def fit_closed_form(
    indptr: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    warm: np.ndarray,
    *,
    tau: np.ndarray,
    beta: np.ndarray,
    lam: float,
    dtype: type = np.float32,
    worth: np.ndarray | None = None,
    F: np.ndarray | sparse.csr_array | None = None,
    sums: Sums | None = None,
    pooled: Pooled | None = None,
    progress: Progress | None = None,
) -> ClosedForm:
    """Solve for V, the heads' values over the items `warm` (C,), in `dtype`.

    Histories `indptr` (U+1,), `item` (N,); strengths `w` (H, N); base `b` (M,); of each head the scale `tau` > 0 in
    events and the exponent `beta` (H,); λ `lam` > 0; `worth` (N,) ≥ 0 what each event counts as the next one (None: 1
    each); `F` (C, d) features, √φ times each. `sums` are A, B, z of these very histories where they are known already;
    `pooled` says how they are pooled where heads do not forget by events alone, as `tau` has it.
    Raises InputError when λ is too small for the problem to be solved in float64. Source: a linear autoencoder in
    closed form, as Steck's EASE (2019), over ordered prefixes; features as further rows, as in CEASE (Jeunen et al.,
    RecSys 2020).
    """
    tell = progress or silent
    C = len(warm)
    row_of_item = rows_of(warm, len(b))
    tell("accumulate", 0.0)
    if sums is not None:
        largest = sums.A.diagonal().max(initial=0.0)
        A: np.ndarray = sums.A.astype(np.float64 if _drowns(lam, largest, dtype) else dtype)
        tell("accumulate", 0.2)
        B, z = sums.B.astype(A.dtype), sums.z
    else:
        occ = occurrences(indptr, item, row_of_item, C)
        streams = pooled or pooled_by_events(indptr, tau, beta)
        w, tail = streams.strengths(w), streams.tails(indptr)
        A = accumulate_gram(occ, w, streams.rho, tail, dtype)
        if _drowns(lam, A.diagonal().max(initial=0.0), dtype):
            A = accumulate_gram(occ, w, streams.rho, tail, np.float64)
        A = streams.blocks(A)
        tell("accumulate", 0.2)
        B, z = accumulate_targets(occ, occ.row, C, w, streams.rho, streams.targets, A.dtype.type, worth)
        B, z = streams.heads(B), streams.heads(z)
    for r in range(len(z)):
        B[r] -= (z[r] * b[warm]).astype(B.dtype)
    if F is not None:
        _speak_for_each_other(sparse.csr_array(F), A, B)
    tell("solve", 0.3)
    V: np.ndarray = _solve(A, B, lam).astype(dtype, copy=False)
    tell("solve", 1.0)
    return ClosedForm(warm, row_of_item, V.reshape(len(tau), C, C))


def _speak_for_each_other(F: sparse.csr_array, A: np.ndarray, B: np.ndarray) -> None:
    """Add each feature as a prefix of all items that have it, followed by another one of them."""
    C = F.shape[0]
    dense = F.toarray() if F.shape[1] <= MANY else None  # a product of tables is quicker as long as they are narrow
    shared = ((F @ F.T).toarray() if dense is None else dense @ dense.T).astype(A.dtype)
    others = shared.copy()
    np.fill_diagonal(others, 0.0)  # no item follows itself
    for low in range(0, len(A), C or 1):
        A[low : low + C, low : low + C] += shared
        B[low : low + C] += others


def _drowns(lam: float, largest: float, dtype: type) -> bool:
    """Whether λ would be lost in the rounding of A, whose largest diagonal entry is `largest`."""
    return bool(dtype is np.float32 and lam < DROWNED * np.finfo(np.float32).eps * largest)


def _solve(A: np.ndarray, B: np.ndarray, lam: float) -> np.ndarray:
    """(A + λI)⁻¹ B by Cholesky in A's type; in float64 where float32 does not reach the residual bound.

    Only the upper triangle of `A` is read; `A` is lost.
    """
    if not A.size:
        return B
    diagonal = np.arange(len(A))
    A[diagonal, diagonal] += lam
    if A.dtype == np.float64:
        return _solve_surely(A, B, lam)
    probe = np.linspace(0, B.shape[1] - 1, min(8, B.shape[1])).astype(int)
    upper = A.copy()
    try:
        V = _cholesky_solve(A, B)
    except linalg.LinAlgError:
        V = np.full_like(B, np.nan)
    x = V[:, probe]
    gap = np.linalg.norm(_symmetric_product(upper, x) - B[:, probe])
    if gap <= RESIDUAL * np.linalg.norm(B[:, probe]):  # false for nan
        return V
    return _solve_surely(upper.astype(np.float64), B.astype(np.float64), lam).astype(A.dtype)


def _solve_surely(A: np.ndarray, B: np.ndarray, lam: float) -> np.ndarray:
    """A⁻¹ B in float64; A, with λ on its diagonal, is positive definite unless λ drowns in the rounding of A."""
    try:
        return _cholesky_solve(A, B)
    except linalg.LinAlgError:
        refuse("regularization_float64", got=lam)


def _symmetric_product(upper: np.ndarray, x: np.ndarray) -> np.ndarray:
    """(symmetric matrix given by its upper triangle) @ x."""
    symm = linalg.blas.ssymm
    return np.asarray(symm(1.0, upper.T, np.asfortranarray(x), lower=1))  # .T: the same memory, column by column


def _cholesky_solve(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    # A.T is the same memory in Fortran order, its lower triangle A's upper one: LAPACK works in place, without a copy
    factor = linalg.cho_factor(A.T, lower=True, overwrite_a=True, check_finite=False)
    return np.ascontiguousarray(linalg.cho_solve(factor, B, check_finite=False))
