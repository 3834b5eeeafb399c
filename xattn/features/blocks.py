"""The features of items as dense arrays, for callers that have not met `feature_set` yet."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.data import ItemTable
from xattn.features.make import feature_set

__all__ = ["FeatureBlocks", "item_features"]


class FeatureBlocks(NamedTuple):
    """Named item features: `names` and `blocks` (d,), `F` (M, d) float64."""

    names: tuple[str, ...]
    blocks: tuple[str, ...]
    F: np.ndarray


def item_features(items: ItemTable) -> FeatureBlocks:
    """`feature_set`, dense."""
    found = feature_set(items)
    return FeatureBlocks(found.names, found.blocks, found.F.toarray())
