"""Is a column of the events the title of their items? Only if an item nearly always has the same, and items differ.

A headline of a review changes from row to row; the name of a customer goes with the user.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import text_of

__all__ = ["Titles", "titles_of"]

SAME = 0.75  # share of an item's rows that must have its most common title, over all items that stand twice


class Titles(NamedTuple):
    """Item code → title, of items that have one; `why` the column is none ("" where it is), and how many items vary."""

    of_item: dict[int, str]
    why: str = ""
    varying: int = 0
    varying_rows: np.ndarray = np.empty(0, np.int64)


def titles_of(column: pa.Array, item: np.ndarray, user: np.ndarray, named: bool, trusted: bool = False) -> Titles:
    """Titles by item; `named` says that the header speaks of items (product_name), not just of a title.

    Where no item stands twice, nothing can be seen; the header is then believed if `trusted`.
    """
    coded = text_of(column).dictionary_encode()
    texts = coded.dictionary.to_pylist()
    code = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    there = np.flatnonzero(np.array([bool(text) for text in texts], bool)[code]) if texts else np.empty(0, np.int64)
    if not there.size:
        return Titles({})
    items, titles, users = item[there], code[there], user[there]
    pairs, often = np.unique(np.stack([items, titles]), axis=1, return_counts=True)
    order = np.lexsort((-often, pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)
    common = order[first[1]]  # of each item, its most common title (the one met first, by code, among equals)
    rows_of = np.bincount(items)
    twice = rows_of[pairs[0][common]] >= 2
    agreeing = often[common][twice].sum()
    all_twice = rows_of[pairs[0][common]][twice].sum()
    different = len(np.unique(titles)) > 1 or len(common) == 1
    if not named:
        share = agreeing / all_twice if all_twice else 0.0
        by_user = _share_of_common(users, titles)
        if not all_twice and not trusted:
            return Titles({}, "unknown")
        if all_twice and (share < SAME or not different):
            return Titles({}, "person" if by_user > 0.95 and _stand_twice(users) else "varies")
    chosen = {int(pairs[0][at]): texts[int(pairs[1][at])] for at in common.tolist()}
    several = np.bincount(pairs[0], minlength=int(items.max()) + 1) > 1
    usual = np.full(int(items.max()) + 1, -1)
    usual[pairs[0][common]] = pairs[1][common]
    rows = there[titles != usual[items]]
    return Titles(chosen, "", int(several.sum()), rows)


def _stand_twice(users: np.ndarray) -> bool:
    return bool((np.bincount(users) >= 2).any())


def _share_of_common(owner: np.ndarray, value: np.ndarray) -> float:
    """Share of rows that have the most common value of their owner."""
    pairs, often = np.unique(np.stack([owner, value]), axis=1, return_counts=True)
    most = np.zeros(int(owner.max()) + 1)
    np.maximum.at(most, pairs[0], often)
    return float(most.sum() / len(owner))
