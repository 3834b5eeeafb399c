"""A fitted model in one file: its settings, its tables, its events and its items.

A loaded model answers for known users, and filters by item columns, without the data set. Texts go in as JSON, in
UTF-8. The file around it is `xattn.recommenders.archive`'s: no pickle, written atomically, read with suspicion.

    manifest    class, settings, name and scale of the data
    data.…      users, items, events, item columns, features that were given with the table
    model.…     what `_state` gave
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import FeatureSet, Interactions, ItemTable
from xattn.data.sampled import SampledInteractions
from xattn.data.scale import Scale
from xattn.data.values import plain_texts
from xattn.errors import ModelFileError, check_array, check_fitted, check_path, check_same_length, refuse
from xattn.model.state import rows_of_state, rows_state, text_array, text_of, texts_of
from xattn.recommenders.archive import opened, write_archive
from xattn.recommenders.estimator import check_state
from xattn.recommenders.registry import WRAPPED, model_class, model_names

if TYPE_CHECKING:
    from xattn.recommenders.base import Recommender

__all__ = ["items_of_state", "items_state", "load_model", "save_model"]

NUMBER, TRUTH, TEXT = "number", "truth", "text"  # kinds of item columns


def save_model(model: Recommender, path: str | Path) -> None:
    """Write `model` to `path`; on any failure the file that stood there stays as it was.

    Raises InputError where a table of the model is not finite, a setting has no form in JSON, `path` cannot be
    written, or a model is no tables at all.
    """
    check_fitted(model, "base_")
    if not model.saves:
        refuse("unsaved_model", model=type(model).__name__)
    data = model.data_
    state = model._state()
    check_state(state, model.gaps)
    arrays = {f"model.{name}": array for name, array in state.items()}
    arrays |= {"data.indptr": data.indptr, "data.item": data.item}
    arrays |= {f"data.{name}": getattr(data, name) for name in ("rating", "time") if getattr(data, name) is not None}
    arrays |= {"data.user_ids": text_array(data.user_ids), **items_state(data.items)}
    if isinstance(data, SampledInteractions):
        arrays["data.whole_counts"] = data.whole_counts
    if data.kind is not None:
        arrays["data.kind"] = text_array(data.kind.tolist())
    settings = model.saved_params()
    try:
        text_array(settings)
    except (TypeError, ValueError):
        refuse("unsaved_settings", model=type(model).__name__, got=settings)
    manifest = {
        "class": type(model).__name__,
        "params": settings,
        "data": data.name,
        "scale": None if data.scale is None else data.scale.to_dict(),
    }
    write_archive(path, manifest, arrays)


def items_state(items: ItemTable) -> dict[str, np.ndarray]:
    """An item table as plain arrays, their names with "data." before them."""
    return {
        "data.item_ids": text_array(items.ids),
        "data.titles": text_array(items.titles),
        **_item_columns(items.frame),
        **_item_features(items.features),
    }


def items_of_state(of: Mapping[str, np.ndarray]) -> ItemTable:
    """The table back, from arrays without "data." before their names."""
    given = dict(of)
    ids = texts_of("item_ids", given["item_ids"])
    titles = texts_of("titles", given["titles"], len(ids))
    return ItemTable(ids, titles, _item_frame(given, len(ids)), _given_features(given, len(ids)))


def _item_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of the item table: of each the kind and the name; the numbers (M, n) together, the texts together."""
    columns: list[tuple[str, str]] = []
    numbers, texts = [np.empty((len(frame), 0))], []
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype):
            columns.append((TRUTH if pd.api.types.is_bool_dtype(column.dtype) else NUMBER, str(name)))
            numbers.append(column.to_numpy(np.float64, na_value=np.nan)[:, None])
        else:
            columns.append((TEXT, str(name)))
            texts.append(plain_texts(column))
    return {
        "data.item_columns": text_array(columns),
        "data.item_numbers": np.hstack(numbers),
        "data.item_texts": text_array(texts),
    }


def _item_features(given: FeatureSet | None) -> dict[str, np.ndarray]:
    """Features that were given with the table; nothing for those that are made from it."""
    if given is None:
        return {}
    named = {"data.feature_names": text_array(given.names), "data.feature_blocks": text_array(given.blocks)}
    return named | rows_state("data.features", given.F)


def _given_features(of: dict[str, np.ndarray], n_items: int) -> FeatureSet | None:
    if "feature_names" not in of:
        return None
    names, blocks = (texts_of(name, of[name]) for name in ("feature_names", "feature_blocks"))
    return FeatureSet(names, rows_of_state(of, "features", n_items, len(names)), blocks)


def _item_frame(of: dict[str, np.ndarray], n_items: int) -> pd.DataFrame:
    """The columns back; none from a file of an xattn that did not keep them."""
    columns: dict[str, Any] = {}
    if "item_columns" in of:
        numbers = list(check_array("item_numbers", of["item_numbers"], ndim=2, finite=False).T)
        check_same_length(items=n_items, item_numbers=len(of["item_numbers"]))
        texts = text_of(of["item_texts"])
        if not all(isinstance(text, str) for column in texts for text in column):
            refuse("texts", name="item_texts")
        named: list[tuple[str, str]] = text_of(of["item_columns"])
        n_texts = sum(kind == TEXT for kind, _ in named)
        known = all(kind in (NUMBER, TRUTH, TEXT) and isinstance(name, str) for kind, name in named)
        if not known or (len(named) - n_texts, n_texts) != (len(numbers), len(texts)):
            refuse("item_columns", n=len(numbers), n_texts=len(texts))
        for kind, name in named:
            if name in columns:
                refuse("twice", name="item_columns", what="column_name", got=name)
            values = _series(texts.pop(0)) if kind == TEXT else pd.Series(numbers.pop(0))
            check_same_length(items=n_items, column=len(values))  # pandas would stretch or fill a shorter one
            columns[name] = values.astype("boolean") if kind == TRUTH else values
    frame = pd.DataFrame(dict(enumerate(columns.values())), index=range(n_items))
    frame.columns = pd.Index(_series(list(columns)))
    return frame


def _series(texts: list[str]) -> pd.Series[Any]:
    """Texts as pandas holds them; those with half of a surrogate pair, which have no form in UTF-8, as objects."""
    try:
        return pd.Series(texts, dtype=pd.Series([""]).dtype)
    except UnicodeEncodeError:
        return pd.Series(texts, dtype=object)


def load_model(path: str | Path, models: Mapping[str, type[Recommender]] | None = None) -> Recommender:
    """The model that `Recommender.save` wrote to `path`; it scores exactly as it did.

    `models` are classes by name, for models that are neither of xattn nor registered (`xattn.recommenders.registry`).
    Raises ModelFileError where the file is missing, is no such file, was cut or changed, names a class that is not
    known, or has been made by a newer format.
    """
    with opened(check_path("path", path)) as (manifest, arrays):
        return _model(manifest, arrays, models or {})


def _model(
    manifest: dict[str, Any], arrays: dict[str, np.ndarray], models: Mapping[str, type[Recommender]]
) -> Recommender:
    kind = manifest["class"]
    if kind not in models and kind not in (*model_names(), *WRAPPED):
        refuse("unknown_class", kind=ModelFileError, got=kind)
    made = models[kind] if kind in models else model_class(kind)
    given = {made._renamed.get(name, name): value for name, value in manifest["params"].items()}
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    data = _data(manifest, {name[5:]: array for name, array in arrays.items() if name.startswith("data.")})
    state = {name[6:]: array for name, array in arrays.items() if name.startswith("model.")}
    return made.restored(settings, data, state)


def _data(manifest: dict[str, Any], of: dict[str, np.ndarray]) -> Interactions:
    data = Interactions(
        name=manifest["data"],
        user_ids=texts_of("user_ids", of["user_ids"]),
        items=items_of_state(of),
        indptr=of["indptr"],
        item=of["item"],
        rating=of.get("rating"),
        time=of.get("time"),
        kind=np.array(texts_of("kind", of["kind"]), dtype=object) if "kind" in of else None,
        scale=Scale(**manifest["scale"]) if manifest.get("scale") else None,
    )
    return SampledInteractions.of(data, of["whole_counts"]) if "whole_counts" in of else data
