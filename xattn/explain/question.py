"""What an explanation is about, and what it may ask a model.

A `Question` is one target for one history, with the list that ranks refer to. A `Scorer` is any model that can score
a history, score it with events masked, and name the terms of one score. The ledger knows models only through this.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from xattn.data import History, Interactions
from xattn.model.heads.field import HeadCells, HeadField

__all__ = ["AMOUNTS", "TERMS", "Approximation", "Orders", "Question", "Scorer", "comes_before", "rank_of"]

TERMS = "terms"
AMOUNTS = {  # what the amounts of a ledger's events are
    TERMS: "the model's own terms, by attention or by tables that were fitted here",
    "sum": "the terms of a sum over events, of a model from elsewhere",
    "arrival": "what each event changed when it arrived",
    "average": "what each event changes on average over orders of the events",
}


class Question(NamedTuple):
    """Explain `target` (item row) for `history`; the list is the `k` best of the `allowed` (M,) items.

    `conditions` are the arguments that `allowed` was made from (`exclude`, `candidates`, `where`, `seen`), as far as
    given; `seen` says whether items of the history are dropped from the list or kept.
    """

    user: str | None
    history: History
    target: int
    k: int
    allowed: np.ndarray
    conditions: dict[str, Any] | None = None
    seen: str = "drop"

    def allowed_after(self, history: History) -> np.ndarray:
        """(M,) bool: what may be listed for `history`, which goes on from the one that was asked about."""
        allowed = self.allowed.copy()
        if self.seen == "drop":
            allowed[history.item] = False
        return allowed


class Approximation(NamedTuple):
    """`scores` (n, M) of every item without each event; each is within `slack` (M,) of the true one."""

    scores: np.ndarray
    slack: np.ndarray


class Orders(NamedTuple):
    """Averages over orders: how many `orders` were drawn (0: all), and `within` (n,), half the width of the 95 %
    interval of each event's average."""

    orders: int
    within: np.ndarray


class Scorer(Protocol):
    """A fitted model as the explanations see it.

    `scores_without_each` may sum in another order than `scores_of` does; `scores_masked` may not: it is, bit for bit,
    what the model serves for each masking, and is called for few items, where rounding decides who is ahead.
    """

    @property
    def data_(self) -> Interactions: ...
    @property
    def base_(self) -> np.ndarray: ...  # (M,) scores without any history
    def scores_of(self, history: History) -> np.ndarray: ...  # (M,) served scores
    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray: ...  # (J, n)
    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray: ...  # (R, J)
    def cells_of(self, history: History, target: int) -> list[HeadCells]: ...
    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField] | None: ...
    def approximate_of(self, history: History) -> Approximation | None: ...
    def reach_of(self, history: History, m: int) -> np.ndarray | None: ...


def comes_before(scores: np.ndarray, items: np.ndarray, own: np.ndarray | float, target: int) -> np.ndarray:
    """Whether items with these `scores` stand before the `target` of score `own`: ties go to the lower row."""
    before: np.ndarray = (scores > own) | ((scores == own) & (items < target))
    return before


def rank_of(scores: np.ndarray, target: int, allowed: np.ndarray) -> int | None:
    """Rank (1 is best) of `target` among the allowed items, ties in item order; None where it is not allowed."""
    if not allowed[target]:
        return None
    own = scores[target]
    tied = (scores[:target] == own) & allowed[:target]
    return 1 + int(np.count_nonzero((scores > own) & allowed)) + int(np.count_nonzero(tied))
