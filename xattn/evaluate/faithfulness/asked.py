"""Explainers that ask the model about sets of events; they serve any model.

strongest   the sets of `Ledger.strongest`: without them the score is lowest
lead        the same by "lead": without them the lead over the best other item is smallest
sufficient  the sets of `Ledger.sufficient`: they alone keep the score highest
arrival     what each event changed when it arrived, in the order of time
shapley     what each event changes on average over orders (Shapley, 1953); `BUDGET` sets are asked about
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xattn.evaluate.faithfulness.case import Case, Explanation, ordered
from xattn.explain.strongest import leads, strongest_sets
from xattn.recommenders.foreign.orders import averages, differences

__all__ = ["arrival", "lead", "shapley", "strongest", "sufficient"]

Value = Callable[[np.ndarray], np.ndarray]  # maskings (B, n) → what they leave (B,)

BLOCK = 2_000_000  # scores (maskings × items) held at a time: 16 MB
BUDGET = 2000  # sets that the averages of one recommendation ask about, as `wrap` has it


def strongest(case: Case, most: int) -> Explanation:
    """Strengths are the single losses; the weakest sets come from the same search with the signs turned."""
    return _by(lambda live: case.masked.of(live, case.target), case.n, most)


def sufficient(case: Case, most: int) -> Explanation:
    """Strengths are the scores of single events alone, less that of none; the strongest sets keep the score highest,
    the weakest lowest."""
    return _by(lambda live: -case.masked.of(~live, case.target), case.n, most)


def lead(case: Case, most: int) -> Explanation:
    """The same of the lead over the best item that is not in the history."""
    others = np.setdiff1d(np.arange(len(case.model.base_)), np.append(case.history.item, case.target))
    step = max(1, BLOCK // len(case.model.base_))

    def value(live: np.ndarray) -> np.ndarray:
        blocks = (live[low : low + step] for low in range(0, len(live), step))
        return np.concatenate([leads(case.masked.all(block), case.target, others, 1) for block in blocks])

    return _by(value, case.n, most)


def _by(value: Value, n: int, most: int) -> Explanation:
    """Strengths are the losses of single events, sets those whose loss is largest."""
    strength = value(np.ones((1, n), bool)) - value(~np.eye(n, dtype=bool))
    strongest, weakest = (
        tuple(one.events for one in strongest_sets(turned, n, most)) for turned in (value, lambda live: -value(live))
    )
    return Explanation(strength, strongest, weakest)


def arrival(case: Case, most: int) -> Explanation:
    """The differences between the scores of the beginnings of the history; offset: the score without any of it."""
    beginnings = case.masked.of(np.tri(case.n + 1, case.n, -1, dtype=bool), case.target)
    return ordered(differences(beginnings[0], beginnings[1:]), most, offset=float(beginnings[0]))


def shapley(case: Case, most: int) -> Explanation:
    """Averages over orders; offset: the score without any event."""
    ends = case.masked.of(np.array([np.zeros(case.n, bool), np.ones(case.n, bool)]), case.target)[:, None]
    found = averages(lambda sets: case.masked.of(sets, case.target)[:, None], case.n, ends, BUDGET, case.rng)
    return ordered(found.mean[:, 0], most, offset=float(ends[0, 0]))
