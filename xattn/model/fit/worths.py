"""The worth of each feature in the content head: a ridge problem over sampled prefixes (docs/model.md, eq. 8).

    min_θ Σ_t Σ_j b_j (y_tj/b_j − 1 − p_tj·θ)²

y_t is the next item, one-hot, and p_tj the derivative of the relative score by θ. Targets that are drawn with
probability b stand for the sum over j.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, cg

from xattn.kernels.content import content_gradients
from xattn.model.heads.content import ItemFeatures

__all__ = ["fit_feature_worths"]

SAMPLED_PREFIXES = 4000
SAMPLED_TARGETS = 64  # per prefix, drawn by the base
NEWEST = 200  # events of a prefix that the fit uses
DENSE = 3000  # features up to which their d × d problem is solved as a table


def fit_feature_worths(
    features: ItemFeatures,
    indptr: np.ndarray,
    item: np.ndarray,
    w: np.ndarray,
    b: np.ndarray,
    *,
    temperature: float,
    tau: float,
    beta: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """θ (d,). The histories are `indptr` and `item`, their strengths `w` (N,); the base is `b` (M,) > 0."""
    d = features.F.shape[1]
    length = np.diff(indptr)
    start = np.repeat(indptr[:-1], length)
    usable = np.flatnonzero(np.arange(len(item)) > start)  # events with a past
    if not d or not len(usable):
        return np.zeros(d)
    chosen = np.sort(rng.choice(usable, min(SAMPLED_PREFIXES, len(usable)), replace=False))
    drawn = rng.choice(len(b), (len(chosen), SAMPLED_TARGETS), p=b)
    targets = np.column_stack([item[chosen], drawn])
    past = np.maximum(start[chosen], chosen - NEWEST), chosen
    place, p = content_gradients(features.targets(None), targets, *past, item, w, temperature, tau, beta, d)
    P = sparse.csr_array((p, features.F[targets.ravel()].indices, place), shape=(targets.size, d))
    first = np.arange(len(chosen)) * targets.shape[1]
    taken, others = P[first], P[np.delete(np.arange(targets.size), first)]
    return _ridge(others, taken.sum(axis=0) - others.sum(axis=0) / SAMPLED_TARGETS)


def _ridge(P: sparse.csr_array, B: np.ndarray) -> np.ndarray:
    """θ of (PᵀP/S + ρI) θ = B, for S targets a prefix; ρ is a hundredth of the mean of the diagonal."""
    d = P.shape[1]
    ridge = 1e-2 * float((P.data**2).sum()) / SAMPLED_TARGETS / d + 1e-12
    if d <= DENSE:
        A = (P.T @ P).toarray() / SAMPLED_TARGETS
        return np.linalg.solve(A + ridge * np.eye(d), B)
    diagonal = np.bincount(P.indices, P.data**2, minlength=d) / SAMPLED_TARGETS + ridge
    A = LinearOperator((d, d), lambda x: P.T @ (P @ x) / SAMPLED_TARGETS + ridge * x, dtype=float)
    theta, failed = cg(A, B, rtol=1e-12, maxiter=20 * d, M=sparse.diags_array(1 / diagonal))
    assert not failed
    return np.asarray(theta)
