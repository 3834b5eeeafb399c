"""Item–item matrices: the score is a sum over the events of a history, and its terms are the ledger.

    s(u, j) = b_j + Σ_i w_i B[x_i, j]          B (M, M): what an event with item x_i says for item j

EASE, SLIM and item kNN are of this form, whoever fitted them, as X B for a table X of users × items. The terms are the
model's own, and what is left without some events is the sum of the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from xattn.data import History, Interactions
from xattn.errors import check_array, refuse
from xattn.errors.constraints import Choice, constraints
from xattn.model.heads.field import Factors, HeadField
from xattn.model.state import rows_of_state, rows_state
from xattn.recommenders.foreign.source import Source, places_of
from xattn.recommenders.foreign.wrapped import WEIGHTS, Wrapped, event_weights

__all__ = ["ItemMatrix", "WrappedItems"]

HEAD = "item to item"


class ItemMatrix:
    """`B` (items × items), dense or sparse, row i what an event with item i says; `base` (items,) or None for 0."""

    def __init__(self, B: Any, base: Any = None) -> None:
        if sparse.issparse(B):
            self.B: np.ndarray | sparse.csr_array = sparse.csr_array(B).astype(np.float64)
            self.B.sum_duplicates()
            check_array("model", self.B.data, ndim=1)
        else:
            self.B = check_array("model", B, ndim=2)
        self.base = None if base is None else check_array("base", base, ndim=1, dtype=np.float64)
        if self.B.shape[0] != self.B.shape[1]:
            refuse("foreign_square", got=tuple(map(int, self.B.shape)))


class WrappedItems(Wrapped):
    """A matrix of what each item says for each other one, as EASE, SLIM and item kNN have, with its own terms.

    It comes from `xattn.wrap`. Parameters: `source`, the matrix or how it is fitted; `weights`, what an event counts:
    "one", or its "rating" where it has one, for models that are asked with a table of ratings. An item that was met
    twice counts twice.

    >>> import xattn
    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> B = xattn.EASE(regularization=10.0).fit(data).parts_[0].form.V[0]
    >>> why = xattn.wrap(B, data).explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> why.amounts, bool(abs(why.base + why.cells["contribution"].sum() - why.score) < 1e-9)
    ('sum', True)
    """

    amounts = "sum"
    _constraints = constraints(weights=Choice(WEIGHTS))

    def __init__(self, *, source: Source | None = None, weights: str = "one") -> None:
        self.source = source
        self.weights = weights

    def _take(self, model: ItemMatrix, data: Interactions, ids: tuple[str, ...]) -> None:
        M, width = data.n_items, model.B.shape[0]
        if width != len(ids):
            refuse("foreign_width", got=width, n=len(ids))
        place = places_of(ids, data)
        whole = np.array_equal(place, np.arange(width))
        self.matrix_ = model.B if whole else model.B[place][:, place]
        self.base_ = np.zeros(M) if model.base is None else model.base
        if len(self.base_) != M:
            refuse("foreign_base", got=len(self.base_), n=M)

    def _said(self, items: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """(J, n) what each of the items (n,) says for each target."""
        rows = self.matrix_[items]
        dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
        return np.ascontiguousarray(dense[:, targets].T, np.float64)

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField]:
        w = event_weights(self.weights, history)
        value = self._said(history.item, targets)

        def factors(j: int) -> Factors:
            return Factors(w, value[j][:, None], 1.0)

        return [HeadField(HEAD, np.ones((1, len(history))), value * w, 0.0, 0.0, factors)]

    def _state(self) -> dict[str, np.ndarray]:
        B = self.matrix_
        held = {"matrix": B} if isinstance(B, np.ndarray) else rows_state("matrix", B)
        return {"base": self.base_, **held}

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        M = self.data_.n_items
        self.base_ = check_array("base", state["base"], ndim=1)
        if "matrix" in state:
            self.matrix_ = check_array("matrix", state["matrix"], ndim=2)
            if self.matrix_.shape != (M, M):
                refuse("foreign_width", got=self.matrix_.shape[0], n=M)
        else:
            self.matrix_ = rows_of_state(state, "matrix", M, M)
