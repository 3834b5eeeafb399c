"""Model-free explainers: a linear surrogate of the score, fitted to re-scored maskings of the history.

Both are small versions of our own, not the packages of these names: the estimators follow the papers, the samplers are
seeded, and the number of maskings is that of the shap package, 2n + 2048.

    lime          min_φ Σ_z π(z) (f(z) − φ_0 − φ·z)² + |φ|²,  π(z) = exp(−D²/0.25²), D the cosine distance of z to the
                  full history; the number of masked events is uniform in 1..n      (Ribeiro et al., KDD 2016)
    kernel_shap   min_φ Σ_z κ(z) (f(z) − f(∅) − φ·z)²  with φ·1 = f(x) − f(∅), κ(z) = (n − 1) / (C(n,|z|)|z|(n − |z|))
                                                                                    (Lundberg & Lee, NeurIPS 2017)

The maskings nearest to the full and to the empty history (all but one, one) have much of κ and are all taken; the
others are drawn in pairs of a set and its complement.
"""

from __future__ import annotations

import numpy as np

from xattn.evaluate.faithfulness.case import Case, Explanation, ordered

__all__ = ["kernel_shap", "lime"]

SAMPLES = 2048
WIDTH = 0.25  # of LIME's kernel: 25 on its scale of distances from 0 to 100


def subsets(rng: np.random.Generator, sizes: np.ndarray, n: int) -> np.ndarray:
    """Random subsets (B, n) bool with the given sizes (B,)."""
    place = rng.random((len(sizes), n)).argsort(axis=1).argsort(axis=1)
    drawn: np.ndarray = place < sizes[:, None]
    return drawn


def lime(case: Case, most: int) -> Explanation:
    """Slopes of a weighted ridge regression; intercept + Σ is what it holds to be the score."""
    n = case.n
    masked = case.rng.integers(1, n + 1, SAMPLES + 2 * n)
    live = np.vstack([np.ones((1, n), bool), ~subsets(case.rng, masked, n)])
    distance = 1.0 - np.sqrt(live.sum(axis=1) / n)
    weight = np.exp(-((distance / WIDTH) ** 2))
    f = case.masked.of(live, case.target)
    mean_z, mean_f = weight @ live / weight.sum(), weight @ f / weight.sum()
    Z = live - mean_z
    slope = np.linalg.solve((Z.T * weight) @ Z + np.eye(n), (Z.T * weight) @ (f - mean_f))
    return ordered(slope, most, offset=float(mean_f - mean_z @ slope))


def kernel_shap(case: Case, most: int) -> Explanation:
    """Estimated Shapley values of the events; f(∅) + Σ is the score by constraint."""
    n = case.n
    full, empty = case.score(), case.score(np.zeros(n, bool))
    if n == 1:
        return ordered(np.array([full - empty]), most, offset=empty)
    live, weight = _coalitions(case.rng, n)
    f = case.masked.of(live, case.target) - empty
    # φ_n = f(x) − f(∅) − Σ others: put in, the constraint is gone
    last = live[:, -1].astype(float)
    Z, y = live[:, :-1] - last[:, None], f - last * (full - empty)
    A = (Z.T * weight) @ Z
    phi = np.linalg.solve(A + 1e-12 * np.trace(A) / n * np.eye(n - 1), (Z.T * weight) @ y)
    return ordered(np.append(phi, full - empty - phi.sum()), most, offset=empty)


def _coalitions(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """(live (B, n), weight (B,)): sizes 1 and n − 1 in full, the others drawn in proportion to their share of κ."""
    size = np.arange(1, n)
    share = (n - 1) / (size * (n - size))
    share /= share.sum()
    alone = np.eye(n, dtype=bool)
    live = np.vstack([alone, ~alone])
    weight = np.full(2 * n, (share[0] + share[-1]) / 2 / n)
    inner = size[1:-1]
    if len(inner):
        drawn = subsets(rng, rng.choice(inner, SAMPLES // 2, p=share[1:-1] / share[1:-1].sum()), n)
        live = np.vstack([live, drawn, ~drawn])
        weight = np.append(weight, np.full(2 * len(drawn), share[1:-1].sum() / (2 * len(drawn))))
    return live, weight
