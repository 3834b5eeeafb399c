"""What every protocol is given beside the data and the models, and the parts of a result that all share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from xattn.data import Interactions
from xattn.model.closed_form import Progress
from xattn.model.strength import RatingScale
from xattn.recommenders import Recommender

__all__ = ["Makers", "Protocol", "Setup", "liked", "result"]

Makers = dict[str, Callable[[], Recommender]]  # name of a model: what makes it, unfitted

UPPER = 2 / 3  # of the way up the scale: 3.5 from 0.5 to 5, and 4 of five whole stars
ROUNDING = 1e-9


class Setup(NamedTuple):
    """The choices of one evaluation; a protocol takes what it needs."""

    k: int
    seed: int
    positive: float | None = None  # the least rating that counts as liked; None: the upper third of the scale
    test: Interactions | None = None
    history: Interactions | None = None
    progress: Progress | None = None

    def tell(self, what: str, share: float) -> None:
        """Report progress to whoever listens."""
        if self.progress:
            self.progress(what, share)


Protocol = Callable[[Interactions, Makers, Setup], dict[str, Any]]


def liked(data: Interactions, positive: float | None) -> np.ndarray:
    """(N,) bool: the events rated at least `positive`; without it, those in the upper third of the rating scale.

    Without ratings, or where they are no scale (one value only, or amounts), every event is liked.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", n_users=5, seed=0).data
    >>> np.unique(data.rating[liked(data, None)])
    array([4., 5.])
    """
    if data.rating is None:
        return np.ones(data.n_events, bool)
    if positive is None:
        low, high = RatingScale.of(data.rating)
        if high <= low:
            return np.ones(data.n_events, bool)
        positive = low + UPPER * (high - low)
    found: np.ndarray = data.rating >= positive - ROUNDING
    return found


def result(protocol: str, data: Interactions, users: int, setup: Setup, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The outcome of a protocol: what was tested on what, and one row a model."""
    sizes = {"users": users, "items": data.n_items, "events": data.n_events}
    return {"protocol": protocol, "dataset": data.name, **sizes, "k": setup.k, "rows": rows}
