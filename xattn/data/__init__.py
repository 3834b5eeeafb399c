"""Data: ids ↔ rows, the frozen event table, readers, splits, bundled sets, synthetic data with planted causes."""

from xattn.data.datasets import DatasetInfo, datasets, load_dataset
from xattn.data.feature_set import FeatureSet
from xattn.data.history import History
from xattn.data.interactions import Interactions
from xattn.data.items import ItemTable
from xattn.data.joined import JoinedHistories
from xattn.data.readers import read_history, read_interactions, read_items
from xattn.data.split import NestedSplit, Split, leave_last_out, leave_last_two_out
from xattn.data.synthetic import Planted, planted

__all__ = [
    "DatasetInfo",
    "FeatureSet",
    "History",
    "Interactions",
    "ItemTable",
    "JoinedHistories",
    "NestedSplit",
    "Planted",
    "Split",
    "datasets",
    "leave_last_out",
    "leave_last_two_out",
    "load_dataset",
    "planted",
    "read_history",
    "read_interactions",
    "read_items",
]
