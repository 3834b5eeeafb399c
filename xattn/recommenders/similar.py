"""Similar items, similar users: one formula for both, a cosine that thin evidence shrinks.

    sim(a, b) = ⟨a, b⟩ / (‖a‖ ‖b‖ + σ)          (docs/model.md, eq. 33)

- *Items by users*: a is who acted on the item, one 1 for each of its users: ⟨a, b⟩ are the users whom two items share.
- *Items by features*, or by vectors of a model's own: these vectors, with σ = 0. It is the plain cosine then.
- *Users*: a holds the signed strengths (eq. 4) of what somebody did, of repeated acts the newest. So the sum runs over
  shared items: like meets like and dislike meets dislike count for, like meets dislike counts against.

σ = 10 asks for some ten shared users or items before a cosine counts in full: two items that one and the same person
took are not alike for that (damped as in ItemKNN; measured in docs/log.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data import History, Interactions, ItemTable
from xattn.errors import by_name, check_choice
from xattn.features import feature_set
from xattn.kernels.topk import top_k
from xattn.model.strength import RatingScale, signed
from xattn.recommenders.listing import items_frame, length, listing
from xattn.recommenders.scoring import Scoring

__all__ = [
    "SHRINK",
    "Similar",
    "Vectors",
    "item_feature_vectors",
    "item_user_vectors",
    "most_alike",
    "signed_vector",
    "similarities",
    "user_vectors",
    "vector_of",
]

SHRINK = 10.0
ALIKE_BY = ("users", "features")


class Vectors(NamedTuple):
    """One vector a row, with their lengths; `shrink` is the σ that belongs to them."""

    rows: np.ndarray | sparse.csr_array
    length: np.ndarray
    shrink: float

    @classmethod
    def of(cls, rows: np.ndarray | sparse.csr_array, shrink: float = 0.0) -> Vectors:
        squares = np.square(rows, dtype=np.float64) if isinstance(rows, np.ndarray) else rows.multiply(rows)
        return cls(rows, np.sqrt(np.asarray(squares.sum(axis=1), np.float64).ravel()), shrink)


def similarities(vectors: Vectors, own: np.ndarray) -> np.ndarray:
    """sim of one vector `own` (d,) with each row, as (n,) in [−1, 1]; 0 where either says nothing.

    >>> similarities(Vectors.of(np.array([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]])), np.array([0.0, 1.0]))
    array([0.8, 1. , 0. ])
    """
    rows = vectors.rows
    dense = isinstance(rows, np.ndarray)  # then no BLAS: equal rows shall give equal bits wherever they stand
    dots: np.ndarray = (rows * own).sum(axis=1, dtype=np.float64) if dense else rows @ own
    scale = vectors.length * np.sqrt(np.square(own, dtype=np.float64).sum()) + vectors.shrink
    found: np.ndarray = np.divide(dots, scale, out=np.zeros_like(dots), where=scale > 0)
    return np.clip(found, -1.0, 1.0, out=found)  # rounding may pass 1


def vector_of(vectors: Vectors, row: int) -> np.ndarray:
    """One of the vectors (d,)."""
    rows = vectors.rows
    own: np.ndarray = rows[row] if isinstance(rows, np.ndarray) else rows[[row]].toarray()[0]
    return own


def most_alike(vectors: Vectors, own: np.ndarray, allowed: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The at most `k` of the `allowed` (n,) rows that are most like `own`, and how much; only over 0, ties in row
    order."""
    alike = similarities(vectors, own)
    best = top_k(alike[None, :], (allowed & (alike > 0))[None, :], k).items[0]
    best = best[best >= 0]
    return best, alike[best]


# --- vectors of items and users; what comes from the events is kept as long as they are -------------------------------

_items: WeakKeyDictionary[Interactions, Vectors] = WeakKeyDictionary()
_users: WeakKeyDictionary[Interactions, Vectors] = WeakKeyDictionary()


def item_user_vectors(data: Interactions) -> Vectors:
    """Which users acted on each item: M rows over U users."""
    found = _items.get(data)
    if found is None:
        newest = _newest(data.user, data.item, data.n_items)
        where = (data.item[newest], data.user[newest])
        rows = sparse.csr_array((np.ones(len(newest)), where), shape=(data.n_items, data.n_users))
        found = _items[data] = Vectors.of(rows, SHRINK)
    return found


def item_feature_vectors(items: ItemTable) -> Vectors:
    """The features of each item, in blocks of length 1."""
    return Vectors.of(feature_set(items).unit)


def user_vectors(data: Interactions) -> Vectors:
    """The signed strengths of each user: U rows over M items."""
    found = _users.get(data)
    if found is None:
        newest = _newest(data.user, data.item, data.n_items)
        w = signed(data.rating, data.n_events, RatingScale.of(data.scale))[newest]
        rows = sparse.csr_array((w, (data.user[newest], data.item[newest])), shape=(data.n_users, data.n_items))
        found = _users[data] = Vectors.of(rows, SHRINK)
    return found


def signed_vector(history: History, n_items: int, scale: RatingScale) -> np.ndarray:
    """The signed strengths of a history's live events (n_items,), of repeated items the newest."""
    out = np.zeros(n_items)
    out[history.item[history.live]] = signed(history.rating, len(history), scale)[history.live]  # the last one stays
    return out


def _newest(user: np.ndarray, item: np.ndarray, n_items: int) -> np.ndarray:
    """The last event of each pair of user and item."""
    pair = user * n_items + item
    return len(pair) - 1 - np.unique(pair[::-1], return_index=True)[1]


# --- what a model answers ---------------------------------------------------------------------------------------------


class Similar(Scoring):
    """A fitted model that says which items and which users are alike."""

    @by_name("k")
    def similar_items(
        self,
        item: Any,
        *,
        k: int | None = None,
        by: str | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """The `k` (default 10) items most like `item`: a frame of rank, item, title, similarity (over 0, at most 1).

        ``by="users"``: the cosine of who acted on them, shrunk where few did (docs/model.md, eq. 33);
        ``by="features"``: the cosine of their features, for items that nobody has met too. Left out, it is by the
        model's own item vectors where it has any, else by users. What one event with the item would lead to is another
        question: ``recommend(history=[item])``. The other arguments are those of `recommend`. Items without anything
        in common are not listed, so fewer than k rows may come back. Raises InputError on wrong arguments.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> model = Popularity().fit(planted("genre", seed=0).data)
        >>> model.similar_items("i0", k=3).columns.tolist()
        ['rank', 'item', 'title', 'similarity']
        """
        self._check_fitted()
        row = self.data_.item_row(item)
        asked = listing(self.data_, k, exclude, candidates, where)
        if by is not None:
            check_choice("by", by, ALIKE_BY)
        own = self._item_vectors() if by is None else None
        if own is not None:
            vectors = Vectors.of(own)
        elif by == "features":
            vectors = item_feature_vectors(self.data_.items)
        else:
            vectors = item_user_vectors(self.data_)
        asked.eligible[row] = False
        best, alike = most_alike(vectors, vector_of(vectors, row), asked.eligible, asked.k)
        return items_frame(self.data_.items, best, similarity=alike)

    @by_name("k")
    def similar_users(self, user: Any = None, *, history: Any = None, k: int | None = None) -> pd.DataFrame:
        """The `k` (default 10) users most like `user`, or like someone with `history`: rank, user, similarity.

        The similarity (over 0, at most 1) is the cosine of the signed strengths of what both did, shrunk where that is
        little (docs/model.md, eq. 33): two who rated the same items alike. Masked events do not count. A user is not
        their own neighbour; those without a positive similarity are not listed. It depends on the data, not on the
        model. The ids are those of real people: show them to nobody else. Raises InputError on wrong arguments.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> model = Popularity().fit(planted("genre", seed=0).data)
        >>> model.similar_users("u0", k=3).columns.tolist()
        ['rank', 'user', 'similarity']
        """
        events = self.history(user, history=history)
        k = length(k, self.data_.n_users)
        own = signed_vector(events, self.data_.n_items, self.scale_)
        others = np.ones(self.data_.n_users, bool)
        if events.user is not None:
            others[events.user] = False
        best, alike = most_alike(user_vectors(self.data_), own, others, k)
        names = [self.data_.user_ids[row] for row in best.tolist()]
        return pd.DataFrame({"rank": np.arange(1, len(best) + 1), "user": names, "similarity": alike})
