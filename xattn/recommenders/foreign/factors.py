"""Matrix factorisations by fold-in: the served score is that of the person's vector solved again from the history.

    A x = b,   A = YᵀY + λI + Σ_i (c_i − 1) y_i y_iᵀ,   b = Σ_i c_i y_i,   s_j = ⟨x, y_j⟩,   c_i = α w_i

over the distinct items in sight; of an item met several times the weights add up. The vectors y of the items stay as
they were fitted. The terms c_i y_iᵀ A⁻¹ y_j add up to the score (Hu, Koren and Volinsky, ICDM 2008, section 5). Every
event is in A too, so what is left without one is not the sum of the other terms: it is solved again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import check_array, check_number, refuse
from xattn.errors.constraints import Choice, constraints
from xattn.model.heads.field import HeadCells
from xattn.recommenders.foreign.source import Source, places_of
from xattn.recommenders.foreign.wrapped import WEIGHTS, Wrapped, event_weights

__all__ = ["ItemFactors", "WrappedFactors"]

HEAD = "folded in"
SMALLEST = 1e-13  # of the largest eigenvalue: a smaller one leaves no digit of a solution


class ItemFactors(NamedTuple):
    """What folding in takes: `vectors` (items × d), the `regularization` λ ≥ 0 and the confidence `alpha` α > 0.

    They are those of a factorisation that was fitted by alternating least squares on implicit feedback. α is what an
    event of weight 1 counts; an item that was not met counts 1.
    """

    vectors: Any
    regularization: float
    alpha: float = 1.0


class _System(NamedTuple):
    """A history on its way to vectors: its distinct items' y (G, d), which item each event has, what each counts."""

    y: np.ndarray
    which: np.ndarray  # (n,)
    c: np.ndarray  # (n,)


class WrappedFactors(Wrapped):
    """A factorisation by alternating least squares, folded in: known users and strangers are solved alike.

    It comes from `xattn.wrap`. Parameters: `source`, the model or how it is fitted; `weights`, what an event counts,
    times the model's α: "one", or its "rating" where it has one. The base is 0.

    >>> import xattn
    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> vectors = np.random.default_rng(0).normal(size=(data.n_items, 8))
    >>> model = xattn.wrap(ItemFactors(vectors, 1.0), data, items=data.items.ids)
    >>> why = model.explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> why.base, bool(abs(why.cells["contribution"].sum() - why.score) < 1e-9)
    (0.0, True)
    """

    amounts = "sum"
    _constraints = constraints(weights=Choice(WEIGHTS))

    def __init__(self, *, source: Source | None = None, weights: str = "one") -> None:
        self.source = source
        self.weights = weights

    def _take(self, model: ItemFactors, data: Interactions, ids: tuple[str, ...]) -> None:
        Y = check_array("model", model.vectors, ndim=2, dtype=np.float64)
        lam = check_number("regularization", model.regularization, low=0.0)
        alpha = check_number("alpha", model.alpha, low=0.0, open_low=True)
        if len(Y) != len(ids):
            refuse("foreign_width", got=len(Y), n=len(ids))
        sizes = np.linalg.eigvalsh(Y.T @ Y + lam * np.eye(Y.shape[1]))
        if not sizes[0] > SMALLEST * max(sizes[-1], 1e-300):
            refuse("regularization", got=lam)
        # items that the data lacks were part of the fit, so they are part of YᵀY
        self._keep(Y[places_of(ids, data)], Y.T @ Y + lam * np.eye(Y.shape[1]), alpha)

    def _keep(self, Y: np.ndarray, A: np.ndarray, alpha: float) -> None:
        self.vectors_, self.nobody_, self.alpha_ = np.ascontiguousarray(Y), A, alpha
        self.base_ = np.zeros(len(Y))

    # --- solving ------------------------------------------------------------------------------------------------------

    def _system(self, history: History) -> _System:
        items, which = np.unique(history.item, return_inverse=True)
        c = self.alpha_ * event_weights(self.weights, history)
        return _System(self.vectors_[items], which, c)

    def _equation(self, system: _System, live: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A (d, d) and b (d,) of one masking (n,); always in this order of sums, so that equal maskings give equal
        bits."""
        G = len(system.y)
        c = np.bincount(system.which, np.where(live, system.c, 0.0), G)
        there = np.bincount(system.which, live & (system.c != 0.0), G) > 0
        A = self.nobody_ + (system.y * np.where(there, np.abs(c) - 1.0, 0.0)[:, None]).T @ system.y
        return A, np.maximum(c, 0.0) @ system.y

    def _vector(self, system: _System, live: np.ndarray) -> np.ndarray:
        """x (d,) of one masking."""
        found: np.ndarray = np.linalg.solve(*self._equation(system, live))
        return found

    def _vectors_without_each(self, history: History) -> np.ndarray:
        """x (n, d) with each event masked as well."""
        system = self._system(history)
        found = np.empty((len(history), self.vectors_.shape[1]))
        for position in range(len(history)):
            live = history.live.copy()
            live[position] = False
            found[position] = self._vector(system, live)
        return found

    # --- what explanations ask ----------------------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        if not history.live.any():
            return self.base_.copy()
        scores: np.ndarray = self.vectors_ @ self._vector(self._system(history), history.live)
        return scores

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        system, found = self._system(history), np.zeros((len(live), len(targets)))
        for out, row in zip(found, live, strict=True):
            if row.any():
                out[:] = (self.vectors_ @ self._vector(system, row))[targets]  # all of them: to the served bits
        return found

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        found = [self.scores_of(history) for history in histories]
        return np.array(found).reshape(len(histories), len(self.base_))

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        if not len(history):
            return np.zeros((len(targets), 0))
        x = self._vectors_without_each(history)
        # row by row, so that a target alone gives what it gives among others
        return np.array([x @ y for y in self.vectors_[targets]])

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        if not len(history):
            return []
        system = self._system(history)
        A, _ = self._equation(system, history.live)
        c = np.bincount(system.which, np.where(history.live, system.c, 0.0), len(system.y))
        value = (system.y @ np.linalg.solve(A, self.vectors_[target]))[system.which]
        strength = np.where(c > 0.0, 1.0, 0.0)[system.which] * system.c
        return [HeadCells(HEAD, ("",), history.live.astype(float), strength, value[:, None], 1.0)]

    def _item_vectors(self) -> np.ndarray:
        return self.vectors_

    def _state(self) -> dict[str, np.ndarray]:
        return {"vectors": self.vectors_, "nobody": self.nobody_, "alpha": np.array([self.alpha_])}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        Y = check_array("vectors", state["vectors"], ndim=2, dtype=np.float64)
        A = check_array("nobody", state["nobody"], ndim=2, dtype=np.float64)
        alpha = check_array("alpha", state["alpha"], ndim=1, dtype=np.float64)
        if len(Y) != self.data_.n_items:
            refuse("foreign_width", got=len(Y), n=self.data_.n_items)
        if A.shape != (Y.shape[1],) * 2 or len(alpha) != 1:
            refuse("shape", name="nobody", wanted=(Y.shape[1],) * 2, got=A.shape)
        self._keep(Y, A, check_number("alpha", float(alpha[0]), low=0.0, open_low=True))
