"""Faithfulness: what the score and the rank become when the named reasons are masked, or alone are left.

x the history, x∖K without its K strongest reasons, x∖K̄ without its K weakest, xK with the K strongest alone; f the
score, rank the place in the list after re-scoring:

    DEL@K  = f(x∖K) / f(x) ↓          POS@r,K = 1[rank(x∖K) ≤ r] ↓        CDCG@K = 1 / log₂(1 + rank(x∖K)) ↓
    INS@K  = f(xK) / f(x) ↑           NEG@r,K = 1[rank(x∖K̄) ≤ r] ↑        PS@r,K = 1[rank(xK) ≤ r] ↑
    best@K = 1[no set of K that exhaustive search found has a lower f(x∖K)] ↑
    tau    = Kendall's τ_b of the strengths with leave-one-out ↑           gap = |offset + Σ strengths − f(x)| / f(x) ↓

after Barkan et al. (LXR, WWW 2024) and, for PS, Tan et al. (CountER, CIKM 2021), whose PN@r,K is 1 − POS@r,K.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from xattn.evaluate.faithfulness.case import Explanation
from xattn.evaluate.faithfulness.masked import Masked
from xattn.explain.question import rank_of

__all__ = ["Reference", "Rescored", "intervals", "maskings", "measured", "metric_names", "rescored"]


ROUNDING = 1e-9  # share of f(x) under which two scores are the same


class Rescored(NamedTuple):
    """Scores and ranks (3, most) of x∖K, x∖K̄ and xK for K = 1..most."""

    score: np.ndarray
    rank: np.ndarray


def metric_names(k: int, most: int) -> list[str]:
    """The keys of a row, in order."""
    sizes = range(1, most + 1)
    shapes = ("del@{K}", "ins@{K}", "pos@{k},{K}", "neg@{k},{K}", "ps@{k},{K}", "cdcg@{K}", "best@{K}")
    return [*(shape.format(k=k, K=K) for shape in shapes for K in sizes), "tau", "gap"]


def maskings(found: Explanation, n: int) -> np.ndarray:
    """(3·most, n) bool: x∖K for each K, then x∖K̄, then xK."""
    live = np.ones((3, len(found.strongest), n), bool)
    live[2] = False
    for K, (strong, weak) in enumerate(zip(found.strongest, found.weakest, strict=True)):
        live[0, K, list(strong)] = False
        live[1, K, list(weak)] = False
        live[2, K, list(strong)] = True
    return live.reshape(-1, n)


def rescored(masked: Masked, live: list[np.ndarray], targets: list[int], allowed: np.ndarray) -> list[Rescored]:
    """Each explanation's maskings scored and ranked; `live` and `targets` go together, every masking is scored once."""
    rows, place = np.unique(np.vstack(live), axis=0, return_inverse=True)
    scores = masked.all(rows)
    places = np.split(place.ravel(), np.cumsum([len(one) for one in live])[:-1])
    ranks: dict[tuple[int, int], int] = {}
    out = []
    for at, target in zip(places, targets, strict=True):
        for row in at.tolist():
            if (row, target) not in ranks:
                ranks[row, target] = rank_of(scores[row], target, allowed) or 0
        out.append(Rescored(scores[at, target].reshape(3, -1), np.array([ranks[r, target] for r in at]).reshape(3, -1)))
    return out


class Reference(NamedTuple):
    """What a recommendation's explanations are held against: f(x), the losses by leave-one-out (n,), and f(x∖K) of
    exhaustive search (most,), None where it was not asked.
    """

    score: float
    lost: np.ndarray
    lowest: np.ndarray | None


def measured(found: Explanation, again: Rescored, truth: Reference, k: int) -> np.ndarray:
    """The values of `metric_names`, in their order; NaN where one has no meaning for this explanation."""
    score, lost = truth.score, truth.lost
    best = np.full(len(again.score[0]), np.nan)
    if truth.lowest is not None:
        best = again.score[0] <= truth.lowest + ROUNDING * score
    within = again.rank <= k
    tau = np.nan if found.strength is None else kendall(found.strength, lost)
    gap = np.nan
    if found.offset is not None and found.strength is not None:
        gap = abs(found.offset + found.strength.sum() - score) / score
    parts = [
        again.score[0] / score,
        again.score[2] / score,
        *within,
        1.0 / np.log2(1.0 + again.rank[0]),
        best,
        [tau, gap],
    ]
    return np.concatenate(parts).astype(float)


def kendall(a: np.ndarray, b: np.ndarray) -> float:
    """τ_b, and 0 where one of the two tells nothing apart.

    >>> kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) > 0.3, kendall(np.ones(3), np.arange(3.0))
    (True, 0.0)
    """
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.kendalltau(a, b).statistic)


def intervals(values: np.ndarray, seed: int, draws: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile bootstrap over rows: (low, high) of the means of the columns of `values` (U, metrics).

    Every column, and every call with as many rows and the same seed, sees the same draws of rows.
    """
    U = len(values)
    share = np.random.default_rng(seed).multinomial(U, np.full(U, 1.0 / U), draws) / U
    low, high = np.quantile(share @ values, [0.025, 0.975], axis=0)
    return low, high
