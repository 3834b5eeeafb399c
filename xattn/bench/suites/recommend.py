"""`recommend`: the ten best unseen items of every user, as `recommend_many` of a fitted closed form gives them.

NumPy and SciPy do the same from the model's own tables. implicit's ALS, with 128 factors, is another model: its lists
differ, their number and length do not.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import sparse

from xattn.bench.case import Case, Plan, Run, agree
from xattn.bench.made_up import made_up
from xattn.bench.rivals import als_lists
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.value_table import ClosedForm
from xattn.recommenders import CollaborativeAttention

__all__ = ["fitted", "suite"]

EVENTS, USERS, ITEMS = 1_000_000, 6_000, 3_400
QUICK = (2_000, 60, 80)
K = 10
FACTORS = 128
ALS = f"implicit ALS, {FACTORS} factors"
ATOL = 1e-5  # scores are shares, under 1; the plain version adds up in float32
STEP = 1_000  # users that the plain version takes at once


def suite(plan: Plan) -> Iterator[Case]:
    events, users, items = QUICK if plan.quick else (EVENTS, USERS, ITEMS)
    plan.tell(f"fit to {events:,} events")
    model = fitted(events, users, items)
    data = model.data_

    def ours() -> np.ndarray:
        return model.recommend_many(data.user_ids, k=K)["score"].to_numpy().reshape(users, K)

    others: dict[str, Run] = {"numpy, scipy": lambda: _plain(model)}
    als = als_lists(data, K, FACTORS if not plan.quick else 8)
    if als:
        others[ALS] = als
        agree("recommend", "the lists of ALS", (users, K), als().shape, 0.0)
    work = f"{K} best of {items:,} items for {users:,} users"
    yield Case(work, ours, others, {ALS: 1.0}, ATOL, frozenset({ALS}))


def fitted(events: int, users: int, items: int) -> CollaborativeAttention:
    """A closed form with two heads on made-up data."""
    return CollaborativeAttention().fit(made_up(events, users=users, items=items))


def _plain(model: CollaborativeAttention) -> np.ndarray:
    """The scores of the lists (U, K), best first: sparse pooled histories times the value tables, then argpartition."""
    data, (part,) = model.data_, model.parts_
    assert isinstance(part, CollaborativePart)
    assert isinstance(part.form, ClosedForm)
    n = np.diff(data.indptr)
    age = np.repeat(data.indptr[1:], n) - 1.0 - np.arange(data.n_events)
    user = np.repeat(np.arange(data.n_users), n)
    row = part.form.row_of_item[data.item]
    there = row >= 0
    ptr = np.concatenate([[0], np.cumsum(there)])[data.indptr]
    best = np.empty((data.n_users, K))
    pooled = []
    for memory in part.memories:
        E = np.exp(-age / memory.tau)
        a = E / np.bincount(user, E, data.n_users)[user] ** part.beta
        C = len(part.form.warm)
        pooled.append(sparse.csr_matrix((a[there].astype(np.float32), row[there], ptr), (data.n_users, C)))
    for low in range(0, data.n_users, STEP):
        high = min(data.n_users, low + STEP)
        scores = np.repeat(model.base_[None, :], high - low, axis=0)
        found = sum(Z[low:high] @ V for Z, V in zip(pooled, part.form.V, strict=True))
        scores[:, part.form.warm] += part.gate[part.form.warm] * found
        seen = slice(data.indptr[low], data.indptr[high])
        scores[user[seen] - low, data.item[seen]] = -np.inf
        top = np.argpartition(scores, scores.shape[1] - K, axis=1)[:, -K:]
        best[low:high] = -np.sort(-np.take_along_axis(scores, top, 1), axis=1)
    return best
