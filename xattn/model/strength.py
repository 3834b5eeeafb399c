"""Strength w: how much, and with which sign, an event counts (docs/model.md, eq. 4).

On a rating scale from `low` to `high` the *signed* strength is the centred rating, −1 at the bottom, +1 at the top. The
*presence* strength counts that the event happened at all (1), except for a clear dislike (signed strength ≤ −½), which
counts as `dislike`. Without a rating scale every event has strength 1.

Where the question is what belongs to a person, liked events (upper third of the scale) count in full and the others in
part, as evidence (*taste*) and as what is to be found (*found*), and an item counts *once*, however often it came. An
event that nobody rated counts as liked there, as all do where nothing is rated.

Where the numbers say how long an event lasted, an event counts by that instead: x / (x + half) for a *dwell* of x,
x / full for a *progress*, in every sense above, and ½ where it is not known. No such event is a dislike.

Types of events (view, purchase, return, …) may each have a strength of their own; it multiplies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

__all__ = [
    "DISLIKED",
    "UNRATED",
    "RatingScale",
    "found",
    "kind_strengths",
    "lasted",
    "once",
    "presence",
    "signed",
    "taste",
]

LIKED = 1 / 3 - 1e-9  # signed strength from which an event is liked: the upper third of the scale
DISLIKED = -0.5
UNKNOWN = 0.5  # of an event that lasted nobody knows how long: as much as the middle one
UNRATED = 0.5  # signed strength of an event that nobody rated: it counts as liked, by experiment (docs/log.md)


class Known(Protocol):
    """How a data set says what its ratings are on (`xattn.data.scale.Scale`)."""

    @property
    def certain(self) -> bool: ...
    @property
    def span(self) -> tuple[float, float]: ...
    @property
    def kind(self) -> str: ...
    @property
    def high(self) -> float: ...


class RatingScale(NamedTuple):
    """The two ends of the scale of opinions of a data set; equal where it has none.

    `half` is the dwell that counts ½, `full` the progress that counts in full; 0 where the numbers are none of these.
    """

    low: float
    high: float
    half: float = 0.0
    full: float = 0.0

    @classmethod
    def of(cls, scale: Known | None) -> RatingScale:
        """The ends of a scale of opinions that is stated or known. None for amounts, which are no opinions, and for a
        scale that is a guess: nobody's least rating is called a dislike because it is the least at hand."""
        if scale is None:
            return cls(0.0, 0.0)
        if scale.kind == "dwell":
            return cls(0.0, 0.0, half=scale.high)
        if scale.kind == "progress":
            return cls(0.0, 0.0, full=scale.high)
        return cls(*scale.span) if scale.certain else cls(0.0, 0.0)

    @property
    def lasts(self) -> bool:
        """Whether the numbers say how long events lasted."""
        return self.half > 0 or self.full > 0


def lasted(rating: np.ndarray | None, n: int, scale: RatingScale) -> np.ndarray:
    """How much of an event there was, in [0, 1] (n,); 1 for every event where the numbers do not say how long it took.

    >>> lasted(np.array([0.0, 30.0, 90.0, np.nan]), 4, RatingScale(0.0, 0.0, half=30.0))
    array([0.  , 0.5 , 0.75, 0.5 ])
    >>> lasted(np.array([10.0, 100.0]), 2, RatingScale(0.0, 0.0, full=100.0))
    array([0.1, 1. ])
    """
    if rating is None or not scale.lasts:
        return np.ones(n)
    x = np.maximum(rating, 0.0)
    share = 1.0 - scale.half / (scale.half + x) if scale.half > 0 else np.minimum(x / scale.full, 1.0)
    return np.where(np.isnan(share), UNKNOWN, share)


def signed(rating: np.ndarray | None, n: int, scale: RatingScale) -> np.ndarray:
    """Centred ratings in [−1, 1] (n,); `UNRATED` for an event without an opinion (NaN).

    >>> signed(np.array([0.5, 2.75, 5.0]), 3, RatingScale(0.5, 5.0))
    array([-1.,  0.,  1.])
    """
    if scale.lasts:
        return lasted(rating, n, scale)
    half = scale.high / 2 - scale.low / 2  # halved first: the span of a scale may be past the largest number
    if rating is None or half <= 0:
        return np.ones(n)
    centred = np.clip((rating - (scale.low + half)) / half, -1.0, 1.0)
    return np.where(np.isnan(centred), UNRATED, centred)


def presence(rating: np.ndarray | None, n: int, scale: RatingScale, dislike: float) -> np.ndarray:
    """1 for every event, `dislike` for a clear dislike (n,).

    >>> presence(np.array([0.5, 2.75, 5.0]), 3, RatingScale(0.5, 5.0), dislike=-0.5)
    array([-0.5,  1. ,  1. ])
    """
    if scale.lasts:
        return lasted(rating, n, scale)
    return np.where(signed(rating, n, scale) <= DISLIKED, dislike, 1.0)


def taste(rating: np.ndarray | None, n: int, scale: RatingScale, dislike: float) -> np.ndarray:
    """1 for a liked event, `dislike` for a clear dislike, ½ between (n,).

    >>> taste(np.array([0.5, 2.75, 3.5, 5.0]), 4, RatingScale(0.5, 5.0), dislike=-0.5)
    array([-0.5,  0.5,  1. ,  1. ])
    """
    r = signed(rating, n, scale)
    return r if scale.lasts else np.where(r >= LIKED, 1.0, np.where(r <= DISLIKED, dislike, 0.5))


def found(rating: np.ndarray | None, n: int, scale: RatingScale) -> np.ndarray:
    """How much it is worth to find an event: 1 where it is liked, 0 where disliked, ⅓ between (n,).

    >>> found(np.array([0.5, 2.75, 3.5, 5.0]), 4, RatingScale(0.5, 5.0)).round(2)
    array([0.  , 0.33, 1.  , 1.  ])
    """
    r = signed(rating, n, scale)
    return r if scale.lasts else np.where(r >= LIKED, 1.0, np.where(r <= DISLIKED, 0.0, 1 / 3))


def once(w: np.ndarray, key: np.ndarray) -> np.ndarray:
    """`w` (n,), where events of one `key` (n,) are shares of the strongest of them; alone, an event stays as it is.

    >>> once(np.array([1.0, 0.5, 0.5]), np.array([7, 4, 4]))
    array([1.  , 0.25, 0.25])
    """
    _, place = np.unique(key, return_inverse=True)
    size = np.abs(w)
    total = np.bincount(place, size)
    strongest = np.zeros(len(total))
    np.maximum.at(strongest, place, size)
    share = np.divide(strongest, total, out=np.zeros(len(total)), where=total > 0)
    return np.asarray(w * share[place])


def kind_strengths(kind: np.ndarray | None, n: int, strengths: Mapping[str, float] | None) -> np.ndarray:
    """The strength of each event's type (n,); 1 for a type that `strengths` does not name, and without types.

    >>> kind_strengths(np.array(["view", "buy", "return"]), 3, {"view": 0.2, "return": -1.0})
    array([ 0.2,  1. , -1. ])
    """
    if kind is None or not strengths:
        return np.ones(n)
    return np.array([float(strengths.get(name, 1.0)) for name in kind.tolist()]).reshape(n)
