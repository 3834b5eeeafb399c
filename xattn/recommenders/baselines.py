"""Baselines with ledgers: popularity (all base) and item-based nearest neighbours (attention with β = 0)."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import check_array, check_distinct, check_index_array, check_offsets, check_same_length
from xattn.errors.constraints import Range, Whole, constraints
from xattn.kernels.neighbours.cooccurrence import neighbours
from xattn.kernels.pool import add_pooled_sparse
from xattn.model.heads.field import HeadField, fields_masked
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.estimator import space

__all__ = ["ItemKNN", "Popularity"]

BLOCK = 4_000_000  # neighbours (items × neighbours) held at a time
FEW = 8  # a few targets alone cost about as much as eight times as many in one go


class Popularity(Recommender):
    """The share of all events that an item has; the same list for everybody, less what they have seen.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> len(Popularity().fit(data).explain(user=data.user_ids[0], item=data.items.ids[0]).cells)
    0
    """

    grows = True

    def _fit(self, data: Interactions, progress: Progress) -> None:
        counts = data.counts()
        self.base_ = counts / counts.sum()

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        return np.repeat(self.base_[None, :], len(histories), axis=0)

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        return []

    def _state(self) -> dict[str, np.ndarray]:
        return {"base": self.base_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = check_array("base", state["base"], ndim=1)


class ItemKNN(Recommender):
    """Cosine similarity between items by the users they share, the `n_neighbors` nearest of each item kept.

    s(u, j) = Σ_i sim(x_i, j), after Sarwar et al. (WWW 2001). The base is 0. Parameters:

        n_neighbors  ≥ 1: how many similar items are kept for each item
        shrink       ≥ 0: damps similarities that few users support

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> ItemKNN(n_neighbors=20).fit(data).recommend(user=data.user_ids[0], k=1)["base"].tolist()
    [0.0]
    """

    grows = True
    _renamed = MappingProxyType({"neighbours": "n_neighbors"})

    search_space = space(n_neighbors=[10, 20, 50, 100, 200], shrink=[0.0, 3.0, 10.0, 30.0, 100.0])
    _constraints = constraints(n_neighbors=Whole(1), shrink=Range(0.0))

    def __init__(self, *, n_neighbors: int = 20, shrink: float = 10.0) -> None:
        self.n_neighbors = n_neighbors
        self.shrink = shrink

    def _fit(self, data: Interactions, progress: Progress) -> None:
        self.base_ = np.zeros(data.n_items)
        seen = sparse.csr_array((np.ones(data.n_events), (data.user, data.item)), shape=(data.n_users, data.n_items))
        seen.sum_duplicates()
        seen.data[:] = 1.0
        by_item = sparse.csr_array(seen.T)
        took = [x.astype(np.int64) for x in (by_item.indptr, by_item.indices, seen.indptr, seen.indices)]
        K = min(int(self.n_neighbors), data.n_items)
        near, sims, counts = [], [], [np.zeros(1, np.int64)]
        step = max(1, BLOCK // K)
        for low in range(0, data.n_items, step):
            found = neighbours(took[0], took[1], took[2], took[3], K, float(self.shrink), slice(low, low + step))
            there = found.items >= 0
            near.append(found.items[there])
            sims.append(found.similarity[there])
            counts.append(there.sum(axis=1))
        self._keep(np.concatenate(sims), np.concatenate(near), np.cumsum(np.concatenate(counts)))

    def _keep(self, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> None:
        """Row j of `similar_`: the neighbours of the target j; by columns too, which is how a history asks."""
        M = len(self.base_)
        self.similar_ = sparse.csr_array((data, indices, indptr), shape=(M, M))
        by_event = self.similar_.tocsc()
        self._said = (by_event.indptr.astype(np.int64), by_event.indices.astype(np.int32), by_event.data)

    def scores_of(self, history: History) -> np.ndarray:
        scores: np.ndarray = self._summed(JoinedHistories.of([history]))[0]
        return scores

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        return self._summed(JoinedHistories.of(histories))

    def _summed(self, joined: JoinedHistories) -> np.ndarray:
        M = len(self.base_)
        out, live = np.zeros((len(joined), M)), joined.live[None, :].astype(np.float64)
        add_pooled_sparse(out, joined.indptr, joined.item, live, *self._said, np.arange(M), np.ones(M))
        return out

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        if FEW * len(targets) > len(self.base_):
            return super().scores_masked(history, live, targets)
        return fields_masked(self.fields_of(history, targets), live, self.base_[targets])

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        """The neighbours of each target are looked up among the events, which may hold an item several times."""
        rows = self.similar_[targets]
        order = np.argsort(history.item, kind="stable")
        items = history.item[order]
        first, last = (np.searchsorted(items, rows.indices, side) for side in ("left", "right"))
        times = last - first
        event = order[np.arange(times.sum()) + np.repeat(first - (np.cumsum(times) - times), times)]
        X = np.zeros((len(targets), len(history)))
        X[np.repeat(np.repeat(np.arange(len(targets)), np.diff(rows.indptr)), times), event] = np.repeat(
            rows.data, times
        )
        return [HeadField("similar items", np.ones((1, len(history))), X, 0.0, 0.0)]

    def _state(self) -> dict[str, np.ndarray]:
        similar = self.similar_
        return {"base": self.base_, "data": similar.data, "indices": similar.indices, "indptr": similar.indptr}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = check_array("base", state["base"], ndim=1)
        M = len(self.base_)
        data = check_array("data", state["data"], ndim=1, dtype=np.float64)
        indices = check_index_array("indices", state["indices"], size=M)
        check_same_length(indices=len(indices), data=len(data))
        indptr = check_offsets("indptr", state["indptr"], parts=M, total=len(indices))
        check_distinct("indices", indices + np.repeat(np.arange(M), np.diff(indptr)) * M, "item")
        self._keep(data, indices, indptr)
