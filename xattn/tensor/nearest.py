"""Exact search of a catalogue of vectors: the keys of largest product with each query."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.errors import by_name, check_array, check_choice, check_mask, check_same_columns, check_whole, refuse
from xattn.kernels.neighbours import nearest as kernels

__all__ = ["NearestKeys", "nearest"]


class NearestKeys(NamedTuple):
    """`items` (R, k) int64, rows of the keys, best first, −1 after the last; `scores` (R, k), −inf after the last."""

    items: np.ndarray
    scores: np.ndarray


@by_name("k")
def nearest(
    queries: np.ndarray,
    keys: np.ndarray,
    *,
    k: int = 10,
    metric: str = "dot",
    allowed: np.ndarray | None = None,
) -> NearestKeys:
    """The `k` keys (or all, if there are fewer) of largest q·x for each query.

    `queries` (R, d) and `keys` (n, d), float32 or float64 (the wider type is used for both; whole numbers are float64);
    `metric` "dot", or "cosine", where a vector of length 0 is like nothing (0). `allowed` (n,) bool: the keys that may
    be found. Equal products rank in the order of keys. The search is exact: products are summed in the arrays' type,
    and a key is skipped only where it is too short to be among the best. No table of R × n products is made, so memory
    grows with R·k and n·d alone. Raises InputError for other shapes, values that are not finite, and vectors whose
    products overflow.

    Source: pruning by length as in LEMP (Teflioudi, Gemulla, Mykytiuk, SIGMOD 2015).

    >>> found = nearest(np.array([[1.0, 0.0]]), np.array([[0.5, 9.0], [2.0, 1.0], [1.0, 0.0]]), k=2)
    >>> found.items.tolist(), found.scores.tolist()
    ([[1, 2]], [[2.0, 1.0]])
    """
    Q, K = check_array("queries", queries, ndim=2), check_array("keys", keys, ndim=2)
    check_same_columns(queries=Q.shape[1], keys=K.shape[1])
    k = check_whole("k", k, low=1)
    check_choice("metric", metric, ("dot", "cosine"))
    dtype = np.result_type(Q, K)
    Q, K = Q.astype(dtype, copy=False), K.astype(dtype, copy=False)
    if metric == "cosine":
        Q, K = _unit(Q), _unit(K)
    kept = None
    if allowed is not None:
        kept = np.flatnonzero(check_mask("allowed", allowed, size=len(K)))
        K = K[kept]
    items, scores = kernels.nearest(Q, kernels.Catalogue.of(K), k)
    if not np.isfinite(scores).all():
        refuse("large_products")
    return NearestKeys(items if kept is None else kept[items], scores)


def _unit(X: np.ndarray) -> np.ndarray:
    """Rows of length 1; those of length 0 stay."""
    size = np.abs(X).max(axis=1, initial=0.0, keepdims=True)  # first, so that no square overflows or sinks to 0
    X = X / np.where(size > 0, size, 1)
    length = np.sqrt(np.square(X, dtype=np.float64).sum(axis=1, keepdims=True))
    return np.asarray(X / np.where(length > 0, length, 1), X.dtype)
