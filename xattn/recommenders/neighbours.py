"""User attention: other users are the attended set, what they did are the values (docs/model.md, eq. 19–21).

    l_v = Σ_{i shared} k_vi / (√n_v · √n),    a = softmax(l / T) over users who share a live event
    s_j = b_j + Σ_v a_v (R_vj − b_j)

k_vi ∈ [−1, 1] is how well v agrees about the event i (1: the same rating, or data without ratings; where one of them
gave no opinion, that of an unrated event), R_vj the strength with
which v acted on j, b_j its average over all users. The logit is a plain sum over the events that are shared, so
masking one is exact.

In the ledger a neighbour is never named: each neighbour's part is spread over the events shared with them, by their
part of the logit, and a cell is the sum over the neighbours who come through that event.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.errors.constraints import POSITIVE, PROBABILITY, STRENGTH, constraints
from xattn.kernels.softmax import weights
from xattn.model.heads.field import HeadCells
from xattn.model.strength import UNRATED, presence
from xattn.progress import Progress, silent
from xattn.recommenders.base import Recommender
from xattn.recommenders.estimator import space

__all__ = ["UserAttention"]

BLOCK = 4_000_000  # attention weights (events × users) held at a time: 32 MB


class UserAttention(Recommender):
    """Softmax attention over users with shared events: what people like you did.

    A known user is never their own neighbour. Parameters:

        temperature  > 0; smaller means fewer, closer neighbours
        threshold    from 0 to 1: a weight under it counts as 0, in the score too
        dislike      from −1 to 1, the strength of an event rated in the bottom quarter of the scale

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> why = UserAttention().fit(data).explain(user=data.user_ids[0], item=data.items.ids[1])
    >>> bool((why.cells["weight"] >= 0).all())
    True
    """

    grows = True

    search_space = space(temperature=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1])
    _constraints = constraints(temperature=POSITIVE, threshold=PROBABILITY, dislike=STRENGTH)

    def __init__(self, *, temperature: float = 0.01, threshold: float = 0.0, dislike: float = -0.5) -> None:
        self.temperature = temperature
        self.threshold = threshold
        self.dislike = dislike

    def _fit(self, data: Interactions, progress: Progress) -> None:
        U, M = data.n_users, data.n_items
        pair = data.user * M + data.item
        last = len(pair) - 1 - np.unique(pair[::-1], return_index=True)[1]  # of a repeated pair the newest event
        user, item = data.user[last], data.item[last]
        rating = None if data.rating is None else data.rating[last]
        w = presence(rating, len(last), self.scale_, float(self.dislike))
        self.strengths_ = sparse.csr_array((w, (user, item)), shape=(U, M))
        place = np.arange(1, len(last) + 1)  # 1-based, so that no stored entry is an explicit zero
        by_item = sparse.csc_array((place, (user, item)), shape=(U, M))
        self._ptr, self._users, entry = by_item.indptr, by_item.indices, by_item.data - 1
        self._ratings = np.zeros(len(last)) if rating is None else rating[entry]
        self._size = np.sqrt(np.maximum(np.bincount(user, minlength=U), 1))
        self.base_ = np.asarray(self.strengths_.sum(axis=0)) / U

    def _logits(self, history: History) -> tuple[np.ndarray, np.ndarray]:
        """(l, shared), both (n, U): each event's part of each neighbour's logit, and whether it is shared."""
        n, U = len(history), self.data_.n_users
        half = self.scale_.high / 2 - self.scale_.low / 2  # halves: the span may be past the largest number
        part, shared = np.zeros((n, U)), np.zeros((n, U), bool)
        first, last = self._ptr[history.item], self._ptr[history.item + 1]
        i = np.repeat(np.arange(n), last - first)  # the events, each as often as users share it
        entry = np.arange(len(i)) - np.repeat(np.cumsum(last - first) - last, last - first)
        who = self._users[entry]
        agreement = np.ones(len(i))
        if history.rating is not None and half > 0:
            agreement = 1.0 - 2.0 * (np.abs(self._ratings[entry] / 2 - history.rating[i] / 2) / half)
            agreement[np.isnan(agreement)] = UNRATED
        part[i, who] = agreement / (self._size[who] * np.sqrt(n))
        shared[i, who] = True
        if history.user is not None:
            part[:, history.user], shared[:, history.user] = 0.0, False
        return part, shared

    def _attention(self, logits: np.ndarray, shared: np.ndarray) -> np.ndarray:
        """Weights over users (R, U) for rows of summed logits; a row without neighbours is zero."""
        T, theta = float(self.temperature), float(self.threshold)
        return weights(np.ascontiguousarray(logits), mask=shared, temperature=T, threshold=theta)

    def _lift(self, a: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Σ_v a_v (R_vj − b_j) as (R, J)."""
        pulled = (self.strengths_[:, targets].T @ a.T).T
        lift: np.ndarray = pulled - a.sum(axis=1)[:, None] * self.base_[targets]
        return lift

    def scores_of(self, history: History) -> np.ndarray:
        if not len(history):
            return self.base_.copy()
        part, shared = self._logits(history)
        a = self._attention(part[history.live].sum(axis=0)[None, :], shared[history.live].any(axis=0)[None, :])
        lift = self._lift(a, np.arange(self.data_.n_items))[0]
        return np.asarray(self.base_ + lift)

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        n = len(history)
        out = np.repeat(self.base_[targets][:, None], n, axis=1)
        if not n:
            return out
        part, shared = self._logits(history)
        live = history.live
        step = max(1, BLOCK // self.data_.n_users)
        for low in range(0, n, step):
            rows = np.arange(low, min(n, low + step))
            kept = np.repeat(live[None, :], len(rows), axis=0)
            kept[np.arange(len(rows)), rows] = False
            a = self._attention(kept.astype(float) @ part, kept @ shared)
            out[:, rows] += self._lift(a, targets).T
        return out

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        out = np.repeat(self.base_[targets][None, :], len(live), axis=0)
        if not len(history):
            return out
        part, shared = self._logits(history)
        step = max(1, BLOCK // self.data_.n_users)
        for low in range(0, len(live), step):
            rows = live[low : low + step]
            logits = np.array([part[row].sum(axis=0) for row in rows])  # one by one: sums in the served order
            out[low : low + step] += self._lift(self._attention(logits, rows @ shared), targets)
        return out

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        n = len(history)
        if not n:
            return []
        part, shared = self._logits(history)
        part, shared = part * history.live[:, None], shared & history.live[:, None]
        a = self._attention(part.sum(axis=0)[None, :], shared.any(axis=0)[None, :])[0]
        share = np.abs(part)
        share[:, share.sum(axis=0) == 0] = 1.0  # shared events that all agree to 0: alike
        share = np.where(shared, share, 0.0)
        share = np.divide(share, share.sum(axis=0), out=np.zeros_like(share), where=share.sum(axis=0) > 0)
        column = self.strengths_[:, [target]].toarray()[:, 0] - self.base_[target]
        weight = share @ a
        pulled = share @ (a * column)
        value = np.divide(pulled, weight, out=np.zeros(n), where=weight > 0)
        return [HeadCells("neighbours", ("",), weight, np.ones(n), value[:, None], 1.0)]

    def _state(self) -> dict[str, np.ndarray]:
        return {}  # all of it is a quick re-arrangement of the events, which the file carries

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        self._fit(self.data_, silent)
