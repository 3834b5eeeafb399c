"""Baselines with ledgers: popularity (all base) and item-based nearest neighbours (attention with β = 0)."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.errors import check_index_array, check_offsets
from xattn.errors.constraints import Range, Whole, constraints
from xattn.model.heads.field import HeadField
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.estimator import space

__all__ = ["ItemKNN", "Popularity"]


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

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        return []

    def _state(self) -> dict[str, np.ndarray]:
        return {"base": self.base_}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = state["base"]


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
        users = by_item.sum(axis=1)
        ptr, near, sims = [0], [], []
        for j in range(data.n_items):
            row = sparse.csr_array(by_item[[j]] @ seen)
            x, shared = row.indices[row.indices != j], row.data[row.indices != j]
            sim = shared / (np.sqrt(users[j] * users[x]) + float(self.shrink))
            best = np.lexsort((x, -sim))[: self.n_neighbors]  # the most similar first, ties in item order
            near.append(x[best])
            sims.append(sim[best])
            ptr.append(ptr[-1] + len(best))
        self._keep(np.concatenate(sims), np.concatenate(near), np.array(ptr))

    def _keep(self, data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> None:
        """Row j of `similar_`: the neighbours of the target j; by columns too, which is how a history asks."""
        M = len(self.base_)
        self.similar_ = sparse.csr_array((data, indices, indptr), shape=(M, M))
        self._by_event = self.similar_.tocsc()

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        X = self._by_event[:, history.item].toarray()[targets]
        return [HeadField("similar items", np.ones((1, len(history))), X, 0.0, 0.0)]

    def _state(self) -> dict[str, np.ndarray]:
        similar = self.similar_
        return {"base": self.base_, "data": similar.data, "indices": similar.indices, "indptr": similar.indptr}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self.base_ = state["base"]
        M = len(self.base_)
        indices = check_index_array("indices", state["indices"], size=M)
        indptr = check_offsets("indptr", state["indptr"], parts=M, total=len(indices))
        self._keep(state["data"], indices, indptr)
