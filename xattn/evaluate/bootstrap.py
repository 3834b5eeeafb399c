"""Bootstrap over users: how far a result would move with other users like these (Efron 1979).

Each draw takes as many users as there are, with repetition; a statistic is computed again from how often each was
taken. The same seed takes the same users for every model, so the draws of two models are pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

__all__ = ["DRAWS", "interval", "limits", "p_value", "resampled", "versus"]

DRAWS = 2000


def resampled(statistic: Callable[[np.ndarray], np.ndarray], users: int, seed: int, draws: int = DRAWS) -> np.ndarray:
    """`statistic(times)` of each draw as (draws, S), where `times` (users,) is how often each user was taken."""
    rng = np.random.default_rng(seed)
    found = [statistic(np.bincount(rng.integers(0, users, users), minlength=users)) for _ in range(draws)]
    return np.array(found)


def limits(drawn: np.ndarray) -> np.ndarray:
    """The 95 % percentile intervals (S, 2) of `drawn` (draws, S); draws that are NaN are left out."""
    ends: np.ndarray = np.nanquantile(drawn, [0.025, 0.975], axis=0).T
    return ends


def interval(values: np.ndarray, seed: int, draws: int = DRAWS) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean of `values` (U,)."""
    low, high = limits(resampled(lambda times: np.array([times @ values / len(values)]), len(values), seed, draws))[0]
    return float(low), float(high)


def p_value(differences: np.ndarray) -> float:
    """Two-sided p of a difference of 0, from its paired bootstrap draws (draws,); never under 2/(draws + 1).

    Twice the share of draws on the rarer side of 0, the observation counted in (Davison and Hinkley 1997, §4.4).

    >>> p_value(np.zeros(99)), p_value(np.ones(99))
    (1.0, 0.02)
    """
    rarer = min(np.count_nonzero(differences <= 0), np.count_nonzero(differences >= 0))
    return float(min(1.0, 2 * (1 + rarer) / (len(differences) + 1)))


def versus(names: Iterable[str], drawn: np.ndarray, first: np.ndarray) -> dict[str, float]:
    """p value of each metric's difference between two models, from draws (draws, S) of the same users."""
    return {name: p_value(drawn[:, s] - first[:, s]) for s, name in enumerate(names)}
