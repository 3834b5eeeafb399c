"""Ranking metrics from ranks, and intervals by bootstrap over users.

A rank is 1 + the number of candidates that score at least as high (ties count against the model), and `inf` where the
target's score is NaN. With one target a user: HR@k = recall@k = 1[rank ≤ k], NDCG@k = 1[rank ≤ k]/log₂(1 + rank), MRR
= 1/rank. Beyond accuracy, over the top-k lists: coverage (share of the catalogue that is in any list), novelty (mean
−log₂ of the share of training events an item has), diversity (mean 1 − cosine of item features over the pairs of a
list).
"""

from __future__ import annotations

import numpy as np

__all__ = ["coverage", "diversity", "interval", "novelty", "per_user", "rank_against"]


def rank_against(scores: np.ndarray, target: int, allowed: np.ndarray) -> float:
    """Rank of `target` among the `allowed` items (M,) bool; NaN scores of others never help it, its own NaN is worst.

    >>> rank_against(np.array([3.0, 2.0, 2.0, 1.0]), 1, np.array([True, True, True, True]))
    3.0
    """
    own = scores[target]
    if np.isnan(own):
        return np.inf
    ahead = (scores >= own) | np.isnan(scores)
    ahead[target] = False
    return 1.0 + np.count_nonzero(ahead & allowed)


def per_user(rank: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """Metrics of each user from the rank of their one target (U,).

    >>> {name: v.tolist() for name, v in per_user(np.array([1.0, 3.0, 11.0]), 10).items() if name != "mrr"}
    {'ndcg@10': [1.0, 0.5, 0.0], 'hr@10': [1.0, 1.0, 0.0], 'recall@10': [1.0, 1.0, 0.0]}
    """
    hit = (rank <= k).astype(float)
    return {f"ndcg@{k}": hit / np.log2(1 + rank), f"hr@{k}": hit, f"recall@{k}": hit, "mrr": 1 / rank}


def interval(values: np.ndarray, seed: int, draws: int = 2000) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean of `values` (U,)."""
    rng = np.random.default_rng(seed)
    n = len(values)
    means = np.array([values[rng.integers(0, n, n)].mean() for _ in range(draws)])
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def coverage(lists: list[np.ndarray], n_items: int) -> float:
    """Share of the catalogue in any list, from 0 to 1."""
    return len(np.unique(np.concatenate(lists))) / n_items


def novelty(lists: list[np.ndarray], counts: np.ndarray) -> float:
    """Mean self-information −log₂((n_j + 1)/Σ(n + 1)) of the listed items, in bits."""
    bits = -np.log2((counts + 1) / (counts + 1).sum())
    return float(bits[np.concatenate(lists)].mean())


def diversity(lists: list[np.ndarray], F: np.ndarray) -> float:
    """Mean of 1 − cosine over the pairs of each list, averaged over lists; `F` (M, d) features; NaN without
    features."""
    norm = np.sqrt((F**2).sum(axis=1))
    if not F.size or not norm.any():
        return float("nan")
    unit = F / np.where(norm > 0, norm, 1.0)[:, None]
    values = []
    for items in lists:
        n = len(items)
        if n > 1:
            total = np.square(unit[items].sum(axis=0)).sum() - np.square(unit[items]).sum()
            values.append(1 - total / (n * (n - 1)))
    return float(np.mean(values)) if values else float("nan")
