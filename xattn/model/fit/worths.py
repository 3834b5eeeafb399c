"""What each feature is worth to the content head: a ridge problem over sampled prefixes (docs/model.md, eq. 8).

    min_θ Σ_t Σ_j b_j (y_tj/b_j − 1 − p_tj·θ)²

y_t is the next item, one-hot, and p_tj the derivative of the relative score by θ. Targets that are drawn with
probability b stand for the sum over j.
"""

from __future__ import annotations

import numpy as np

from xattn.kernels.fields import field_weights
from xattn.model.heads.content import ItemFeatures

__all__ = ["fit_feature_worths"]

SAMPLED_PREFIXES = 4000
SAMPLED_TARGETS = 64  # per prefix, drawn by the base
NEWEST = 200  # events of a prefix that the fit looks at


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
    A, B = np.zeros((d, d)), np.zeros(d)
    chosen = np.sort(rng.choice(usable, min(SAMPLED_PREFIXES, len(usable)), replace=False))
    drawn_targets = rng.choice(len(b), (len(chosen), SAMPLED_TARGETS), p=b)
    s = min(temperature, 1.0)  # as in the kernel: a tiny T overflows nothing
    for t, others in zip(chosen.tolist(), drawn_targets, strict=True):
        past = np.arange(max(start[t], t - NEWEST), t)
        targets = np.r_[item[t], others]
        unit, weighted = features.events(item[past], w[past])
        # with a few targets a matrix product is quicker than the kernel, whose threads would wait for one another
        F = features.dense(targets)
        e = (F / features.norm[targets][:, None]) @ unit * (s / temperature) - (t - 1 - past) / tau * s
        a = field_weights(np.exp((e - e.max(axis=1, keepdims=True)) / s), np.ones(len(past), bool), beta, 0.0)
        P = (a @ weighted.T) * F
        drawn = P[1:]
        A += drawn.T @ drawn / SAMPLED_TARGETS
        B += P[0] - drawn.mean(axis=0)
    ridge = 1e-2 * np.trace(A) / d + 1e-12
    return np.linalg.solve(A + ridge * np.eye(d), B)
