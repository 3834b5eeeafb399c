"""Models of other libraries as this room asks them; a library is known by what its models hold, none is imported.

implicit's item models       `similarity`, an item–item matrix
implicit's ALS               `item_factors`, `regularization`, `alpha`
PyTorch modules              a batch of item numbers → scores, of the last position where all are given
scikit-learn's manner        `predict(X)`, or `inverse_transform(transform(X))`, for X of users × items
functions                    as they are
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.recommenders.foreign.asking import Foreign, Histories
from xattn.recommenders.foreign.factors import ItemFactors
from xattn.recommenders.foreign.items import ItemMatrix
from xattn.recommenders.foreign.source import name_of

__all__ = ["EVENTS_AS", "KINDS", "Reading", "adapted", "is_module", "kind_of"]

KINDS = ("auto", "items", "factors", "arrival", "average")
EVENTS_AS = ("rows", "ids", "table")  # what a function or module is handed
BY_USER = {"BayesianPersonalizedRanking", "LogisticMatrixFactorization", "LightFM"}  # a fitted vector for each user


class Reading(NamedTuple):
    """How a model reads histories: what it is handed (`events_as`), the `ids` of its items in its own order, and for
    modules the number `pad` of no item and the `length` that all sequences are brought to (None: as they are)."""

    ids: tuple[str, ...]
    events_as: str = "rows"
    pad: int = 0
    length: int | None = None


def kind_of(model: Any) -> str:
    """The kind of ledger that a model gets by itself: that of its own terms where it is a sum of them, else of
    arrival. Raises InputError for what is no model, and for one that knows people by a fitted vector alone."""
    if isinstance(model, (ItemMatrix, np.ndarray)) or sparse.issparse(model) or _similarity(model) is not None:
        return "items"
    if isinstance(model, ItemFactors) or _is_als(model):
        return "factors"
    if type(model).__name__ in BY_USER or _part(model, "user_factors") is not None:
        refuse("foreign_users", got=name_of(model))
    if is_module(model) or _table_function(model) is not None or callable(model):
        return "arrival"
    refuse("foreign_model", got=name_of(model))


def adapted(model: Any, kind: str, reading: Reading, base: Any) -> ItemMatrix | ItemFactors | Foreign:
    """The model as the recommender of this kind takes it. Raises InputError where it cannot be."""
    if kind == "items":
        found = _similarity(model) if _similarity(model) is not None else model
        return found if isinstance(found, ItemMatrix) else ItemMatrix(found, base)
    if kind == "factors":
        return model if isinstance(model, ItemFactors) else _als(model)
    scores: Callable[[Histories], Any]
    along = None
    of_table = _table_function(model)
    if isinstance(model, np.ndarray) or sparse.issparse(model) or isinstance(model, (ItemMatrix, ItemFactors)):
        refuse("foreign_model", got=name_of(model))
    if is_module(model):
        module = _Module(model, reading)
        scores, along = module.scores, module.along if reading.events_as == "rows" else None
    elif of_table is not None:
        scores = _on_tables(of_table, reading)
    elif reading.events_as == "table":
        scores = _on_tables(model, reading)
    elif reading.events_as == "ids":
        scores = _on_ids(model, reading)
    else:
        scores = model
    return Foreign(name_of(model), scores, along, base)


# --- implicit ---------------------------------------------------------------------------------------------------------


def _part(model: Any, name: str) -> Any:
    """An attribute of a model; None of a class, and where there is none."""
    return None if isinstance(model, type) else getattr(model, name, None)


def _similarity(model: Any) -> Any:
    """The item–item matrix of one of implicit's item models."""
    found = _part(model, "similarity")
    return found if sparse.issparse(found) else None


def _is_als(model: Any) -> bool:
    named = any(kind.__name__ == "AlternatingLeastSquares" for kind in type(model).__mro__)
    return named and _part(model, "item_factors") is not None


def _als(model: Any) -> ItemFactors:
    """The fitted item vectors, from wherever they are computed."""
    if not _is_als(model):
        refuse("foreign_model", got=name_of(model))
    vectors = model.item_factors
    host = vectors.to_numpy() if hasattr(vectors, "to_numpy") else vectors
    return ItemFactors(host, float(model.regularization), float(model.alpha))


# --- tables of users × items ------------------------------------------------------------------------------------------


def _table_function(model: Any) -> Callable[[Any], Any] | None:
    """What a model in scikit-learn's manner answers for a table of users × items; None for any other model."""
    if isinstance(model, type) or is_module(model):
        return None
    if hasattr(model, "transform") and hasattr(model, "inverse_transform"):
        return lambda X: model.inverse_transform(model.transform(X))
    return model.predict if callable(getattr(model, "predict", None)) else None


def _on_tables(scores: Callable[[Any], Any], reading: Reading) -> Callable[[Histories], Any]:
    """A function of tables (R, M) of how often each item was met, as a function of histories."""

    def of(histories: Histories) -> Any:
        return scores(_table(histories, len(reading.ids)))

    return of


def _table(histories: Histories, n_items: int) -> sparse.csr_matrix:
    rows = np.repeat(np.arange(len(histories)), [len(one) for one in histories])
    items = np.concatenate([*histories, np.zeros(0, np.int64)]).astype(np.int64)
    X = sparse.csr_matrix((np.ones(len(items)), (rows, items)), shape=(len(histories), n_items))
    X.sum_duplicates()
    return X


def _on_ids(scores: Callable[[list[list[str]]], Any], reading: Reading) -> Callable[[Histories], Any]:
    """A function of lists of ids as a function of histories."""

    def of(histories: Histories) -> Any:
        return scores([[reading.ids[row] for row in one.tolist()] for one in histories])

    return of


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def is_module(model: Any) -> bool:
    """Whether this is a module of PyTorch."""
    torch = sys.modules.get("torch")  # whoever holds a module has imported it
    return torch is not None and isinstance(model, torch.nn.Module)


class _Module:
    """A module on sequences (R, L) of item numbers or on tables (R, M) of counts.

    Items are numbered from 1 where 0 pads, else from 0. With a `length`, the newest events are kept and no item stands
    before them; without one, histories of equal length go together, and none is padded. An answer (R, L, columns) is
    that of the last position. Columns that are no item, as that of the padding, are left out.
    """

    def __init__(self, module: Any, reading: Reading) -> None:
        self.module = module
        self.reading = reading
        self.first = 1 if reading.pad == 0 else 0

    def scores(self, histories: Histories) -> np.ndarray:
        n_items = len(self.reading.ids)
        if self.reading.events_as == "table":
            return self._called(_table(histories, n_items).toarray().astype(np.float32))
        found = np.empty((len(histories), n_items))
        size = np.array([len(one) if self.reading.length is None else self.reading.length for one in histories])
        for length in np.unique(size).tolist():
            at = np.flatnonzero(size == length)
            answer = self._called(np.array([self._padded(histories[r], length) for r in at.tolist()]))
            if answer.shape != (len(at), n_items):
                refuse("foreign_table", rows=len(at), n=n_items, found="foreign_shape", got=answer.shape)
            found[at] = answer
        return found

    def along(self, items: np.ndarray) -> np.ndarray:
        """The scores after each event, from a module that gives them at all positions."""
        length = len(items) if self.reading.length is None else self.reading.length
        found = self._called(self._padded(items, length)[None, :], all_positions=True)
        if found.ndim != 3 or len(items) > length:
            refuse("foreign_table", rows=len(items), n=len(self.reading.ids), found="foreign_shape", got=found.shape)
        return found[0, length - len(items) :]

    def _padded(self, items: np.ndarray, length: int) -> np.ndarray:
        row = np.full(length, self.reading.pad, np.int64)
        kept = items[len(items) - min(len(items), length) :]
        row[length - len(kept) :] = kept + self.first
        return row

    def _called(self, batch: np.ndarray, all_positions: bool = False) -> np.ndarray:
        """(R, M) what the module answers, of the last position; or (R, L, M) of all."""
        torch = sys.modules["torch"]
        training = [part for part in self.module.modules() if part.training]
        device = next((table.device for table in self.module.parameters()), "cpu")
        self.module.train(False)
        try:
            with torch.inference_mode():
                answer = self.module(torch.from_numpy(batch).to(device))
        finally:
            for part in training:
                part.training = True
        answer = getattr(answer, "logits", answer)
        if not isinstance(answer, torch.Tensor):
            refuse("foreign_table", rows=len(batch), n=len(self.reading.ids), found="foreign_kind", got=name_of(answer))
        if answer.ndim == 3 and not all_positions:
            answer = answer[:, -1]
        found: np.ndarray = answer.to("cpu", torch.float64).numpy()
        return self._items(found)

    def _items(self, found: np.ndarray) -> np.ndarray:
        """(…, M) the columns of the items; what has another width is handed on, and refused where all answers are."""
        n_items = len(self.reading.ids)
        if found.shape[-1] > n_items and found.shape[-1] >= n_items + self.first and self.reading.events_as != "table":
            return found[..., self.first : self.first + n_items]
        return found
