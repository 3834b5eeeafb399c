"""Do two models say the same? How far the lists of an accurate model agree with those of a simple one.

    overlap@k   |A ∩ B| / k
    rbo         (1 − p)/p Σ_{d ≤ k} p^d X_d/d + p^k X_k/k,      X_d = |A_d ∩ B_d|, A_d the first d of A
    top         1 if both have the same item first

rbo is rank-biased overlap, extrapolated (Webber, Moffat and Zobel, TOIS 2010, eq. 14): the first places count most, by
p = .9 the ten first for 86 % of the whole, and beyond their ends the lists are taken to agree as far as they do there.
All three go from 0 (nothing in common) to 1 (the same list).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xattn.evaluate.bootstrap import limits, resampled

__all__ = ["PERSISTENCE", "agreement", "overlap", "rank_biased_overlap"]

PERSISTENCE = 0.9


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the longer list that both hold; 1 for two empty ones.

    >>> overlap(np.array([1, 2, 3, 4]), np.array([4, 9, 1, 8]))
    0.5
    """
    longer = max(len(a), len(b))
    return len(np.intersect1d(a, b)) / longer if longer else 1.0


def rank_biased_overlap(a: np.ndarray, b: np.ndarray, p: float = PERSISTENCE) -> float:
    """Extrapolated rank-biased overlap of two lists of distinct items, to the depth of the shorter; 1 for empty ones.

    >>> first = np.array([1, 2, 3])
    >>> rank_biased_overlap(first, first), rank_biased_overlap(first, first + 3)
    (1.0, 0.0)
    """
    k = min(len(a), len(b))
    if not k:
        return float(len(a) == len(b))
    place_a, place_b = (np.full(max(a.max(), b.max()) + 1, k) for _ in range(2))
    place_a[a[:k]], place_b[b[:k]] = np.arange(k), np.arange(k)
    met = np.maximum(place_a, place_b)  # the depth at which an item has come up in both
    depth = np.arange(1, k + 1)
    share = np.cumsum(np.bincount(met[met < k], minlength=k)) / depth
    return float((1 - p) / p * (p**depth @ share) + p**k * share[-1])


def agreement(first: Sequence[np.ndarray], lists: Sequence[np.ndarray], k: int, seed: int) -> dict[str, Any]:
    """Means over users of the three measures between two models' lists, with `ci95`, bootstrap intervals over users."""
    names = (f"overlap@{k}", "rbo", "top")
    table = np.array(
        [
            (overlap(a, b), rank_biased_overlap(a, b), float(len(a) > 0 and len(b) > 0 and a[0] == b[0]))
            for a, b in zip(first, lists, strict=True)
        ]
    )
    ends = limits(resampled(lambda times: times @ table / len(table), len(table), seed)).tolist()
    return {**dict(zip(names, table.mean(axis=0).tolist(), strict=True)), "ci95": dict(zip(names, ends, strict=True))}
