"""Removal effects: what the score and the rank of a target become when events are masked (docs/model.md, eq. 18).

The scores without single events come from the closed form over the fields of the heads; scoring the masked history
again is another way through the code, and the tests hold the two against each other. Ranks are those of the served
lists, to the last tie. A set of events is served anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xattn.explain.cache import HistoryCache
from xattn.explain.question import Question, Scorer, rank_of

__all__ = ["Removals", "SetRemoval", "removals", "set_removal"]


class Removals(NamedTuple):
    """Per event of the history (n,): the target's score and rank without its item, all whose events are masked
    together; rank 0 where the target is not allowed."""

    score: np.ndarray
    rank: np.ndarray


@dataclass(frozen=True)
class SetRemoval:
    """The events at `positions` masked together: the target's `score` then, its change (`effect`), and its `rank`
    (None where it is not in the list of candidates)."""

    positions: tuple[int, ...]
    score: float
    effect: float
    rank: int | None


def removals(cache: HistoryCache, question: Question) -> Removals:
    """Score and rank of the target without each event in turn."""
    target = question.target
    own = cache.without_each(target)
    if not question.allowed[target]:
        return Removals(own, np.zeros(len(own), np.int64))
    return Removals(own, cache.ranks_without_each(target, own, question.allowed))


def set_removal(scorer: Scorer, question: Question, positions: tuple[int, ...], score: float) -> SetRemoval:
    """The target of `score` without these events, as the model then serves it."""
    after = scorer.scores_of(question.history.without(list(positions)))
    left = float(after[question.target])
    return SetRemoval(positions, left, left - score, rank_of(after, question.target, question.allowed))
