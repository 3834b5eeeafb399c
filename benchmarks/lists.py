"""How long lists take on movielens-small: many users at once beside one by one, similar items and users, filters.

    python benchmarks/lists.py [MODEL ...]        default: Popularity EASE CollaborativeAttention

The batch must serve the same bits as the loop, else nothing is timed. Medians of five rounds, in milliseconds; the
batch and the loop are for all 671 users. On a busy machine the loop waits for its threads at each user:
XATTN_NUM_THREADS=1 leaves that out.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import pandas as pd

from xattn import load_dataset, recommenders

ROUNDS = 5
WHERE = {"genres": "Comedy", "year": (1990, 1999)}


def milliseconds(call: Callable[[], object]) -> float:
    """The median of some rounds, after one that is not counted."""
    call()
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return 1e3 * statistics.median(took)


def main(names: list[str]) -> None:
    data = load_dataset("movielens-small")
    users = data.user_ids
    for name in names:
        model = getattr(recommenders, name)().fit(data)

        def one_by_one(model: recommenders.Recommender = model) -> pd.DataFrame:
            return pd.concat([model.recommend(user) for user in users], ignore_index=True)

        if not model.recommend_many(users).drop(columns="user").equals(one_by_one()):
            sys.exit(f"{name}: the batch does not serve what the loop serves")
        batch, loop = milliseconds(lambda model=model: model.recommend_many(users)), milliseconds(one_by_one)
        print(f"{name}: {len(users)} users at once {batch:.0f} ms, one by one {loop:.0f} ms, ratio {loop / batch:.1f}")
        for what, call in (
            ("similar_items by users", lambda model=model: model.similar_items("260")),
            ("similar_items by features", lambda model=model: model.similar_items("260", by="features")),
            ("similar_users", lambda model=model: model.similar_users("42")),
            ("recommend", lambda model=model: model.recommend("42")),
            ("recommend, filtered", lambda model=model: model.recommend("42", where=WHERE)),
            ("recommend, diversity 0.3", lambda model=model: model.recommend("42", diversity=0.3)),
        ):
            print(f"  {what}: {milliseconds(call):.2f} ms")


if __name__ == "__main__":
    main(sys.argv[1:] or ["Popularity", "EASE", "CollaborativeAttention"])
