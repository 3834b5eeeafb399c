"""Data full of near ties: every item has a twin that the same people take with it."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from xattn import EASE, Interactions
from xattn.recommenders import Recommender


@cache
def twins() -> Interactions:
    """Forty pairs of items; user u0 has 120 events, with some items met several times."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, str, int]] = []
    for user in range(30):
        for item in rng.integers(40, size=60 if user == 0 else 25).tolist():
            rows += [(f"u{user}", f"i{item:02d}{twin}", len(rows)) for twin in ("", "x")]
    return Interactions.from_frame(pd.DataFrame(rows, columns=["user", "item", "time"]), name="twins")


@cache
def fitted_to_twins() -> Recommender:
    """In float64 the values of twins differ by rounding alone, and sums in another order turn many pairs around."""
    return EASE(dtype="float64").fit(twins())
