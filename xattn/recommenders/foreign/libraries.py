"""Models of implicit, RecTools, RecBole and ONNX: where each keeps what it scores by. None of them is imported.

implicit   item models      `similarity` (items × items), row i what an event with item i says
           ALS              `item_factors`, `regularization`, `alpha`
RecTools   EASE             `weight`, whose column i is what an event with item i says
           ALS, item kNN    `model`, one of implicit's
           SASRec           `lightning_model.torch_model`, `data_preparator` (the ids of its items; 0 is no item)
RecBole    EASE, ItemKNN    `item_similarity`, `w`; row and column 0 are no item
           sequences        `full_sort_predict` of a batch of item numbers, no item after them, and their lengths
ONNX       any file         one input, item numbers (R, L) or counts (R, M); one output
"""

from __future__ import annotations

from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from xattn.errors import refuse
from xattn.recommenders.foreign.factors import ItemFactors
from xattn.recommenders.foreign.networks import Call, Network, Reading, torch_call
from xattn.recommenders.foreign.source import name_of, said

__all__ = ["als_factors", "by_user", "is_als", "is_onnx", "known_ids", "library_of", "matrix_of", "network_of", "part"]

BY_USER = {  # a fitted vector for each user
    "BayesianPersonalizedRanking",
    "ImplicitBPRWrapperModel",
    "LightFM",
    "LightFMWrapperModel",
    "LogisticMatrixFactorization",
    "PureSVDModel",
}


def part(model: Any, name: str) -> Any:
    """An attribute of a model; None of a class, and where there is none."""
    return None if isinstance(model, type) else getattr(model, name, None)


def library_of(model: Any) -> str:
    """The library whose class this is, or is derived from: "rectools", "recbole", or ""."""
    roots = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    return next((name for name in ("rectools", "recbole") if name in roots), "")


def by_user(model: Any) -> bool:
    """Whether a model knows people by a fitted vector alone."""
    held = part(model, "user_factors") is not None or (
        library_of(model) == "recbole" and part(model, "user_embedding") is not None
    )
    return type(model).__name__ in BY_USER or held


# --- tables -----------------------------------------------------------------------------------------------------------


def matrix_of(model: Any) -> Any:
    """(M, M) what an event with each item says, where a model is such a matrix; None where it is not."""
    if library_of(model) == "rectools":
        weight = part(model, "weight")
        return weight.T if isinstance(weight, np.ndarray) else matrix_of(part(model, "model"))
    if library_of(model) == "recbole":
        found = part(model, "item_similarity") if part(model, "w") is None else part(model, "w")
        items = part(model, "method") in (None, "item") and (isinstance(found, np.ndarray) or sparse.issparse(found))
        return (sparse.csr_array(found) if sparse.issparse(found) else np.asarray(found))[1:, 1:] if items else None
    found = part(model, "similarity")
    return found if sparse.issparse(found) else None


def is_als(model: Any) -> bool:
    """Whether this is implicit's alternating least squares, or RecTools' cover of it."""
    held = part(model, "model") if library_of(model) == "rectools" else model
    named = any(kind.__name__ == "AlternatingLeastSquares" for kind in type(held).__mro__)
    return named and part(held, "item_factors") is not None


def als_factors(model: Any) -> ItemFactors:
    """The fitted item vectors, from wherever they are computed."""
    held = model.model if library_of(model) == "rectools" else model
    vectors = held.item_factors
    host = vectors.to_numpy() if hasattr(vectors, "to_numpy") else vectors
    return ItemFactors(host, float(held.regularization), float(held.alpha))


def known_ids(model: Any) -> tuple[Any, ...] | None:
    """The ids of its items in its own order, from a model that holds them."""
    of = part(part(model, "data_preparator"), "get_known_item_ids")
    return tuple(of().tolist()) if library_of(model) == "rectools" and callable(of) else None


# --- networks ---------------------------------------------------------------------------------------------------------


def network_of(model: Any, reading: Reading) -> Network | None:
    """A model of RecTools or RecBole that reads sequences, or an ONNX file; None for any other model."""
    if is_onnx(model):
        return _onnx(model, reading)
    if library_of(model) == "rectools" and part(model, "lightning_model") is not None:
        return _rectools(model, reading)
    if library_of(model) == "recbole" and part(model, "ITEM_SEQ") is not None:
        return _recbole(model, reading)
    return None


def _rectools(model: Any, reading: Reading) -> Network:
    prepared, network = model.data_preparator, model.lightning_model.torch_model
    if prepared.n_item_extra_tokens != 1 or prepared.add_unix_ts or not network.use_causal_attn:
        refuse("foreign_model", got=name_of(model))

    def run(items: Any, every: bool) -> Any:
        vectors = network.item_model.get_all_embeddings()
        sessions = network.encode_sessions({"x": items}, vectors)
        return network.similarity_module(sessions if every else sessions[:, -1, :], vectors)

    return Network(torch_call(network, run), Reading(reading.ids, length=int(prepared.session_max_len)))


def _recbole(model: Any, reading: Reading) -> Network:
    def run(items: Any, every: bool) -> Any:
        return model.full_sort_predict({model.ITEM_SEQ: items, model.ITEM_SEQ_LEN: (items > 0).sum(1)})

    return Network(torch_call(model, run), Reading(reading.ids, length=int(model.max_seq_length)), pads_after=True)


# --- ONNX -------------------------------------------------------------------------------------------------------------


def is_onnx(model: Any) -> bool:
    """Whether this is a session of ONNX Runtime, or the name of an ONNX file."""
    if isinstance(model, (str, PathLike)):
        return isinstance(fspath(model), str) and str(fspath(model)).endswith(".onnx")
    return type(model).__name__ == "InferenceSession" and "onnxruntime" in type(model).__module__


def _onnx(model: Any, reading: Reading) -> Network:
    session = model if not isinstance(model, (str, PathLike)) else _session(Path(model))
    given = session.get_inputs()
    if len(given) != 1 or len(given[0].shape) != 2:
        shapes = ", ".join(f"{one.name} {tuple(one.shape)}" for one in given)
        refuse("foreign_onnx", got=shapes)
    rows, length = given[0].shape
    whole = "int" in given[0].type
    kind = {"tensor(int32)": np.int32, "tensor(double)": np.float64}.get(
        given[0].type, np.int64 if whole else np.float32
    )
    seen = reading._replace(
        events_as="rows" if whole else "table",
        length=length if whole and isinstance(length, int) and reading.length is None else reading.length,
    )
    return Network(_onnx_call(session, given[0].name, kind, rows if isinstance(rows, int) else None), seen)


def _onnx_call(session: Any, name: str, kind: Any, fixed: int | None) -> Call:
    def call(batch: np.ndarray, every: bool) -> Any:
        if fixed is None:
            return session.run(None, {name: batch.astype(kind)})[0]
        found = []  # files of a fixed number of rows: the last rows are filled up with the first one
        for low in range(0, len(batch), fixed):
            block = batch[low : low + fixed]
            filled = np.concatenate([block, np.repeat(block[:1], fixed - len(block), axis=0)])
            found.append(session.run(None, {name: filled.astype(kind)})[0][: len(block)])
        return np.concatenate(found)

    return call


def _session(path: Path) -> Any:
    """A session on the file. Raises InputError where ONNX Runtime is not there or does not read it."""
    if find_spec("onnxruntime") is None:
        refuse("extra_missing", what="onnx_files", install=("pip install xattn[onnx]",))
    try:
        from onnxruntime import InferenceSession

        return InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as problem:
        refuse("foreign_onnx_file", because=problem, got=said(problem))
