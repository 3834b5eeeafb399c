"""Matrix factorisation from the package implicit: a person and an item are vectors, a score is their product.

`ALS`: weighted least squares, alternating (Hu, Koren and Volinsky, ICDM 2008). It folds a history in: it solves for a
vector against the item vectors, so it can score anybody. `BPR`: stochastic gradient over pairs of a taken and another
item (Rendle et al., UAI 2009). It learns a vector for each person and folds nothing in; somebody whom training does not
know gets the scores of the mean person.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from threadpoolctl import ThreadpoolController

from xattn.data import History, Interactions
from xattn.errors.constraints import POSITIVE, SEED, Range, Whole, constraints
from xattn.evaluate.rivals.base import Rival
from xattn.kernels.compile import num_threads
from xattn.progress import Progress, silent
from xattn.recommenders.estimator import LogRange, space

__all__ = ["ALS", "BPR"]


class _Factors(Rival):
    """Item vectors (M, d) in `_items`; the matrix of who took what."""

    package = "implicit"
    _constraints = constraints(factors=Whole(1), regularization=Range(0.0), iterations=Whole(1), random_state=SEED)
    _items: np.ndarray

    def _learned(self, kind: Any, data: Interactions, progress: Progress | None, **settings: Any) -> Any:
        """A fitted model of implicit; our progress is told, its own bar on the terminal is off."""
        tell = progress or silent
        self._pools = ThreadpoolController()  # implicit's own threads and those of BLAS would fight
        with self._pools.limit(limits=1, user_api="blas"):
            model = kind(
                factors=self.factors,
                regularization=self.regularization,
                iterations=self.iterations,
                random_state=self.random_state,
                **settings,
            )
            total = self.iterations
            model.fit(taken(data), show_progress=False, callback=lambda epoch, *_: tell("factors", (epoch + 1) / total))
        return model


class ALS(_Factors):
    """implicit's AlternatingLeastSquares.

    Parameters: `factors`, the length of the vectors; `regularization` ≥ 0; `alpha` > 0, by how much more an event that
    happened counts than one that did not; `iterations`; `random_state`. Defaults as tuned in docs/evaluation.md.
    """

    search_space = space(
        factors=[8, 16, 32, 64, 128],
        regularization=LogRange(1e-2, 1e2),
        alpha=LogRange(0.3, 30.0),
        iterations=[10, 15, 30],
    )
    _constraints = constraints(alpha=POSITIVE)

    def __init__(
        self,
        *,
        factors: int = 64,
        regularization: float = 7.3,
        alpha: float = 6.5,
        iterations: int = 10,
        random_state: int | None = 0,
    ) -> None:
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.random_state = random_state

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        from implicit.cpu.als import AlternatingLeastSquares as Kind

        self._model = self._learned(Kind, data, progress, alpha=self.alpha, num_threads=num_threads())
        self._items = self._model.item_factors

    def _scores(self, history: History) -> np.ndarray:
        seen = np.unique(history.item[history.live])
        row = sparse.csr_matrix((np.ones(len(seen), np.float32), seen, [0, len(seen)]), (1, len(self._items)))
        with self._pools.limit(limits=1, user_api="blas"):
            return np.asarray(self._items @ self._model.recalculate_user(0, row))


class BPR(_Factors):
    """implicit's BayesianPersonalizedRanking, with negative samples verified.

    Parameters: `factors`; `learning_rate` > 0; `regularization` ≥ 0; `iterations`, passes over the events;
    `random_state`. It runs in one thread, since its result would differ each time with two. Defaults as tuned in
    docs/evaluation.md.
    """

    search_space = space(
        factors=[32, 64, 128, 256],
        learning_rate=LogRange(3e-3, 0.1),
        regularization=LogRange(1e-3, 0.1),
        iterations=[25, 50, 100, 200],
    )
    _constraints = constraints(learning_rate=POSITIVE)

    def __init__(
        self,
        *,
        factors: int = 256,
        learning_rate: float = 0.0127,
        regularization: float = 0.0042,
        iterations: int = 50,
        random_state: int | None = 0,
    ) -> None:
        self.factors = factors
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.iterations = iterations
        self.random_state = random_state

    def _fit(self, data: Interactions, progress: Progress | None) -> None:
        from implicit.cpu.bpr import BayesianPersonalizedRanking as Kind

        model = self._learned(Kind, data, progress, learning_rate=self.learning_rate, num_threads=1)
        self._items, self._users = model.item_factors, model.user_factors
        self._mean = self._users[np.diff(data.indptr) > 0].mean(axis=0)

    def _scores(self, history: History) -> np.ndarray:
        known = history.user is not None and self.data_.indptr[history.user] < self.data_.indptr[history.user + 1]
        return np.asarray(self._items @ (self._users[history.user] if known else self._mean))


def taken(data: Interactions) -> sparse.csr_matrix:
    """(U, M) float32: 1 where a user acted on an item, however often."""
    ones = np.ones(data.n_events, np.float32)
    found = sparse.csr_matrix((ones, (data.user, data.item)), shape=(data.n_users, data.n_items))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found
