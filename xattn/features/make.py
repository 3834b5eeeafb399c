"""Step 1 of the article for items: the features of an item table, made once and kept with it.

Each column becomes a block (`xattn.features.block`): numbers become soft bins, all else categories, or text where a
column holds no categories but several words a cell; unless another block is named for it. Within a block, the row of an
item has length 1, or 0 where the column says nothing, so blocks weigh alike whatever their width:

    F (M items × d features),  Σ_{f in block} F_jf² ∈ {0, 1}

A content head multiplies F of an event by F of a target, feature by feature.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.data import FeatureSet, ItemTable
from xattn.data.feature_set import Parts, PartsOf, distinct
from xattn.errors import check_named, check_type, check_whole, is_listing
from xattn.features.block import Block, row_lengths
from xattn.features.categories import MARKS, Categories
from xattn.features.numbers import BINS, Numbers
from xattn.features.registry import block_of_name
from xattn.features.text.text import Text
from xattn.features.words import Words

__all__ = ["TITLE", "feature_set", "features_of", "make_features"]

LONE = re.compile("[\ud800-\udfff]")

TITLE = "title"


def feature_set(items: ItemTable) -> FeatureSet:
    """The features that models use: those given with the table, else those of its columns, else words of its titles.

    They are made at the first call and kept with the table.

    >>> table = ItemTable(("a", "b", "c"), ("A", "B", "C"), pd.DataFrame({"genre": ["Drama|War", "War", "Drama"]}))
    >>> feature_set(table).names, feature_set(table) is feature_set(table)
    (('genre: Drama', 'genre: War'), True)
    """
    if items.features is not None:
        return items.features
    found: FeatureSet | None = items.kept.get(("features", ""))
    if found is None:
        found = make_features(items)
        if not len(found):
            found = make_features(items, {TITLE: Words()})
        items.kept["features", ""] = found
    return found


def make_features(
    items: ItemTable,
    blocks: Mapping[str, str | Block | Sequence[str | Block] | None] | None = None,
    *,
    bins: int = BINS,
    text: bool = True,
) -> FeatureSet:
    """The features of the columns of `items`, which hold at most `bins` soft bins of each column of numbers.

    Columns of texts become blocks of keywords; with `text` False they are left out.

    `blocks` names the block of some columns, or is the block, or None for a column that is to be left out; "title"
    stands for the titles. Several blocks of one column are a list: the first is called as the column, the others
    "story (vectors)". To serve a model, the result goes back into the table: ``items.with_features(...)``. Raises
    InputError for a column or a block that is not there.

    >>> table = ItemTable(("a", "b"), ("red hat", "red shoe"), pd.DataFrame({"size": [1.0, 2.0]}))
    >>> make_features(table, {"title": "words", "size": None}).names
    ('title: red',)
    """
    check_type("items", items, ItemTable, "item_table")
    if blocks is not None:
        check_type("blocks", blocks, Mapping, "blocks_by_column")  # type: ignore[type-abstract]
    check_whole("bins", bins, low=2)
    columns = [(str(name), _whole_texts(column)) for name, column in items.frame.items()]
    names, chosen = {name for name, _ in columns}, dict(blocks or {})
    for name in chosen:
        check_named("blocks", name, sorted({*names, TITLE}), "item_column")
    if TITLE in chosen and TITLE not in names:
        columns.append((TITLE, pd.Series(items.titles, dtype=object)))
    sets: list[FeatureSet] = []
    for name, column in columns:
        if name in chosen:
            sets += _chosen(name, column, chosen[name])
            continue
        if _is_number(column):
            able: list[Block] = [Numbers(bins)]
        else:
            texts: list[Block] = [Text()] if text else []
            able = [*texts, Categories()] if _is_prose(column) else [Categories(), *texts]
        made = next((found for block in able if (found := features_of(name, column, block)) is not None), None)
        sets += [made] if made is not None else []
    return FeatureSet.side_by_side(sets) if sets else FeatureSet((), sparse.csr_array((len(items), 0)))


def _chosen(name: str, column: pd.Series[Any], blocks: str | Block | Sequence[str | Block] | None) -> list[FeatureSet]:
    """The features of a column by the blocks that were named for it; what says nothing is left out."""
    given: Any = () if blocks is None else blocks
    named: list[Any] = list(given) if is_listing(given) else [given]
    made = [block_of_name(block) if isinstance(block, str) else block for block in named]
    kinds = [block if isinstance(block, str) else type(block).__name__.lower() for block in named]
    called = distinct([name, *(f"{name} ({kind})" for kind in kinds[1:])])
    found = (features_of(own, column, block) for own, block in zip(called, made, strict=False))
    return [features for features in found if features is not None]


def features_of(name: str, column: pd.Series[Any], block: Block) -> FeatureSet | None:
    """The features of one column by one block, called `name`, rows of length 1; None where it says nothing.

    Where no cell can be used, there are no features, and the cells are named."""
    fitted = block.fit(_whole_texts(column))
    if fitted is None or not (fitted.labels or fitted.skipped):
        return None
    length = row_lengths(fitted.F)
    each = np.repeat(np.where(length > 0, length, 1.0), np.diff(fitted.F.indptr))
    F = sparse.csr_array((fitted.F.data / each, fitted.F.indices, fitted.F.indptr), shape=fitted.F.shape)
    names, blocks = distinct([f"{name}: {label}" for label in fitted.labels]), (name,) * len(fitted.labels)
    parts = {} if fitted.parts is None else {name: _scaled(fitted.parts, length)}
    return FeatureSet(names, F, blocks, parts, tuple(cell._replace(block=name) for cell in fitted.skipped))


def _whole_texts(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column, where "�" stands for halves of surrogate pairs: broken text has no form in UTF-8."""
    if column.dtype != object:
        return column
    return column.map(lambda cell: LONE.sub("\ufffd", cell) if isinstance(cell, str) else cell)


def _scaled(parts: Parts, length: np.ndarray) -> Parts:
    """The parts of rows that were brought from `length` (M,) to 1."""

    def scaled(row: int) -> tuple[tuple[str, ...], np.ndarray | sparse.csr_array]:
        names, own = parts(row)
        return names, own / (length[row] or 1.0)

    return PartsOf.like(parts, scaled)  # shares know no length


def _is_prose(column: pd.Series[Any]) -> bool:
    """Most cells differ, and no mark parts them: if they are several words, they are texts first."""
    filled = column.astype("string").fillna("")
    filled = filled[filled != ""]
    parted = any(filled.str.contains(mark, regex=False).sum() > len(filled) / 20 for mark in MARKS)
    return bool(filled.nunique() > len(filled) / 2 and not parted)


def _is_number(column: pd.Series[Any]) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype))
