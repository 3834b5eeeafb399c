"""Re-ranking for diversity: maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998; docs/model.md, eq. 34).

A list is built from its top: of the pool P, the best by score, the next item is the one that is worth most,

    (1 − λ) · rel(j) − λ · max_{i in the list} cos(F_i, F_j),      rel(j) = (s_j − min_P s) / (max_P s − min_P s)

F are the item features (`xattn.features`); a negative cosine counts as 0, so both terms lie between 0 and 1. λ = 0 is
the order by score; λ = 1 asks for difference alone, after the item of the best score. Scores are not changed, only the
order: what a ledger says of an item is as true as before.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.data import ItemTable
from xattn.errors import refuse
from xattn.features import feature_set
from xattn.kernels.topk import top_k

__all__ = ["POOL", "check_features", "diverse_list"]

POOL = 10  # candidates for each place of a list


def check_features(name: str, value: object, items: ItemTable) -> sparse.csr_array:
    """The features (M, d) of items, rows of length 1, of which `value` of the argument `name` needs at least one."""
    F = feature_set(items).unit
    if not F.nnz:
        refuse("no_features", name=name, got=value)
    return F


def diverse_list(scores: np.ndarray, allowed: np.ndarray, k: int, diversity: float, F: sparse.csr_array) -> np.ndarray:
    """At most `k` rows of the `allowed` (M,) items by scores (M,) and `diversity` λ; F (M, d) with rows of length 1.

    Where two are worth the same, the one of the better score comes first; with λ = 0 that is the order by score.

    >>> F = sparse.csr_array(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    >>> diverse_list(np.array([3.0, 2.9, 1.0]), np.ones(3, bool), 3, 0.6, F)
    array([0, 2, 1])
    """
    pool = top_k(scores[None, :], allowed[None, :], POOL * k).items[0]
    pool = pool[pool >= 0]
    if diversity == 0.0 or len(pool) < 2:
        return np.asarray(pool[:k])
    s, own = scores[pool], F[pool].toarray()
    span = s[0] - s[-1]
    relevance = (s - s[-1]) / span if span > 0 else np.zeros(len(pool))
    left = np.ones(len(pool), bool)
    nearest = np.zeros(len(pool))  # cosine with the most similar item that is in the list
    chosen: list[int] = []
    for _ in range(min(k, len(pool))):
        worth = np.where(left, (1.0 - diversity) * relevance - diversity * nearest, -np.inf)
        chosen.append(int(np.argmax(worth)) if chosen else 0)
        left[chosen[-1]] = False
        nearest = np.maximum(nearest, (own * own[chosen[-1]]).sum(axis=1))  # no BLAS: equal rows, equal bits
    return np.asarray(pool[chosen])
