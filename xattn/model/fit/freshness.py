"""Freshness: a base that forgets, and how young items are (docs/model.md, eq. 37–38).

    g_e = 2^(−(T − t_e)/half-life)      b_j = (1 + n Σ_e g_e w_e 1[x_e = j] / Σ_e g_e w_e) / (n + M)

T is the moment of the newest event, w_e what an event counts, n = Σ_e w_e. With an endless half-life this is the share
of all events that an item has (eq. 3). The scale n keeps the one that is added for each item as small as it is there.
"""

from __future__ import annotations

import numpy as np

__all__ = ["DAY", "fresh_share", "share_of", "weights", "youth"]

DAY = 86_400.0  # seconds; a half-life is in days


def share_of(met: np.ndarray) -> np.ndarray:
    """The share of all events of each item (M,), from what these count together; one more for each, because an item
    that nobody has met may yet come."""
    return np.asarray((met + 1) / (met + 1).sum())


def weights(time: np.ndarray, half_life: float) -> np.ndarray:
    """g (N,) of events at `time` (N,), in seconds: 1 for the newest."""
    return np.asarray(0.5 ** ((time.max() - time) / (DAY * half_life))) if len(time) else np.ones(0)


def fresh_share(item: np.ndarray, worth: np.ndarray, time: np.ndarray, half_life: float, M: int) -> np.ndarray:
    """b (M,) from events with items `item`, strengths `worth` and moments `time`, (N,) each."""
    g = weights(time, half_life) * worth
    if not g.sum() > 0:  # the newest events count nothing, and all others are forgotten
        return share_of(np.bincount(item, worth, minlength=M))
    return share_of(np.bincount(item, g * (worth.sum() / g.sum()), minlength=M))


def youth(item: np.ndarray, time: np.ndarray, half_life: float, M: int) -> np.ndarray:
    """(M,) g of the first event of each item, 0 for an item without one: 1 for what has only just appeared."""
    found = np.zeros(M)
    first = np.full(M, np.inf)
    np.minimum.at(first, item, time)
    met = np.isfinite(first)
    found[met] = 0.5 ** ((time.max() - first[met]) / (DAY * half_life)) if met.any() else 0.0
    return found
