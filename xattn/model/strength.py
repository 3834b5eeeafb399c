"""Strength w: how much, and with which sign, an event counts (docs/model.md, eq. 4).

On a rating scale from `low` to `high` the *signed* strength is the centred rating, −1 at the bottom, +1 at the top. The
*presence* strength counts that the event happened at all (1), except for a clear dislike (signed strength ≤ −½), which
counts as `dislike`. Without a rating scale every event has strength 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["RatingScale", "presence", "signed"]

MOST_STEPS = 101  # a column with more distinct values (amounts, counts) is no rating scale


class RatingScale(NamedTuple):
    """The lowest and highest rating of a data set; equal where it has no scale."""

    low: float
    high: float

    @classmethod
    def of(cls, rating: np.ndarray | None) -> RatingScale:
        """The scale that ratings span; none for no ratings, one value only, or too many distinct values."""
        if rating is None or not rating.size or len(np.unique(rating)) > MOST_STEPS:
            return cls(0.0, 0.0)
        return cls(float(rating.min()), float(rating.max()))


def signed(rating: np.ndarray | None, n: int, scale: RatingScale) -> np.ndarray:
    """Centred ratings in [−1, 1] (n,).

    >>> signed(np.array([0.5, 2.75, 5.0]), 3, RatingScale(0.5, 5.0))
    array([-1.,  0.,  1.])
    """
    half = scale.high / 2 - scale.low / 2  # halved first: the span of a scale may be past the largest number
    if rating is None or half <= 0:
        return np.ones(n)
    return np.clip((rating - (scale.low + half)) / half, -1.0, 1.0)


def presence(rating: np.ndarray | None, n: int, scale: RatingScale, dislike: float) -> np.ndarray:
    """1 for every event, `dislike` for a clear dislike (n,).

    >>> presence(np.array([0.5, 2.75, 5.0]), 3, RatingScale(0.5, 5.0), dislike=-0.5)
    array([-0.5,  1. ,  1. ])
    """
    return np.where(signed(rating, n, scale) <= -0.5, dislike, 1.0)
