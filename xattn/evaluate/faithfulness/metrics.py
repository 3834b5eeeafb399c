"""Faithfulness: score and rank when the named reasons are masked, and when only they are left.

x the history, x∖K without its K strongest reasons, x∖K̄ without its K weakest, xK with the K strongest alone; f the
score, rank the place in the list after re-scoring:

    DEL@K  = f(x∖K) / f(x) ↓          POS@r,K = 1[rank(x∖K) ≤ r] ↓        CDCG@K = 1 / log₂(1 + rank(x∖K)) ↓
    INS@K  = f(xK) / f(x) ↑           NEG@r,K = 1[rank(x∖K̄) ≤ r] ↑        PS@r,K = 1[rank(xK) ≤ r] ↑
    comp   = mean over K of 1 − DEL@K ↑     suff = mean over K of 1 − INS@K ↓
    PN@r,K = 1 − POS@r,K ↑                  F@r,K = 2 PN PS / (PN + PS), of the means ↑
    best@K = 1[no set of K that exhaustive search found has a lower f(x∖K)] ↑
    tau    = Kendall's τ_b of the strengths φ with leave-one-out ↑         gap = |offset + Σ φ − f(x)| / f(x) ↓
    tau_terms = the same with the contributions, the model's own terms ↑
    infidelity  = min_β Σ_I (β Σ_{i∈I} φ_i − (f(x) − f(x∖I)))² / Σ_I (f(x) − f(x∖I))², over random sets I ↓
    sensitivity = Σ_i |φ_i(x∖r) − φ_i(x)| / Σ_i |φ_i(x)|, over i ≠ r, with one event r masked at random ↓

after Barkan et al. (LXR, WWW 2024); PN, PS and F after Tan et al. (CountER, CIKM 2021); comprehensiveness and
sufficiency after DeYoung et al. (ERASER, ACL 2020); infidelity and sensitivity after Yeh et al. (NeurIPS 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from xattn.evaluate.faithfulness.case import Explanation, Sets
from xattn.evaluate.faithfulness.masked import Masked
from xattn.explain.question import rank_of

__all__ = [
    "CURVE",
    "CURVES",
    "Reference",
    "Rescored",
    "intervals",
    "kendall",
    "maskings",
    "measured",
    "metric_names",
    "rescored",
    "sizes_of",
]

CURVE = (7, 10, 15, 20)  # the sizes K of a curve beyond the ones in a row: twenty is the shortest history of MovieLens
CURVES = ("del", "ins", "pos", "neg", "cdcg")
SHAPES = ("del@{K}", "ins@{K}", "pos@{k},{K}", "neg@{k},{K}", "ps@{k},{K}", "cdcg@{K}", "best@{K}")
WHOLE = ("tau", "tau_terms", "gap", "infidelity", "sensitivity")  # of all events, whatever K
ROUNDING = 1e-9  # share of f(x) under which two scores are the same


class Rescored(NamedTuple):
    """Scores and ranks (3, sizes) of x∖K, x∖K̄ and xK for every size K; NaN for a size that was not named."""

    score: np.ndarray
    rank: np.ndarray


def sizes_of(most: int) -> tuple[int, ...]:
    """The sizes K that are measured: 1..`most`, which stand in a row, and those of the curve beyond.

    >>> sizes_of(5)
    (1, 2, 3, 4, 5, 7, 10, 15, 20)
    """
    return (*range(1, most + 1), *(K for K in CURVE if K > most))


def metric_names(k: int, most: int) -> list[str]:
    """The keys of a row, in order."""
    sizes = range(1, most + 1)
    shapes = [*SHAPES[:5], "pn@{k},{K}", "f@{k},{K}", *SHAPES[5:]]
    by_size = (shape.format(k=k, K=K) for shape in shapes for K in sizes)
    return [*by_size, "comp", "suff", *WHOLE]


def column_names(k: int, most: int) -> list[str]:
    """What `measured` returns, in order: all sizes of a metric beside each other, then the figures of the whole."""
    sizes = sizes_of(most)
    return [*(shape.format(k=k, K=K) for shape in SHAPES for K in sizes), *WHOLE]


def _of_size(sets: Sets, K: int, n: int) -> tuple[int, ...] | None:
    """The set of K; all there is where the history is shorter, None where so many were not named."""
    return sets[min(K, n) - 1] if len(sets) >= min(K, n) else None


def maskings(found: Explanation, n: int, sizes: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """(B, n) bool, the maskings of every named set, and (3, sizes) which of them is which: x∖K, x∖K̄, xK; −1: none."""
    rows: list[np.ndarray] = []
    place = np.full((3, len(sizes)), -1)
    for at, K in enumerate(sizes):
        for kind, sets in enumerate((found.strongest, found.weakest, found.strongest)):
            named = _of_size(sets, K, n)
            if named is not None:
                inside = np.isin(np.arange(n), named)
                place[kind, at] = len(rows)
                rows.append(inside if kind == 2 else ~inside)
    return np.array(rows).reshape(-1, n), place


def rescored(
    masked: Masked, asked: Sequence[tuple[np.ndarray, np.ndarray]], targets: Sequence[int], allowed: np.ndarray
) -> list[Rescored]:
    """Each explanation's `maskings` scored and ranked; `asked` and `targets` go together; each is scored once."""
    rows, where = np.unique(np.vstack([live for live, _ in asked]), axis=0, return_inverse=True)
    scores = masked.all(rows)
    places = np.split(where.ravel(), np.cumsum([len(live) for live, _ in asked])[:-1])
    ranks: dict[tuple[int, int], int] = {}
    out = []
    for at, (_, place), target in zip(places, asked, targets, strict=True):
        for row in at.tolist():
            if (row, target) not in ranks:
                ranks[row, target] = rank_of(scores[row], target, allowed) or 0
        score = np.append(scores[at, target], np.nan)[place]  # place −1 is the NaN at the end
        rank = np.append([float(ranks[row, target]) for row in at.tolist()], np.nan)[place]
        out.append(Rescored(score, rank))
    return out


class Reference(NamedTuple):
    """The truth about a recommendation: f(x), the losses by leave-one-out (n,), f(x∖K) of exhaustive search (sizes,),
    None where there was none; random sets (B, n) bool and what masking them takes (B,).
    `terms` (n,) are the contributions: where events share a softmax, another quantity than the losses.
    """

    score: float
    lost: np.ndarray
    terms: np.ndarray
    lowest: np.ndarray | None
    masks: np.ndarray
    taken: np.ndarray


def measured(found: Explanation, again: Rescored, truth: Reference, k: int, moved: float = np.nan) -> np.ndarray:
    """The values of `column_names`, in their order; NaN where one has no meaning for this explanation.

    `moved` is the sensitivity, which takes another explanation.
    """
    score, lost = truth.score, truth.lost
    best = np.full(len(again.score[0]), np.nan)
    if truth.lowest is not None:
        known = ~np.isnan(truth.lowest) & ~np.isnan(again.score[0])
        best[known] = again.score[0][known] <= truth.lowest[known] + ROUNDING * score
    within = np.where(np.isnan(again.rank), np.nan, again.rank <= k)
    tau = tau_terms = gap = unfaithful = np.nan
    if found.strength is not None:
        tau, tau_terms = kendall(found.strength, lost), kendall(found.strength, truth.terms)
        unfaithful = infidelity(found.strength, truth.masks, truth.taken)
        if found.offset is not None:
            gap = abs(found.offset + found.strength.sum() - score) / score
    parts = [
        again.score[0] / score,
        again.score[2] / score,
        *within,
        1.0 / np.log2(1.0 + again.rank[0]),
        best,
        [tau, tau_terms, gap, unfaithful, moved],
    ]
    return np.concatenate(parts).astype(float)


def infidelity(strength: np.ndarray, masks: np.ndarray, taken: np.ndarray) -> float:
    """The share of what maskings take that strengths, however scaled, do not foresee: 0 all foreseen, 1 nothing.

    `masks` (B, n) are the masked sets, `taken` (B,) what the score loses with each.

    >>> masks = np.array([[True, False], [True, True]])
    >>> infidelity(np.array([1.0, 2.0]), masks, np.array([2.0, 6.0])), infidelity(np.zeros(2), masks, np.ones(2))
    (0.0, 1.0)
    """
    foreseen = masks @ strength
    total, own = float(taken @ taken), float(foreseen @ foreseen)
    if total == 0.0:
        return 0.0
    return 1.0 - float(foreseen @ taken) ** 2 / (own * total) if own > 0.0 else 1.0


def kendall(a: np.ndarray, b: np.ndarray) -> float:
    """τ_b, and 0 where one of the two tells nothing apart.

    >>> kendall(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])) > 0.3, kendall(np.ones(3), np.arange(3.0))
    (True, 0.0)
    """
    if len(a) < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.kendalltau(a, b).statistic)


def shares(U: int, seed: int, draws: int = 2000) -> np.ndarray:
    """Bootstrap draws (draws, U): which share of a mean each of U users has; the same draws for the same U and seed."""
    found: np.ndarray = np.random.default_rng(seed).multinomial(U, np.full(U, 1.0 / U), draws) / U
    return found


def intervals(values: np.ndarray, seed: int, draws: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile bootstrap over rows: (low, high) of the means of the columns of `values` (U, metrics).

    Every column, and every call with as many rows and the same seed, sees the same draws of rows.
    """
    low, high = np.quantile(shares(len(values), seed, draws) @ values, [0.025, 0.975], axis=0)
    return low, high
