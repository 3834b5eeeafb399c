"""Amounts of events that add up, for any function of a set of events: when each arrived, and on average over orders.

    v(S)          the score of the history in which the events S are in sight, in the order of time; v(all) is served
    arrival       a_i = v(1 … i) − v(1 … i−1)                                  what event i changed when it arrived
    average       φ_i = mean over orders π of v(before i in π, and i) − v(before i in π)       (Shapley, 1953)

Both add up to v(all) − v(nothing), whatever the function: each order is a path from nothing to all. An average over
drawn orders adds up as well. Orders are drawn in pairs, one and its reverse, which take turns at being early; the pairs
are independent, so their spread gives an interval. Where all sets are fewer than the budget, all are asked, and the
average is over all orders.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from xattn.progress import listener, part_of, told_to

__all__ = ["Averages", "averages", "differences"]

FEWEST = 8  # pairs of orders: intervals of fewer hold the truth in 91 of 100 random games, of these in 93
SURE = 0.975  # of both sides: 95 %
BLOCK = 4_000_000  # scores (sets × items) held at a time: 32 MB
Value = Callable[[np.ndarray], np.ndarray]


class Averages(NamedTuple):
    """`mean` (n, M) of each event for each item, `within` (n, M) half the width of its 95 % interval, and how many
    `orders` it is over; 0: all of them, and `within` is 0."""

    mean: np.ndarray
    within: np.ndarray
    orders: int


def differences(nothing: np.ndarray, after: np.ndarray) -> np.ndarray:
    """(n, …) what each event changed when it arrived; `after` (n, …) holds the scores after each, `nothing` those
    before all.

    >>> differences(np.array(1.0), np.array([3.0, 2.5]))
    array([ 2. , -0.5])
    """
    found: np.ndarray = np.diff(np.concatenate([nothing[None], after]), axis=0)
    return found


def averages(value: Value, n: int, ends: np.ndarray, budget: int, rng: np.random.Generator) -> Averages:
    """The averages of n events. `value` gives the scores (B, M) of sets (B, n) of events; `ends` (2, M) are those of
    nothing and of all, which are not asked for. About `budget` sets are asked; more where that is too few for an
    interval.

    >>> said = np.array([1.0, 2.0, 4.0])
    >>> averages(lambda sets: (sets @ said)[:, None], 3, np.array([[0.0], [7.0]]), 100, np.random.default_rng(0)).mean
    array([[1.],
           [2.],
           [4.]])
    """
    if not n:
        nothing = np.zeros((0, ends.shape[1]))
        return Averages(nothing, nothing, 0)
    if n < 30 and 2**n - 2 <= budget:
        return _all_orders(value, n, ends)
    pairs = max(FEWEST, budget // (2 * (n - 1)))
    mean, square, tell = np.zeros((n, ends.shape[1])), np.zeros((n, ends.shape[1])), listener()
    for pair in range(1, pairs + 1):
        order = rng.permutation(n)
        with told_to(part_of(tell, (pair - 1) / pairs, (pair - 0.5) / pairs)):
            own = _one_order(value, order, ends)
        with told_to(part_of(tell, (pair - 0.5) / pairs, pair / pairs)):
            own = (own + _one_order(value, order[::-1], ends)) / 2
        step = own - mean  # Welford's sums
        mean += step / pair
        square += step * (own - mean)
    within = stdtrit(pairs - 1, SURE) * np.sqrt(square / (pairs - 1) / pairs)
    return Averages(mean, within, 2 * pairs)


def _one_order(value: Value, order: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(n, M) what each event changes where they come in this order."""
    n = len(order)
    place = np.empty(n, np.int64)
    place[order] = np.arange(n)
    sets = place[None, :] < np.arange(1, n)[:, None]  # (n − 1, n): the first one, the first two, …
    after = np.concatenate([value(sets), ends[1:]])
    return differences(ends[0], after)[place]


def _all_orders(value: Value, n: int, ends: np.ndarray) -> Averages:
    """Over all orders: φ_i = Σ_S ± v(S) · (share of the orders in which S is what came before)."""
    number = np.arange(1, 2**n - 1)
    mean = np.repeat((ends[1] - ends[0])[None, :] / n, n, axis=0)
    step = max(1, BLOCK // ends.shape[1])
    for low in range(0, len(number), step):
        sets = (number[low : low + step, None] >> np.arange(n) & 1).astype(bool)
        size = sets.sum(axis=1)
        with_i = np.array([1.0 / (n * comb(n - 1, s - 1)) for s in size.tolist()])
        without_i = np.array([1.0 / (n * comb(n - 1, s)) for s in size.tolist()])
        mean += np.where(sets, with_i[:, None], -without_i[:, None]).T @ value(sets)
    return Averages(mean, np.zeros_like(mean), 0)
