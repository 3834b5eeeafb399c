"""The worth of each feature in the content head: a ridge problem over sampled prefixes (docs/model.md, eq. 8).

    min_θ Σ_t Σ_j b_j (y_tj/b_j − 1 − p_tj·θ)²

y_t is the next item, one-hot, and p_tj the derivative of the relative score by θ. Targets that are drawn with
probability b stand for the sum over j.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg

from xattn.kernels.content import content_gradients
from xattn.kernels.sums.normal import normal_table
from xattn.model.heads.content import ItemFeatures

__all__ = ["Sampled", "fit_feature_worths", "ridge_of", "sampled_gradients", "sampled_prefixes"]

SAMPLED_PREFIXES = 4000
SAMPLED_TARGETS = 64  # per prefix, drawn by the base
NEWEST = 200  # events of a prefix that the fit uses
DENSE = 3000  # features up to which their d × d problem is solved as a table
LEADING = 2048  # features that are solved as a table where there are more


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
    chosen = sampled_prefixes(indptr, item, b, rng) if d else None
    if chosen is None:
        return np.zeros(d)
    P = sampled_gradients(features, chosen, item, w, temperature=temperature, tau=tau, beta=beta)
    return ridge_of([P], chosen)[0]


class Sampled(NamedTuple):
    """T prefixes: the events from `start` to `stop` as their pasts, and their `targets` (T, J), what came first."""

    start: np.ndarray
    stop: np.ndarray
    targets: np.ndarray


def sampled_prefixes(
    indptr: np.ndarray, item: np.ndarray, b: np.ndarray, rng: np.random.Generator, among: np.ndarray | None = None
) -> Sampled | None:
    """Prefixes that end before an event (`among` these, or any with a past), and targets drawn by b; None: none."""
    start = np.repeat(indptr[:-1], np.diff(indptr))
    usable = np.flatnonzero(np.arange(len(item)) > start) if among is None else among  # events with a past
    if not len(usable):
        return None
    chosen = np.sort(rng.choice(usable, min(SAMPLED_PREFIXES, len(usable)), replace=False))
    drawn = rng.choice(len(b), (len(chosen), SAMPLED_TARGETS), p=b)
    return Sampled(np.maximum(start[chosen], chosen - NEWEST), chosen, np.column_stack([item[chosen], drawn]))


def sampled_gradients(
    features: ItemFeatures,
    chosen: Sampled,
    item: np.ndarray,
    w: np.ndarray,
    *,
    temperature: float,
    tau: float,
    beta: float,
) -> sparse.csr_array:
    """P (T·J, d): the derivative of the relative score of each target by each worth."""
    d, targets = features.F.shape[1], chosen.targets
    rows, past = features.targets(None), (chosen.start, chosen.stop)
    place, p = content_gradients(rows, targets, *past, item, w, temperature, tau, beta, d)
    return sparse.csr_array((p, features.F[targets.ravel()].indices, place), shape=(targets.size, d))


def ridge_of(blocks: Sequence[sparse.csr_array], chosen: Sampled) -> list[np.ndarray]:
    """θ of each of the blocks of columns P, which are fitted together."""
    P = blocks[0] if len(blocks) == 1 else sparse.csr_array(sparse.hstack(blocks))
    size = chosen.targets.size
    first = np.arange(len(chosen.targets)) * chosen.targets.shape[1]
    taken, others = P[first], P[np.delete(np.arange(size), first)]
    theta = _ridge(others, taken.sum(axis=0) - others.sum(axis=0) / SAMPLED_TARGETS)
    ends = np.cumsum([own.shape[1] for own in blocks])[:-1]
    return list(np.split(theta, ends))


def _ridge(P: sparse.csr_array, B: np.ndarray) -> np.ndarray:
    """θ of (PᵀP/S + ρI) θ = B, for S targets a prefix; ρ is a hundredth of the mean of the diagonal.

    Of more than `DENSE` features, the `LEADING` ones are solved as a table in each step of conjugate gradients: they
    stand in most rows and together, and the diagonal alone would need nine times as many steps.
    """
    d = P.shape[1]
    ridge = 1e-2 * float((P.data**2).sum()) / SAMPLED_TARGETS / d + 1e-12
    diagonal = np.bincount(P.indices, P.data**2, minlength=d) / SAMPLED_TARGETS + ridge
    leading = np.sort(np.argsort(-diagonal, kind="stable")[: d if d <= DENSE else LEADING])
    table = normal_table(P, leading) / SAMPLED_TARGETS
    table[np.diag_indices(len(leading))] += ridge
    factor = cho_factor(table, overwrite_a=True)
    if len(leading) == d:
        return np.asarray(cho_solve(factor, B))

    def nearly(x: np.ndarray) -> np.ndarray:
        found = np.asarray(x / diagonal)
        found[leading] = cho_solve(factor, x[leading])
        return found

    A = LinearOperator((d, d), lambda x: P.T @ (P @ x) / SAMPLED_TARGETS + ridge * x, dtype=float)
    theta, failed = cg(A, B, rtol=1e-12, maxiter=20 * d, M=LinearOperator((d, d), nearly, dtype=float))
    assert not failed
    return np.asarray(theta)
