"""User attention: other users are the attended set, what they did are the values (docs/model.md, eq. 19–21).

    l_v = Σ_{i shared} k_vi / (√n_v · √n),    a = softmax(l / T) over users who share a live event
    s_j = b_j + Σ_v a_v (R_vj − b_j)

k_vi ∈ [−1, 1] is how well v agrees about the event i (1: the same rating, or data without ratings; where one of them
gave no opinion, that of an unrated event), R_vj the strength with
which v acted on j, b_j its average over all users. The logit is a plain sum over the events that are shared, so
masking one is exact.

Where it is known who is a friend of whom, a friend's logit is greater by a bonus φ, so friends are attended more than
others who agree as much; those who share nothing are not attended, friends or not:

    l_v = Σ_{i shared} k_vi / (√n_v · √n) + φ [v is a friend]

In the ledger a neighbour is never named: each neighbour's part is spread over the events shared with them, by their
part of the logit, and a cell is the sum over the neighbours who come through that event. Friends are a head of their
own where at least `FEWEST` of them are attended; fewer stand among the neighbours, so that no cell is about one or two
people whom a reader knows.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.data.friends import friend_pairs, friends_of
from xattn.errors import check_array, check_index_array, check_same_length
from xattn.errors.constraints import POSITIVE, PROBABILITY, STRENGTH, Optional, Range, TableSource, constraints
from xattn.kernels.softmax import weights
from xattn.model.heads.field import HeadCells
from xattn.model.strength import UNRATED, presence
from xattn.progress import Progress
from xattn.recommenders.base import Recommender
from xattn.recommenders.estimator import space

__all__ = ["UserAttention"]

MOST_BONUS = 1e6
FEWEST = 3  # friends that make a group
BLOCK = 4_000_000  # attention weights (events × users) held at a time: 32 MB


class UserAttention(Recommender):
    """Softmax attention over users with shared events: what people like you did.

    A known user is never their own neighbour. Parameters:

        temperature   > 0; smaller means fewer, closer neighbours
        threshold     from 0 to 1: a weight under it counts as 0, in the score too
        dislike       from −1 to 1, the strength of an event rated in the bottom quarter of the scale
        friends       who is a friend of whom: a file or a frame of which the first two columns hold user ids, or a list
                      of pairs; None: not known
        friend_bonus  ≥ 0, φ: how much more alike a friend counts than another who did the same

    A file of the model holds friends as pairs of rows, and no setting. `forget` takes a person's friendships out too.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", seed=0).data
    >>> why = UserAttention().fit(data).explain(user=data.user_ids[0], item=data.items.ids[1])
    >>> bool((why.cells["weight"] >= 0).all())
    True
    """

    grows = True

    search_space = space(temperature=[0.002, 0.005, 0.01, 0.02, 0.05, 0.1])
    unsaved = frozenset({"friends"})
    _constraints = constraints(
        temperature=POSITIVE,
        threshold=PROBABILITY,
        dislike=STRENGTH,
        friends=Optional(TableSource("pairs_of_users")),
        friend_bonus=Range(0.0, MOST_BONUS),
    )
    friends_: np.ndarray  # (E, 2) pairs of user rows, each in both orders, sorted
    _friend_ids: list[tuple[str, str]] | None = None  # of the model that this one grows or shrinks from

    def __init__(
        self,
        *,
        temperature: float = 0.01,
        threshold: float = 0.0,
        dislike: float = -0.5,
        friends: Any = None,
        friend_bonus: float = 0.02,
    ) -> None:
        self.temperature = temperature
        self.threshold = threshold
        self.dislike = dislike
        self.friends = friends
        self.friend_bonus = friend_bonus

    def _grow_from(self, old: Self, whole: Interactions) -> None:
        self._friend_ids = old._pairs_of_ids()

    def _shrink_from(self, old: Self, rest: Interactions, gone: np.ndarray) -> None:
        out = {old.data_.user_ids[row] for row in gone.tolist()}
        stays = [pair for pair in old._pairs_of_ids() if out.isdisjoint(pair)]
        self._friend_ids, self.friends = stays, None if self.friends is None else stays or None

    def _pairs_of_ids(self) -> list[tuple[str, str]]:
        ids = self.data_.user_ids
        return [(ids[a], ids[b]) for a, b in self.friends_.tolist() if a < b]

    def _friend_pairs(self, data: Interactions) -> np.ndarray:
        """(E, 2) from the setting, with those that were known before."""
        given = [] if self.friends is None else [friend_pairs(self.friends, data)]
        before, self._friend_ids = self._friend_ids, None
        known = [friend_pairs(before, data)] if before else []
        return np.unique(np.vstack([np.empty((0, 2), np.int64), *given, *known]), axis=0)

    def _fit(self, data: Interactions, progress: Progress) -> None:
        self.friends_ = self._friend_pairs(data)
        self._tabulate(data)

    def _tabulate(self, data: Interactions) -> None:
        """What a quick re-arrangement of the events gives."""
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

    def _is_friend(self, user: int | None) -> np.ndarray:
        """(U,) bool: the friends of a user row; nobody for somebody who is not in the data."""
        found = np.zeros(self.data_.n_users, bool)
        if user is not None:
            found[friends_of(self.friends_, user)] = True
        return found

    def _attention(self, logits: np.ndarray, shared: np.ndarray, user: int | None) -> np.ndarray:
        """Weights over users (R, U) for rows of summed logits; a row without neighbours is zero."""
        if user is not None and len(self.friends_):
            logits = logits + float(self.friend_bonus) * (self._is_friend(user) & shared)
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
        logits, seen = part[history.live].sum(axis=0)[None, :], shared[history.live].any(axis=0)[None, :]
        a = self._attention(logits, seen, history.user)
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
            a = self._attention(kept.astype(float) @ part, kept @ shared, history.user)
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
            out[low : low + step] += self._lift(self._attention(logits, rows @ shared, history.user), targets)
        return out

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        n = len(history)
        if not n:
            return []
        part, shared = self._logits(history)
        part, shared = part * history.live[:, None], shared & history.live[:, None]
        a = self._attention(part.sum(axis=0)[None, :], shared.any(axis=0)[None, :], history.user)[0]
        share = np.abs(part)
        share[:, share.sum(axis=0) == 0] = 1.0  # shared events that all agree to 0: alike
        share = np.where(shared, share, 0.0)
        share = np.divide(share, share.sum(axis=0), out=np.zeros_like(share), where=share.sum(axis=0) > 0)
        column = self.strengths_[:, [target]].toarray()[:, 0] - self.base_[target]
        friend = self._is_friend(history.user)
        if np.count_nonzero(a[friend]) < FEWEST:
            return [_head("neighbours", share, a, column)]
        return [_head(name, share, a * own, column) for name, own in (("friends", friend), ("neighbours", ~friend))]

    def _state(self) -> dict[str, np.ndarray]:
        """The friends; the rest is a quick re-arrangement of the events, which the file carries."""
        return {"friends": self.friends_} if len(self.friends_) else {}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        U = self.data_.n_users
        pairs = state.get("friends", np.empty((0, 2), np.int64))
        check_same_length(friends=check_array("friends", pairs, ndim=2).shape[1], columns=2)
        rows = check_index_array("friends", pairs.ravel(), size=U, what="user_row").reshape(-1, 2)
        self.friends_ = np.unique(np.vstack([rows, rows[:, ::-1]]), axis=0)
        self._tabulate(self.data_)


def _head(name: str, share: np.ndarray, a: np.ndarray, column: np.ndarray) -> HeadCells:
    """What the users with the attention `a` (U,) bring through each event: `share` (n, U) of each, `column` (U,)."""
    weight = share @ a
    value = np.divide(share @ (a * column), weight, out=np.zeros(len(share)), where=weight > 0)
    return HeadCells(name, ("",), weight, np.ones(len(share)), value[:, None], 1.0)
