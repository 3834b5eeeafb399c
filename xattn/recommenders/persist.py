"""A fitted model in one file: an .npz (no pickle) with a JSON manifest, written atomically, read with suspicion.

The manifest holds the format's version, the class, its parameters, and the SHA-256 of every array; text goes in as
UTF-8 bytes. The file carries the events and the item table too, so a loaded model answers for known users, and
filters by item columns, without the data set.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from xattn.data import FeatureSet, Interactions, ItemTable
from xattn.data.scale import Scale
from xattn.data.values import plain_texts
from xattn.errors import ModelFileError, check_array, check_fitted, check_path, check_same_length, refuse, system_reason
from xattn.files import write_file
from xattn.model.state import rows_of_state, rows_state, text_array, text_of
from xattn.recommenders.registry import model_class, model_names

if TYPE_CHECKING:
    from xattn.recommenders.base import Recommender

__all__ = ["load_model", "save_model"]

FORMAT = 2  # 1: names of features as lines, their matrices dense
MOST_BYTES = 8 * 2**30
MOST_ARRAYS = 256
MANIFEST = "manifest"


def save_model(model: Recommender, path: str | Path) -> None:
    """Write `model` to `path`; on any failure the file that stood there stays as it was. Raises InputError."""
    check_fitted(model, "base_")
    data = model.data_
    arrays = {f"model.{name}": array for name, array in model._state().items()}
    arrays |= {"data.indptr": data.indptr, "data.item": data.item}
    arrays |= {f"data.{name}": getattr(data, name) for name in ("rating", "time") if getattr(data, name) is not None}
    arrays |= {
        "data.user_ids": text_array(data.user_ids),
        "data.item_ids": text_array(data.items.ids),
        "data.titles": text_array(data.items.titles),
        **_item_columns(data.items.frame),
        **_item_features(data.items.features),
    }
    if data.kind is not None:
        arrays["data.kind"] = text_array(data.kind.tolist())
    manifest = {
        "format": FORMAT,
        "class": type(model).__name__,
        "params": model.get_params(deep=False),
        "data": data.name,
        "scale": None if data.scale is None else data.scale.to_dict(),
        "arrays": {name: _digest(array) for name, array in arrays.items()},
    }
    try:
        manifest_array = {MANIFEST: text_array(manifest)}
    except (TypeError, ValueError):
        refuse("unsaved_settings", model=type(model).__name__, got=manifest["params"])
    write_file(path, lambda file: np.savez(file, allow_pickle=False, **manifest_array, **arrays))


def _item_columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """The columns of the item table: of each the kind and the name; the numbers (M, n) together, the texts together."""
    columns: list[tuple[str, str]] = []
    numbers, texts = [np.empty((len(frame), 0))], []
    for name, column in frame.items():
        if pd.api.types.is_numeric_dtype(column.dtype):
            columns.append(("truth" if pd.api.types.is_bool_dtype(column.dtype) else "number", str(name)))
            numbers.append(column.to_numpy(np.float64, na_value=np.nan)[:, None])
        else:
            columns.append(("text", str(name)))
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
    names, blocks = (tuple(text_of(of[name])) for name in ("feature_names", "feature_blocks"))
    return FeatureSet(names, rows_of_state(of, "features", n_items, len(names)), blocks)


def _item_frame(of: dict[str, np.ndarray], n_items: int) -> pd.DataFrame:
    """The columns back; none from a file of an xattn that did not keep them."""
    columns: dict[str, Any] = {}
    if "item_columns" in of:
        numbers = list(check_array("item_numbers", of["item_numbers"], ndim=2, finite=False).T)
        texts = text_of(of["item_texts"])
        for kind, name in text_of(of["item_columns"]):
            values = pd.Series([str(text) for text in texts.pop(0)] if kind == "text" else numbers.pop(0))
            check_same_length(items=n_items, column=len(values))  # pandas would stretch or fill a shorter one
            columns[name] = values.astype("boolean") if kind == "truth" else values
    return pd.DataFrame(columns, index=range(n_items))


def _digest(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def load_model(path: str | Path, models: Mapping[str, type[Recommender]] | None = None) -> Recommender:
    """The model that `Recommender.save` wrote to `path`; it scores exactly as it did.

    `models` are classes by name, for models that are neither of xattn nor registered (`xattn.recommenders.registry`).
    Raises ModelFileError where the file is missing, is no such file, was cut or changed, names a class that is not
    known, or has been made by a newer format.
    """
    path = check_path("path", path)
    arrays = _arrays(path)
    try:
        manifest = text_of(arrays.pop(MANIFEST))
        if manifest["format"] > FORMAT:
            refuse("newer_format", kind=ModelFileError, wanted=FORMAT, got=manifest["format"])
        digests = manifest["arrays"]
        if digests.keys() != arrays.keys() or any(_digest(a) != digests[name] for name, a in arrays.items()):
            refuse("other_arrays", kind=ModelFileError, file=path.name)
        return _model(manifest, arrays, models or {})
    except ModelFileError:
        raise
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as problem:
        refuse("broken_model", kind=ModelFileError, file=path.name, got=str(problem))


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """Every array of the file, sizes checked before anything is unpacked."""
    name = path.name
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            odd = [e.filename for e in entries if not re.fullmatch(r"[A-Za-z0-9_.]+\.npy", e.filename)]
            if odd or len(entries) > MOST_ARRAYS or f"{MANIFEST}.npy" not in archive.namelist():
                refuse("other_archive", kind=ModelFileError, file=name)
            if sum(e.file_size for e in entries) > MOST_BYTES:
                refuse("large_model", kind=ModelFileError, file=name, most=MOST_BYTES)
            return {e.filename[:-4]: _array(archive, e) for e in entries}
    except OSError as problem:
        refuse("unreadable_model", kind=ModelFileError, got=name, **system_reason(problem))
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as problem:
        if isinstance(problem, ModelFileError):
            raise
        refuse("no_model", kind=ModelFileError, file=name)


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """One .npy whose header promises no more than the entry holds (else a few bytes could ask for all memory)."""
    with archive.open(entry) as file:
        raw = file.read(entry.file_size + 1)
    stream = io.BytesIO(raw)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if dtype.hasobject or promised != len(raw) - stream.tell():
        refuse("array_cut", kind=ModelFileError, array=entry.filename)
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _model(
    manifest: dict[str, Any], arrays: dict[str, np.ndarray], models: Mapping[str, type[Recommender]]
) -> Recommender:
    kind = manifest["class"]
    if kind not in models and kind not in model_names():
        refuse("unknown_class", kind=ModelFileError, got=kind)
    settings = {name: tuple(v) if isinstance(v, list) else v for name, v in manifest["params"].items()}
    of = {name[5:]: array for name, array in arrays.items() if name.startswith("data.")}
    ids = tuple(text_of(of["item_ids"]))
    data = Interactions(
        name=str(manifest["data"]),
        user_ids=tuple(text_of(of["user_ids"])),
        items=ItemTable(ids, tuple(text_of(of["titles"])), _item_frame(of, len(ids)), _given_features(of, len(ids))),
        indptr=of["indptr"],
        item=of["item"],
        rating=of.get("rating"),
        time=of.get("time"),
        kind=np.array(text_of(of["kind"]), dtype=object) if "kind" in of else None,
        scale=Scale(**manifest["scale"]) if manifest.get("scale") else None,
    )
    state = {name[6:]: array for name, array in arrays.items() if name.startswith("model.")}
    return (models[kind] if kind in models else model_class(kind)).restored(settings, data, state)
