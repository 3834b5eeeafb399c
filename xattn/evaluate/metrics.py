"""Ranking metrics from the ranks of what was relevant, and what lies beyond accuracy in the lists.

A user has R relevant items with ranks r_1 < … < r_R among the candidates. An item's rank is 1 + the number of other
candidates that score at least as high, so ties count against the model; relevant items of equal score share out their
places. A score of NaN ranks at infinity, and the NaN of another item never helps. With h(k) = #{i : r_i ≤ k}:

    HR@k = 1[h(k) > 0]     recall@k = h(k)/R     precision@k = h(k)/k     MRR = 1/r_1
    NDCG@k = Σ_{r_i ≤ k} 1/log₂(1 + r_i)  /  Σ_{i ≤ min(R, k)} 1/log₂(1 + i)          (Järvelin and Kekäläinen 2002)
    MAP@k = Σ_{r_i ≤ k} i/r_i  /  min(R, k)

Over the top-k lists: coverage (share of the catalogue that is in any), novelty (mean −log₂ of the share of training
events an item has), diversity (mean 1 − cosine of item features over the pairs of a list), popularity bias (how much
more popular the listed items are than those of the histories).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

__all__ = ["coverage", "diversity", "novelty", "per_user", "popularity_bias", "ranks_of"]

TOGETHER = 10_000  # lists whose features are added up at a time


def ranks_of(scores: np.ndarray, targets: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Ranks (R,) float64, ascending, of distinct `targets` among the `allowed` items (M,) bool; inf where NaN.

    >>> ranks_of(np.array([3.0, 2.0, 2.0, 1.0]), np.array([1]), np.ones(4, bool))
    array([3.])
    >>> ranks_of(np.array([3.0, 2.0, 2.0, 1.0]), np.array([2, 1]), np.ones(4, bool))
    array([2., 3.])
    """
    own = np.sort(scores[targets])[::-1]  # NaN sorts last, so it is first here
    own = np.concatenate([own[~np.isnan(own)], own[np.isnan(own)]])
    others = allowed.copy()
    others[targets] = False
    rest = np.sort(scores[others])  # NaN last: at or above every score
    ahead = len(rest) - np.searchsorted(rest, own, side="left")
    ranks = 1.0 + np.arange(len(own)) + ahead
    ranks[np.isnan(own)] = np.inf
    return ranks


def per_user(ranks: Sequence[np.ndarray], k: int) -> dict[str, np.ndarray]:
    """Metrics (U,) of each user from the ascending ranks of their relevant items, of which each has at least one.

    >>> found = per_user([np.array([1.0]), np.array([2.0, 4.0])], 3)
    >>> {name: values.round(3).tolist() for name, values in found.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'ndcg@3': [1.0, 0.387], 'hr@3': [1.0, 1.0], 'recall@3': [1.0, 0.5], 'precision@3': [0.333, 0.333],
     'map@3': [1.0, 0.25], 'mrr': [1.0, 0.5]}
    """
    users = len(ranks)
    R = np.array([len(own) for own in ranks])
    first = np.cumsum(R) - R
    rank, user = np.concatenate(ranks), np.repeat(np.arange(users), R)
    place = np.arange(1, len(rank) + 1) - np.repeat(first, R)  # 1 for the best of each user's

    def total(of_each: np.ndarray) -> np.ndarray:
        """Σ over the relevant items of each user that are among the first k."""
        return np.bincount(user, np.where(rank <= k, of_each, 0.0), users)

    h, most = total(np.ones(len(rank))), np.minimum(R, k)
    ideal = np.cumsum(1 / np.log2(1 + np.arange(1, k + 1)))
    ndcg, precise = total(1 / np.log2(1 + rank)) / ideal[most - 1], total(place / rank) / most
    table = np.stack([ndcg, h > 0, h / R, h / k, precise, 1 / rank[first]])
    names = (f"ndcg@{k}", f"hr@{k}", f"recall@{k}", f"precision@{k}", f"map@{k}", "mrr")
    return dict(zip(names, table, strict=True))


def coverage(lists: list[np.ndarray], n_items: int) -> float:
    """Share of the catalogue in any list, from 0 to 1."""
    return len(np.unique(np.concatenate(lists))) / n_items


def novelty(lists: list[np.ndarray], counts: np.ndarray) -> float:
    """Mean self-information −log₂((n_j + 1)/Σ(n + 1)) of the listed items, in bits; NaN where nothing is listed."""
    bits = -np.log2((counts + 1) / (counts + 1).sum())
    listed = np.concatenate(lists)
    return float(bits[listed].mean()) if len(listed) else float("nan")


def popularity_bias(lists: list[np.ndarray], histories: list[np.ndarray], counts: np.ndarray) -> float:
    """How much more popular the lists are than the histories: 0 alike, 1 twice as popular, −0.5 half.

    Popularity of an item is its number of training events `counts` (M,); it is averaged over each user's list and
    history, then over the users who have both, and the two means compared: (lists − histories)/histories, the ΔGAP
    of Abdollahpouri et al. (2019). NaN where no history has a popular item.

    >>> popularity_bias([np.array([0])], [np.array([0, 1])], np.array([6, 2]))
    0.5
    """
    both = [u for u, (listed, had) in enumerate(zip(lists, histories, strict=True)) if len(listed) and len(had)]
    listed, had = (_mean_of_means(counts, [rows[u] for u in both]) if both else 0.0 for rows in (lists, histories))
    return float((listed - had) / had) if had > 0 else float("nan")


def _mean_of_means(counts: np.ndarray, rows: list[np.ndarray]) -> float:
    """The mean over `rows`, none of them empty, of each one's mean of `counts`."""
    size = np.array([len(items) for items in rows])
    return float((np.add.reduceat(counts[np.concatenate(rows)], np.cumsum(size) - size) / size).mean())


def diversity(lists: list[np.ndarray], unit: sparse.csr_array) -> float:
    """Mean of 1 − cosine over the pairs of each list, averaged over lists; NaN without features.

    `unit` (M, d) are the features of items with rows of length 1, or 0 where nothing is known.
    """
    if not unit.nnz:
        return float("nan")
    several = [items for items in lists if len(items) > 1]
    square = np.asarray(unit.multiply(unit).sum(axis=1))
    values = []
    for low in range(0, len(several), TOGETHER):
        block = several[low : low + TOGETHER]
        n = np.array([len(items) for items in block])
        listed = np.concatenate(block)
        ones, ptr = np.ones(len(listed)), np.concatenate([[0], np.cumsum(n)])
        summed = sparse.csr_array((ones, listed, ptr), shape=(len(block), unit.shape[0])) @ unit
        total = np.asarray(summed.multiply(summed).sum(axis=1)) - np.add.reduceat(square[listed], ptr[:-1])
        values.append(1 - total / (n * (n - 1)))
    return float(np.concatenate(values).mean()) if values else float("nan")
