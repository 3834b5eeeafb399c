"""EASE as a baseline with a ledger: one head whose weights are 1, or decay with the age of the event (β = 0).

    s(u, j) = Σ_i E_i B[x_i, j],      E_i = 1  (EASE)   or   E_i = exp(−g_i/τ)  (RecencyEASE)

B are the values of `xattn.model.fit.ease`; the base is 0. An item that comes twice in a history counts twice, as two
events.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from xattn.data import Interactions
from xattn.errors import check_array
from xattn.errors.constraints import DTYPE, POSITIVE, Range, constraints
from xattn.model.fit.closed_form import warm_items
from xattn.model.fit.ease import ease_values
from xattn.model.fit.local_form import local_values
from xattn.model.heads.collaborative import CollaborativePart
from xattn.model.memory import Memory
from xattn.model.value_table import ClosedForm, Form, form_of, rows_of
from xattn.progress import Progress
from xattn.recommenders.additive import Additive
from xattn.recommenders.behaviour import MOST_PENALTY, NEIGHBORS_CONSTRAINT, neighbors
from xattn.recommenders.estimator import space

__all__ = ["EASE", "RecencyEASE"]

PENALTIES = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]  # that a search tries


class EASE(Additive):
    """Values in closed form from which items the same people took (Steck, WWW 2019); the order plays no part.

    Parameters:

        regularization  > 0, the λ of the ridge
        n_neighbors     a whole number ≥ 1, or None: how many items at most have a value for each target (None: all, up
                        to 12,000 items; 200 where there are more)
        dtype           "float32" or "float64", the type of the values

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> why = EASE(regularization=10.0).fit(data).explain(user=data.user_ids[0], item=data.items.ids[3])
    >>> why.base, bool((why.cells["weight"] == 1).all())
    (0.0, True)
    """

    grows = True
    quick = False
    search_space = space(regularization=PENALTIES)
    _constraints = constraints(
        regularization=Range(0.0, MOST_PENALTY, open_low=True),
        n_neighbors=NEIGHBORS_CONSTRAINT,
        dtype=DTYPE,
    )

    def __init__(
        self, *, regularization: float = 300.0, n_neighbors: int | None = None, dtype: str = "float32"
    ) -> None:
        self.regularization = regularization
        self.n_neighbors = n_neighbors
        self.dtype = dtype

    def _fit(self, data: Interactions, progress: Progress) -> None:
        M = data.n_items
        self.base_ = np.zeros(M)
        progress("solve", 0.0)
        warm = warm_items(data.counts(), 1)
        X = sparse.csr_array((np.ones(data.n_events), (data.user, data.item)), shape=(data.n_users, M))
        X.sum_duplicates()
        X.data[:] = 1.0
        X = X[:, warm]
        lam, dtype = float(self.regularization), np.dtype(self.dtype).type
        K = neighbors(self.n_neighbors, len(warm))
        if K is None:
            self._keep(ClosedForm(warm, rows_of(warm, M), ease_values(X, lam, dtype)[None]))
        else:
            F, penalty = np.zeros((len(warm), 0)), np.full(len(warm), lam)
            self._keep(local_values(X, X, F, penalty, lam, K, warm, M, dtype, progress))
        progress("solve", 1.0)

    def _keep(self, form: Form) -> None:
        gate = np.where(form.row_of_item >= 0, 1.0, 0.0)
        self.parts_ = (CollaborativePart(form, (Memory(self._memory),), 0.0, 0.0, gate),)

    @property
    def _memory(self) -> float:
        return np.inf

    def _restore(self, state: dict[str, np.ndarray]) -> None:
        super()._restore({"base": np.zeros(self.data_.n_items), **state})  # older files have no base

    def _restore_parts(self, state: dict[str, np.ndarray]) -> None:
        if "values" in state:  # as it was called before
            state = {**state, "V": check_array("values", state["values"], ndim=2)[None]}
        self._keep(form_of(state, self.data_.n_items, 1))


class RecencyEASE(EASE):
    """EASE whose histories fade: an event that is `recency` events old counts 1/e of the newest one.

    The values are those of EASE; only what is asked of them changes. Parameters:

        regularization  > 0, the λ of the ridge
        recency         > 0, in events: the age at which an event counts 1/e
        n_neighbors     a whole number ≥ 1, or None: how many items at most have a value for each target (None: all, up
                        to 12,000 items; 200 where there are more)
        dtype           "float32" or "float64", the type of the values

    >>> from xattn.data.synthetic import planted
    >>> data = planted("copurchase", seed=0).data
    >>> model = RecencyEASE(regularization=10.0, recency=2.0).fit(data)
    >>> model.explain(history=data.items.ids[:3], item=data.items.ids[5]).cells["weight"].round(3).tolist()
    [0.368, 0.607, 1.0]
    """

    search_space = space(regularization=PENALTIES, recency=[1.0, 2.0, 3.0, 5.0, 8.0, 12.0, 20.0, 40.0, 80.0])
    _constraints = constraints(recency=POSITIVE)

    def __init__(
        self,
        *,
        regularization: float = 1000.0,
        recency: float = 3.0,
        n_neighbors: int | None = None,
        dtype: str = "float32",
    ) -> None:
        super().__init__(regularization=regularization, n_neighbors=n_neighbors, dtype=dtype)
        self.recency = recency

    @property
    def _memory(self) -> float:
        return float(self.recency)
