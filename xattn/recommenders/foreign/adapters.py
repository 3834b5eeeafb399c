"""Models of other libraries as this room asks them; a library is known by what its models hold, none is imported.

item–item matrices           of EASE, item kNN and the like, by themselves or in implicit, RecTools and RecBole
alternating least squares    in implicit and RecTools
networks on sequences        PyTorch modules, RecTools' SASRec, RecBole's sequential models, ONNX files
scikit-learn's manner        `predict(X)`, or `inverse_transform(transform(X))`, for X of users × items
functions                    as they are
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.recommenders.foreign.asking import Foreign, Histories
from xattn.recommenders.foreign.factors import ItemFactors
from xattn.recommenders.foreign.items import ItemMatrix
from xattn.recommenders.foreign.libraries import (
    als_factors,
    by_user,
    is_als,
    is_onnx,
    library_of,
    matrix_of,
    network_of,
    part,
)
from xattn.recommenders.foreign.networks import Network, Reading, is_module, table_of, torch_call
from xattn.recommenders.foreign.source import name_of

__all__ = ["EVENTS_AS", "KINDS", "Reading", "adapted", "kind_of", "takes_sequences"]

KINDS = ("auto", "items", "factors", "arrival", "average")
EVENTS_AS = ("rows", "ids", "table")  # what a function or module is handed


def kind_of(model: Any) -> str:
    """The kind of ledger that a model gets by itself: that of its own terms where it is a sum of them, else of
    arrival. Raises InputError for what is no model, and for one that knows people by a fitted vector alone."""
    if isinstance(model, (ItemMatrix, np.ndarray)) or sparse.issparse(model) or matrix_of(model) is not None:
        return "items"
    if isinstance(model, ItemFactors) or is_als(model):
        return "factors"
    if by_user(model):
        refuse("foreign_users", got=name_of(model))
    if _is_network(model) or _table_function(model) is not None or (callable(model) and not library_of(model)):
        return "arrival"
    refuse("foreign_model", got=name_of(model))


def takes_sequences(model: Any) -> bool:
    """Whether how sequences are padded is for the caller to say: of modules and ONNX files."""
    return (is_module(model) and not library_of(model)) or is_onnx(model)


def adapted(model: Any, kind: str, reading: Reading, base: Any) -> ItemMatrix | ItemFactors | Foreign:
    """The model as the recommender of this kind takes it. Raises InputError where it cannot be."""
    if kind == "items":
        found = matrix_of(model) if matrix_of(model) is not None else model
        return found if isinstance(found, ItemMatrix) else ItemMatrix(found, base)
    if kind == "factors":
        if not isinstance(model, ItemFactors) and not is_als(model):
            refuse("foreign_model", got=name_of(model))
        return model if isinstance(model, ItemFactors) else als_factors(model)
    if isinstance(model, np.ndarray) or sparse.issparse(model) or isinstance(model, (ItemMatrix, ItemFactors)):
        refuse("foreign_model", got=name_of(model))
    scores: Callable[[Histories], Any]
    along = None
    of_table = _table_function(model)
    if _is_network(model):
        network = network_of(model, reading) or Network(torch_call(model), reading)
        scores, along = network.scores, network.along if network.reading.events_as == "rows" else None
    elif of_table is not None:
        scores = _on_tables(of_table, reading)
    elif reading.events_as == "table":
        scores = _on_tables(model, reading)
    elif reading.events_as == "ids":
        scores = _on_ids(model, reading)
    else:
        scores = model
    return Foreign(name_of(model), scores, along, base)


def _is_network(model: Any) -> bool:
    own = library_of(model)
    if own == "recbole":
        return is_module(model) and part(model, "ITEM_SEQ") is not None
    if own == "rectools":
        return part(model, "lightning_model") is not None
    return is_module(model) or is_onnx(model)


def _table_function(model: Any) -> Callable[[Any], Any] | None:
    """What a model in scikit-learn's manner answers for a table of users × items; None for any other model."""
    if isinstance(model, type) or is_module(model) or library_of(model):
        return None
    if hasattr(model, "transform") and hasattr(model, "inverse_transform"):
        return lambda X: model.inverse_transform(model.transform(X))
    return model.predict if callable(getattr(model, "predict", None)) else None


def _on_tables(scores: Callable[[Any], Any], reading: Reading) -> Callable[[Histories], Any]:
    """A function of tables (R, M) of how often each item was met, as a function of histories."""

    def of(histories: Histories) -> Any:
        return scores(table_of(histories, len(reading.ids)))

    return of


def _on_ids(scores: Callable[[list[list[str]]], Any], reading: Reading) -> Callable[[Histories], Any]:
    """A function of lists of ids as a function of histories."""

    def of(histories: Histories) -> Any:
        return scores([[reading.ids[row] for row in one.tolist()] for one in histories])

    return of
