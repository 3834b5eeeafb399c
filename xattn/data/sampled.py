"""A sample of the users of a larger data set, which still knows how often each item came in the whole of it.

A model that was fitted over partitions of a large set keeps such a sample in its file in place of everybody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from xattn.data.checksum import checksum_of
from xattn.data.interactions import Interactions
from xattn.errors import check_array, check_same_length

__all__ = ["SampledInteractions"]


@dataclass(frozen=True, eq=False)
class SampledInteractions(Interactions):
    """Some users of a larger set: `whole_counts` (M,) are the events per item in all of it.

    A selection of these events is an ordinary data set, which counts its own. Raises InputError as `Interactions` does.

    >>> import pandas as pd
    >>> some = Interactions.from_frame(pd.DataFrame({"user": ["u", "u"], "item": ["a", "b"]}))
    >>> SampledInteractions.of(some, np.array([70, 30])).counts().tolist()
    [70, 30]
    """

    whole_counts: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = check_array("whole_counts", self.whole_counts, ndim=1).astype(np.int64)
        check_same_length(items=self.n_items, whole_counts=len(counts))
        self._keep("whole_counts", counts)

    @classmethod
    def of(cls, data: Interactions, whole_counts: np.ndarray) -> SampledInteractions:
        """The events of `data`, as a sample of a set in which items came `whole_counts` (M,) times."""
        vectors: dict[str, Any] = data._vectors()
        return cls(data.name, data.user_ids, data.items, data.indptr, **vectors, scale=data.scale,
                   whole_counts=whole_counts)  # fmt: skip

    def counts(self) -> np.ndarray:
        """Events per item (M,) int64, in the whole set."""
        return self.whole_counts

    @cached_property
    def checksum(self) -> str:
        """That of the sample and of the counts."""
        plain = Interactions(self.name, self.user_ids, self.items, self.indptr, **self._vectors(), scale=self.scale)
        return checksum_of(plain.checksum, self.whole_counts)
