"""`serve`: one user at a time, Python included: ten recommendations and the ledger of each; median and 99th percentile.

The default model, on made-up data with 10,000 items that have features, and on the bundled data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from xattn.bench.case import LIMIT, Figure, Plan
from xattn.bench.made_up import made_up
from xattn.bench.race import clock
from xattn.data import Interactions, load_dataset, planted
from xattn.recommenders import HybridAttention, Recommender

__all__ = ["answer", "suite"]

EVENTS, USERS, ITEMS = 100_000, 1_000, 10_000
QUICK = (1_000, 40, 60)
ASKED, ASKED_QUICKLY = 200, 10  # users that a round asks, so that its 99th percentile is not its worst one
ROUNDS = 3  # of so many questions at most
P50, P99 = 0.005, 0.015  # seconds allowed
K = 10


def suite(plan: Plan) -> Iterator[Figure]:
    events, users, items = QUICK if plan.quick else (EVENTS, USERS, ITEMS)
    yield from _served(plan, made_up(events, users=users, items=items, features=True), f"{items:,} made-up items")
    if plan.quick:
        yield from _served(plan, planted("genre", seed=0).data, "planted data")
    else:
        yield from _served(plan, load_dataset("movielens-small"), "9,066 films of movielens-small")


def answer(model: Recommender, user: str) -> None:
    """What a page asks for: the list, and of each item on it every cell of its score."""
    for item in model.recommend(user=user, k=K)["item"]:
        model.explain(user=user, item=item)


def _served(plan: Plan, data: Interactions, what: str) -> Iterator[Figure]:
    plan.tell(f"fit, {what}")
    model = HybridAttention(learned="never").fit(data)
    plan.tell(what)
    kinds: dict[str, tuple[Callable[[str], object], bool]] = {
        f"recommend {K} of {what}": (lambda user: model.recommend(user=user, k=K), False),
        f"recommend {K} and a ledger of each, {what}": (lambda user: answer(model, user), True),
    }
    for work, (ask, bound) in kinds.items():
        seconds = _seconds(ask, data, min(ROUNDS, plan.rounds), ASKED_QUICKLY if plan.quick else ASKED)
        for name, share, limit in (("p50", 0.5, P50), ("p99", 0.99, P99)):
            found, each = float(np.quantile(seconds, share)), np.quantile(seconds, share, axis=1)
            if bound:
                yield Figure(f"{work}, {name}", found, LIMIT, limit, limit / each, 1.0)
            else:
                yield Figure(f"{work}, {name}", found)


def _seconds(ask: Callable[[str], object], data: Interactions, rounds: int, questions: int) -> np.ndarray:
    """Seconds of each question (rounds, questions), about other users in each round where there are enough."""
    order = np.random.default_rng(0).permutation(data.n_users)
    users = [data.user_ids[u] for u in np.resize(order, rounds * questions).tolist()]
    longest = max(range(data.n_users), key=lambda u: int(data.indptr[u + 1] - data.indptr[u]))
    for user in (data.user_ids[longest], *users[:10]):  # compiles both twins of every kernel
        ask(user)
    return np.array([clock(partial(ask, user)) for user in users]).reshape(rounds, questions)
