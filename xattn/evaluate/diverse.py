"""The order that `recommend(diversity=…)` serves, as scores that a protocol can rank by: what does variety cost?

The list comes first, in its own order; all other items follow by score, equal ones still equal:

    item                 a    b    c    d    e
    score               .9   .8   .7   .7   .1
    list of two: a, d    6    2    1    5    0        only the order of these numbers means anything
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from xattn.data import ItemTable
from xattn.recommenders.rerank import check_features, diverse_list

__all__ = ["Ordered", "reordering"]


Ordered = Callable[[np.ndarray, np.ndarray], np.ndarray]  # of scores (M,) and of what may be listed (M,)


def reordering(items: ItemTable, k: int, diversity: float) -> Ordered | None:
    """A function of scores (M,) and of what may be listed (M,) bool: scores (M,) in the served order.

    None with `diversity` 0: the order is that of the scores.

    Raises InputError where the items have no features.

    >>> import pandas as pd
    >>> items = ItemTable(tuple("abc"), tuple("ABC"), pd.DataFrame({"kind": ["x", "x", ""]}))
    >>> ordered = reordering(items, 2, 0.9)
    >>> ordered(np.array([3.0, 2.0, 1.0]), np.ones(3, bool)).argsort()[::-1].tolist()
    [0, 2, 1]
    """
    if diversity == 0.0:
        return None
    F = check_features("diversity", diversity, items)

    def ordered(scores: np.ndarray, allowed: np.ndarray) -> np.ndarray:
        listed = diverse_list(scores, allowed, k, diversity, F)
        values, place = np.unique(scores, return_inverse=True)
        out = np.where(np.isnan(scores), np.nan, place)
        out[listed] = len(values) + np.arange(len(listed), 0, -1)
        return out

    return ordered
