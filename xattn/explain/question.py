"""What an explanation is asked about, and what it may ask of a model.

A `Question` is one target for one history, with the list that ranks refer to. A `Scorer` is any model that can score
a history, score it with each event masked, and name the terms of one score. The ledger knows models only through this.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from xattn.data import History, Interactions
from xattn.model.heads.field import HeadCells, HeadField

__all__ = ["Approximation", "Question", "Scorer", "rank_of"]


class Question(NamedTuple):
    """Explain `target` (item row) for `history`; the list is the `k` best of the `allowed` (M,) items.

    `asked` are the arguments that say so in words (`k`, `exclude`, `candidates`, `where`), as far as they were given.
    """

    user: str | None
    history: History
    target: int
    k: int
    allowed: np.ndarray
    asked: dict[str, Any] | None = None


class Approximation(NamedTuple):
    """`scores` (n, M) of every item without each event, of which each is within `slack` (M,) of the true one."""

    scores: np.ndarray
    slack: np.ndarray


class Scorer(Protocol):
    """A fitted model as the explanations see it; `xattn.recommenders.scoring` says what each method returns."""

    @property
    def data_(self) -> Interactions: ...
    @property
    def base_(self) -> np.ndarray: ...  # (M,) scores without any history
    def scores_of(self, history: History) -> np.ndarray: ...  # (M,) served scores
    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray: ...  # (J, n)
    def cells_of(self, history: History, target: int) -> list[HeadCells]: ...
    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField] | None: ...
    def approximate_of(self, history: History) -> Approximation | None: ...
    def reach_of(self, history: History, m: int) -> np.ndarray | None: ...


def rank_of(scores: np.ndarray, target: int, allowed: np.ndarray) -> int | None:
    """Rank (1 is best) of `target` among the allowed items, ties in item order; None where not allowed."""
    if not allowed[target]:
        return None
    ahead = scores > scores[target]
    tied = np.flatnonzero(scores == scores[target])
    return 1 + int(np.count_nonzero(ahead & allowed)) + int(np.count_nonzero(allowed[tied[tied < target]]))
