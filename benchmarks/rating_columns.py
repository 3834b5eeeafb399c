"""Does a rating column ever cost accuracy? NDCG@10 with the column and without it, paired over the same people.

    python benchmarks/rating_columns.py [--model HybridAttention]

The bundled films come in six shapes that people have: as they are; only what was rated 4, 3.5 or 3 and more; 62 % of
the ratings set to 0, which means not rated; one cell mistyped as 50. Two planted sets, a thousand people each, show
that ratings still count where they matter: people who come back to the one genre that they rate high, and people who
stay away from the genre that they rate 1. Next item, nothing filtered. Prints the means, the mean difference and its
95 % bootstrap interval over people.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

import xattn
from xattn import Interactions
from xattn.data.synthetic import planted
from xattn.evaluate.bootstrap import interval
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import last_events
from xattn.evaluate.ranking import rank
from xattn.evaluate.setup import asked

K = 10
PLANTED = 1000  # people


def shapes() -> Iterator[tuple[str, pd.DataFrame, xattn.ItemTable]]:
    """A name, a frame of events with its rating column, the items."""
    films = xattn.load_dataset("movielens-small")
    frame = films.to_frame()
    yield "as they are", frame, films.items
    for least in (4.0, 3.5, 3.0):
        yield f"rated {least:g} and more", frame[frame["rating"] >= least].reset_index(drop=True), films.items
    zeros = frame.copy()
    zeros.loc[np.random.default_rng(0).random(len(zeros)) < 0.62, "rating"] = 0.0
    yield "62 % set to 0", zeros, films.items
    slip = frame.copy()
    slip.loc[slip.index[777], "rating"] = 50.0
    yield "one cell mistyped", slip, films.items
    for kind in ("genre", "dislike"):
        data = planted(kind, n_users=PLANTED, seed=0).data
        yield f"planted: {kind}", data.to_frame(), data.items


def gains(data: Interactions, model: str) -> np.ndarray:
    """(U,) NDCG@10 of each person who is asked."""
    questions = last_events(data.without_repeats())
    fitted = asked(getattr(xattn, model)(random_state=0), "next-item").fit(questions.train)
    found: np.ndarray = per_user(rank(fitted, questions, K).ranks, K)[f"ndcg@{K}"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="HybridAttention")
    model = parser.parse_args().model
    start = time.perf_counter()
    print(f"{'':22}{'people':>8}{'with':>9}{'without':>9}{'difference':>12}   95 % interval")
    for name, frame, items in shapes():
        one, other = (
            gains(Interactions.from_frame(rows, items), model) for rows in (frame, frame.drop(columns="rating"))
        )
        low, high = interval(one - other, 0)
        figures = f"{len(one):>8,}{one.mean():>9.4f}{other.mean():>9.4f}{(one - other).mean():>+12.4f}"
        print(f"{name:22}{figures}   {low:+.4f} to {high:+.4f}", flush=True)
    print(f"{time.perf_counter() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
