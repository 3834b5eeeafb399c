"""Model-free explainers: a linear surrogate of the score, fitted to re-scored maskings of the history.

Both are small versions of our own, for where the packages of these names are missing (packages.py). The estimators
follow the papers, the samplers are seeded, and the number of maskings is that of the shap package, 2n + 2048.

    lime          min_φ Σ_z π(z) (f(z) − φ_0 − φ·z)² + |φ|²,  π(z) = exp(−D²/0.25²), D the cosine distance of z to the
                  full history; the number of masked events is uniform in 1..n      (Ribeiro et al., KDD 2016)
    kernel_shap   min_φ Σ_z κ(z) (f(z) − f(∅) − φ·z)²  with φ·1 = f(x) − f(∅), κ(z) = (n − 1) / (C(n,|z|)|z|(n − |z|))
                                                                                    (Lundberg & Lee, NeurIPS 2017)

For kernel_shap, the maskings nearest to the full and to the empty history (all but one, one) have much of κ and are all
taken; the others are drawn in pairs of a set and its complement. The maskings and the normal equations depend on the
history alone: a `Design` is made once and serves all its recommendations.
"""

from __future__ import annotations

import numpy as np

from xattn.evaluate.faithfulness.case import Case, Design, Explanation, ordered

__all__ = ["kernel_shap", "lime"]

SAMPLES = 2048
WIDTH = 0.25  # of LIME's kernel: 25 on its scale of distances from 0 to 100


def subsets(rng: np.random.Generator, sizes: np.ndarray, n: int) -> np.ndarray:
    """Random subsets (B, n) bool with the given sizes (B,), from 1 to n."""
    place = rng.random((len(sizes), n))
    limit = np.sort(place, axis=1)[np.arange(len(sizes)), sizes - 1]
    drawn: np.ndarray = place <= limit[:, None]
    return drawn


def lime(case: Case, most: int) -> Explanation:
    """Slopes of a weighted ridge regression; intercept + Σ is what it holds to be the score."""
    design = case.designs.get("lime")
    if design is None:
        design = case.designs["lime"] = _near_the_history(case.rng, case.n)
    found = design.solve(case.masked.of(design.live, case.target))
    return ordered(found[1:], most, offset=float(found[0]))


def _near_the_history(rng: np.random.Generator, n: int) -> Design:
    masked = subsets(rng, rng.integers(1, n + 1, SAMPLES + 2 * n), n)
    live = np.vstack([np.ones((1, n), bool), ~masked])
    distance = 1.0 - np.sqrt(live.sum(axis=1) / n)
    Z = np.column_stack([np.ones(len(live)), live])
    return Design.of(live, Z, np.exp(-((distance / WIDTH) ** 2)), np.append(0.0, np.ones(n)))


def kernel_shap(case: Case, most: int) -> Explanation:
    """Estimated Shapley values of the events; f(∅) + Σ is the score by constraint."""
    n = case.n
    empty = case.score(np.zeros(n, bool))
    total = case.score() - empty
    if n == 1:
        return ordered(np.array([total]), most, offset=empty)
    design = case.designs.get("kernel_shap")
    if design is None:
        design = case.designs["kernel_shap"] = _coalitions(case.rng, n)
    f = case.masked.of(design.live, case.target) - empty
    # φ_n = total − Σ others: put in, the constraint is gone, and the columns are z_i − z_n
    phi = design.solve(f - design.live[:, -1] * total)
    return ordered(np.append(phi, total - phi.sum()), most, offset=empty)


def _coalitions(rng: np.random.Generator, n: int) -> Design:
    """Sizes 1 and n − 1 in full, the others drawn in proportion to their share of κ."""
    size = np.arange(1, n)
    share = (n - 1) / (size * (n - size))
    share /= share.sum()
    alone = np.eye(n, dtype=bool)
    live = np.vstack([alone, ~alone])
    weight = np.full(2 * n, (share[0] + share[-1]) / (2 * n))
    inner = share[1:-1].sum()
    if n > 3:
        drawn = subsets(rng, rng.choice(size[1:-1], SAMPLES // 2, p=share[1:-1] / inner), n)
        live = np.vstack([live, drawn, ~drawn])
        weight = np.append(weight, np.full(SAMPLES, inner / SAMPLES))
    Z = live[:, :-1] - live[:, -1:].astype(float)
    return Design.of(live, Z, weight, np.full(n - 1, 1e-12))
