"""How reliable the sum of some questions is: Cronbach's α and McDonald's ω, from answers (people, questions).

    α = q/(q−1) · (1 − Σ_i s_ii / Σ_ij s_ij)             s: covariances; interval by Feldt (1965)
    ω = (Σ λ_i)² / ((Σ λ_i)² + Σ θ_i)                    one factor: s_ij ≈ λ_i λ_j, θ_i = s_ii − λ_i² (McDonald 1999)

The factor is that of least squares over the correlations (minimum residuals, Harman and Jones 1966), scaled back; with
three questions it fits exactly. The interval of ω is a percentile bootstrap over people.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

__all__ = ["alpha", "alpha_interval", "omega", "omega_interval", "reliability"]

DRAWS = 500
ENOUGH = 1e-10  # change of a loading at which the steps end
STEPS = 500


def alpha(x: np.ndarray) -> float | None:
    """Cronbach's α of the answers `x` (people, questions); None where the sum does not vary.

    >>> round(alpha(np.array([[1, 2], [2, 3], [4, 4.0]])), 6)
    0.947368
    """
    s = np.cov(x, rowvar=False)
    q, total = x.shape[1], float(s.sum())
    return q / (q - 1) * (1 - float(np.trace(s)) / total) if total > 0 else None


def alpha_interval(found: float, people: int, questions: int) -> list[float]:
    """Feldt's 95 % interval of an α."""
    one, two = people - 1, (people - 1) * (questions - 1)
    ends = [1 - (1 - found) * float(stats.f.ppf(q, one, two)) for q in (0.975, 0.025)]
    return [max(-1.0, ends[0]), ends[1]]


def loadings(r: np.ndarray) -> np.ndarray:
    """(…, q) loadings of one factor on q questions with correlations `r` (…, q, q), by least squares beside the
    diagonal."""
    values, vectors = np.linalg.eigh(r)
    lam: np.ndarray = vectors[..., -1] * np.sqrt(np.maximum(values[..., -1:], 0.0))
    lam = lam * np.where(lam.sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    q = r.shape[-1]
    off = r * (1.0 - np.eye(q))
    for _ in range(STEPS):
        before = lam.copy()
        for i in range(q):  # each loading in turn is the best for the others
            below = (lam**2).sum(axis=-1) - lam[..., i] ** 2
            best = (off[..., i, :] * lam).sum(axis=-1) / np.where(below > 0, below, 1.0)
            lam[..., i] = np.clip(np.where(below > 0, best, 0.0), -1.0, 1.0)
        if np.abs(lam - before).max() < ENOUGH:
            break
    return lam


def omega(x: np.ndarray) -> float | None:
    """McDonald's ω of the answers `x` (people, questions); None for fewer than three questions, or where one does not
    vary."""
    found = float(_omegas(x[None])[0])
    return None if np.isnan(found) else found


def _omegas(x: np.ndarray) -> np.ndarray:
    """ω of each of several sets of answers `x` (D, people, questions); NaN where there is none."""
    centred = x - x.mean(axis=1, keepdims=True)
    s = np.einsum("dpi,dpj->dij", centred, centred) / (x.shape[1] - 1)
    variance = np.diagonal(s, axis1=1, axis2=2)
    varies = (variance > 0).all(axis=1) & (x.shape[2] >= 3)
    found = np.full(len(x), np.nan)
    if varies.any():
        sd = np.sqrt(variance[varies])
        lam = loadings(s[varies] / (sd[:, :, None] * sd[:, None, :]))
        common = (lam * sd).sum(axis=1) ** 2
        total = common + ((1 - lam**2) * sd**2).sum(axis=1)
        found[varies] = np.where(total > 0, common / np.where(total > 0, total, 1.0), np.nan)
    return found


def omega_interval(x: np.ndarray, seed: int = 0) -> list[float] | None:
    """Percentile bootstrap over people; draws in which a question does not vary are left out."""
    rng = np.random.default_rng(seed)
    drawn = _omegas(x[rng.integers(0, len(x), (DRAWS, len(x)))])
    if np.isnan(drawn).mean() > 0.5:
        return None
    return [float(end) for end in np.nanquantile(drawn, [0.025, 0.975])]


def reliability(x: np.ndarray) -> dict[str, Any]:
    """`alpha` and `omega` as ``{"value", "ci95"}``; None where fewer than three people answered all questions."""
    nothing = {"value": None, "ci95": None}
    if len(x) < 3:
        return {"alpha": nothing, "omega": nothing}
    a, w = alpha(x), omega(x)
    return {
        "alpha": nothing if a is None else {"value": a, "ci95": alpha_interval(a, *x.shape)},
        "omega": nothing if w is None else {"value": w, "ci95": omega_interval(x)},
    }
