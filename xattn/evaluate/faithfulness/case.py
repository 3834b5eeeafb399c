"""An explainer's question and answer: one recommendation, and its events in order of importance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.evaluate.faithfulness.masked import Masked, Scored

__all__ = ["Case", "Design", "Explanation", "Met", "ordered", "prefixes"]

Sets = tuple[tuple[int, ...], ...]


class Met(NamedTuple):
    """Which users met which items: `users` (U, M) has a 1 where they did, `size` (M,) counts the users of each item."""

    users: sparse.csc_array
    size: np.ndarray

    @classmethod
    def of(cls, data: Interactions) -> Met:
        users = sparse.csc_array((np.ones(data.n_events), (data.user, data.item)), shape=(data.n_users, data.n_items))
        users.sum_duplicates()
        users.data[:] = 1.0
        return cls(users, users.sum(axis=0))

    def shared(self, items: np.ndarray, target: int) -> np.ndarray:
        """Users that each of `items` (n,) shares with the target (n,)."""
        column = self.users[:, [target]].toarray()[:, 0]
        found: np.ndarray = self.users[:, items].T @ column
        return found


class Design(NamedTuple):
    """Maskings `live` (B, n), their columns `Zw` (B, p) times √weight, √weight (B,), the `inverse` (p, p) of the normal
    equations, which are well-conditioned: their columns are random bits.
    """

    live: np.ndarray
    Zw: np.ndarray
    root: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, live: np.ndarray, Z: np.ndarray, weight: np.ndarray, ridge: np.ndarray) -> Design:
        root = np.sqrt(weight)
        Z *= root[:, None]
        return cls(live, Z, root, np.linalg.inv(Z.T @ Z + np.diag(ridge)))

    def solve(self, y: np.ndarray) -> np.ndarray:
        """The coefficients (p,) for the answers `y` (B,)."""
        found: np.ndarray = self.inverse @ (self.Zw.T @ (self.root * y))
        return found


class Case(NamedTuple):
    """Explain the score of `target` for a history of which no event is masked.

    `rng` is the explainer's own for this history; `designs` keeps what it makes once for all targets of the history.
    """

    model: Scored
    history: History
    target: int
    masked: Masked
    met: Met
    rng: np.random.Generator
    designs: dict[str, Design]

    @property
    def n(self) -> int:
        return len(self.history)

    def score(self, kept: np.ndarray | None = None) -> float:
        """f(x), or f of the events `kept` (n,) bool."""
        live = np.ones(self.n, bool) if kept is None else kept
        return float(self.masked.of(live[None, :], self.target)[0])


class Explanation(NamedTuple):
    """`strongest[K−1]` and `weakest[K−1]` are sets of K positions. `strength` (n,) says how strong each event is (None
    where the explainer only names sets); `offset` + Σ strength is the score as the explainer sees it (None where
    strengths are no parts of a score).
    """

    strength: np.ndarray | None
    strongest: Sets
    weakest: Sets
    offset: float | None = None


def prefixes(order: np.ndarray | list[int], most: int) -> Sets:
    """The first 1, 2, … `most` of an order."""
    return tuple(tuple(int(i) for i in order[:K]) for K in range(1, min(most, len(order)) + 1))


def ordered(strength: np.ndarray, most: int, offset: float | None = None) -> Explanation:
    """An explanation that is nothing but a strength for each event; of equal ones the newer counts as stronger.

    >>> found = ordered(np.array([1.0, 3.0, 1.0]), 2)
    >>> found.strongest, found.weakest
    (((1,), (1, 2)), ((0,), (0, 2)))
    """
    n = len(strength)
    order = np.lexsort((-np.arange(n), -strength))
    return Explanation(strength, prefixes(order, most), prefixes(order[::-1], most), offset)
