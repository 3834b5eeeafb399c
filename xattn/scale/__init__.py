"""Larger than one machine: users in partitions on disk, sums that add up in a fixed tree, one model.

The same bits come out at any number of workers, in any order of arrival, after kills and after resuming
(docs/scale.md).
"""

from xattn.scale.batch import Batch, evaluate_partitions, recommend_partitions
from xattn.scale.fit import Fitted, fit_partitions
from xattn.scale.partition import partition
from xattn.scale.store import Partitions

__all__ = [
    "Batch",
    "Fitted",
    "Partitions",
    "evaluate_partitions",
    "fit_partitions",
    "partition",
    "recommend_partitions",
]
