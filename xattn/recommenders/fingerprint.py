"""A fitted model's fingerprint: one digest of its class, settings, data and learned arrays."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from xattn.recommenders.base import Recommender

__all__ = ["fingerprint_of"]


def fingerprint_of(model: Recommender) -> str:
    """SHA-256 in hexadecimal; takes some tenths of a second for a hundred megabytes of values."""
    data = model.data_
    digest = hashlib.sha256()
    _add(digest, [type(model).__name__, model.get_params(deep=False), data.user_ids, data.items.ids, data.items.titles])
    arrays = {"indptr": data.indptr, "item": data.item, "rating": data.rating, "time": data.time, **model._state()}
    for name, array in sorted(arrays.items()):
        if array is not None:
            _add(digest, [name, str(array.dtype), array.shape])
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _add(digest: Any, value: Any) -> None:
    digest.update(json.dumps(value, sort_keys=True, default=str).encode())
