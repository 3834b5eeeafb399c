"""Small data of every shape that people have, on which the contract is checked.

clean     planted tastes: every item once in a history, rated, in order of time
messy     items met many times, ties in time, event types, users with one event, opinions on some events alone,
          items that nobody has met and that score alike, lists, flags and gaps among the columns, odd ids
unrated   the same without ratings, times and types
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

from xattn.data import Interactions, ItemTable, planted

__all__ = ["SHAPES", "data_of"]

ODD_IDS = ("007", "7", " a", "é", "猫", "1e3", "NA", "nan", "a|b", "x: y", "-1", "9007199254740993", "=1+1", "<b>", "'")
GENRES = ("Drama", "War", "Noir: new", "Comedy, dark")
M, UNMET, USERS, MOST = 40, 4, 60, 14
KINDS = ("view", "buy", "return")


def clean() -> Interactions:
    """Planted tastes in four genres."""
    return planted("genre", n_users=120, seed=0).data


def messy() -> Interactions:
    """Everything at once; see above."""
    rng = np.random.default_rng(1)
    length = np.where(np.arange(USERS) % 6 == 0, 1, rng.integers(2, MOST, USERS))
    taste = rng.integers(0, len(GENRES), USERS)
    items, ratings, times, kinds = [], [], [], []
    for n, own in zip(length.tolist(), taste.tolist(), strict=True):
        liked = np.arange(own, M - UNMET, len(GENRES))
        pool = np.concatenate([rng.choice(liked, 3), rng.integers(0, M - UNMET, 2)])  # a few, met again and again
        chosen = rng.choice(pool, n)
        items.append(chosen)
        stars = np.where(chosen % len(GENRES) == own, rng.integers(4, 6, n), rng.integers(1, 4, n)).astype(float)
        ratings.append(np.where(rng.random(n) < 0.25, np.nan, stars))
        times.append(np.sort(rng.integers(0, max(2, n // 2), n)).astype(float))
        kinds.append(rng.choice(KINDS, n, p=(0.6, 0.3, 0.1)))
    ids = (*ODD_IDS, *(f"item {row}" for row in range(len(ODD_IDS), M)))
    genre = [GENRES[row % len(GENRES)] for row in range(M - UNMET)]
    table = ItemTable(
        ids,
        tuple(f"Part {row % 9}: {ids[row]}" if row < M - UNMET else "Nobody's" for row in range(M)),
        pd.DataFrame(
            {
                "genres": [f"{name}|{GENRES[0]}" if row % 3 == 0 else name for row, name in enumerate(genre)]
                + [""] * UNMET,
                "year": [1950.0 + 3 * row if row % 5 else np.nan for row in range(M - UNMET)] + [np.nan] * UNMET,
                "horror": [float(row % 7 == 0) for row in range(M - UNMET)] + [np.nan] * UNMET,
                "synopsis": [f"the tale of {ids[row]} and {row} others" for row in range(M)],
            }
        ),
    )
    return Interactions(
        "messy",
        tuple(f"用户 {row}" for row in range(USERS)),
        table,
        np.concatenate([[0], np.cumsum(length)]),
        np.concatenate(items),
        np.concatenate(ratings),
        np.concatenate(times),
        np.concatenate(kinds),
    )


def unrated() -> Interactions:
    """The messy data with nothing but who and what."""
    data = messy()
    return Interactions("unrated", data.user_ids, data.items, data.indptr, data.item)


SHAPES: dict[str, Callable[[], Interactions]] = {"clean": clean, "messy": messy, "unrated": unrated}


@cache
def data_of(shape: str) -> Interactions:
    """The data of one shape, made once."""
    return SHAPES[shape]()
