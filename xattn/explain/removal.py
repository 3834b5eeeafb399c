"""Removal effects: what the score and the rank of a target become when one event is masked (docs/model.md, eq. 13).

The announced numbers come from the closed form over the fields of the heads; re-scoring the masked history through
the model is another way through the code, and the tests hold the two against each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.explain.question import Question, Scorer

__all__ = ["Removals", "removals"]

BLOCK = 2_000_000  # scores (targets × events) held at a time: 16 MB


class Removals(NamedTuple):
    """Per event of the history (n,): the target's score and rank without it; rank 0 where it is not allowed."""

    score: np.ndarray
    rank: np.ndarray


def removals(scorer: Scorer, question: Question) -> Removals:
    """Score and rank of the target without each event in turn."""
    history, target = question.history, question.target
    n = len(history)
    own = scorer.scores_without_each(history, np.array([target]))[0]
    if not question.allowed[target]:
        return Removals(own, np.zeros(n, np.int64))
    ahead = np.zeros(n, np.int64)
    others = np.flatnonzero(question.allowed)
    others = others[others != target]
    step = max(1, BLOCK // max(n, 1))
    for low in range(0, len(others), step):
        block = others[low : low + step]
        scores = scorer.scores_without_each(history, block)
        tied = (scores == own) & (block < target)[:, None]
        ahead += np.count_nonzero((scores > own) | tied, axis=0)
    return Removals(own, ahead + 1)
