"""Forget people of the bundled films one after the other; after each, compare with a fit that never saw them.

    PYTHONPATH=. python benchmarks/live_forget.py [--users 50] [--compare-each 10]

Prints JSON: the largest difference of any learned table and of the scores of 20 people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time

from tests.recommenders.test_forget import gap
from xattn.data import load_dataset
from xattn.recommenders import HybridAttention


def main() -> None:
    """Forget, compare, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--compare-each", type=int, default=10)
    given = parser.parse_args()
    data = load_dataset("movielens-small")
    settings = {"dtype": "float64", "dislike": 1.0}
    model = HybridAttention(**settings).fit(data)
    gone = data.user_ids[3 :: len(data.user_ids) // given.users][: given.users]
    largest, seconds = 0.0, []
    for n, user in enumerate(gone, 1):
        start = time.perf_counter()
        model.forget([user])
        seconds.append(time.perf_counter() - start)
        if n % given.compare_each == 0 or n == len(gone):
            largest = max(largest, gap(model, HybridAttention(**settings).fit(data.without_users(gone[:n]))))
            print(json.dumps({"forgotten": n, "largest_difference": largest}), file=sys.stderr, flush=True)
    print(
        json.dumps({"forgotten": len(gone), "largest_difference": largest, "seconds_each": sum(seconds) / len(seconds)})
    )


if __name__ == "__main__":
    main()
