"""Step 1 of the article for items: any table of item columns as named features in blocks.

A *block* is what one column turned into: its categories (multi-hot), its numbers (soft bins), or its words (TF-IDF).
Each item's row within a block has length 1 (or 0 where the column says nothing), so blocks weigh alike whatever their
width:

    F (M items × d features),  Σ_{f in block} F_jf² ∈ {0, 1}

A content head multiplies F of an event by F of a target, feature by feature; that is why every column here has a name.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api import types
from sklearn.feature_extraction.text import TfidfVectorizer

from xattn.data import ItemTable

__all__ = ["FeatureBlocks", "item_features"]

MOST_CATEGORIES = 200  # of one column; the rarest beyond it are left out
MOST_WORDS = 500
BINS = 9  # soft bins of a number: about what a chart axis shows


class FeatureBlocks(NamedTuple):
    """Named item features: `names` and `blocks` (d,), `F` (M, d) float64."""

    names: tuple[str, ...]
    blocks: tuple[str, ...]
    F: np.ndarray


def item_features(items: ItemTable, bins: int = BINS) -> FeatureBlocks:
    """Feature blocks of an item table: one per column that carries any; words of the titles where no column does.

    A column of numbers becomes at most `bins` soft bins.

    >>> import pandas as pd
    >>> table = ItemTable(("a", "b", "c"), ("A", "B", "C"), pd.DataFrame({"genre": ["Drama|War", "War", "Drama"]}))
    >>> item_features(table).names
    ('genre: Drama', 'genre: War')
    """
    parts = [part for name in items.frame.columns if (part := _column(str(name), items.frame[name], bins)) is not None]
    if not parts and len(items.titles):
        words = _words("title", pd.Series(items.titles))
        parts = [words] if words is not None else []
    if not parts:
        return FeatureBlocks((), (), np.zeros((len(items.ids), 0)))
    return FeatureBlocks(
        tuple(name for part in parts for name in part.names),
        tuple(block for part in parts for block in part.blocks),
        np.ascontiguousarray(np.hstack([part.F for part in parts])),
    )


def _block(column: str, labels: list[str], F: np.ndarray) -> FeatureBlocks:
    norm = np.linalg.norm(F, axis=1, keepdims=True)
    F = np.divide(F, norm, out=np.zeros_like(F), where=norm > 0)
    return FeatureBlocks(tuple(f"{column}: {label}" for label in labels), (column,) * len(labels), F)


def _column(name: str, column: pd.Series, bins: int) -> FeatureBlocks | None:
    if types.is_bool_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype):
        return _categories(name, column.astype("string"))
    if types.is_numeric_dtype(column):
        return _numbers(name, column.to_numpy(dtype=float, na_value=np.nan), bins)
    return _categories(name, column.astype("string"))


def _categories(name: str, column: pd.Series) -> FeatureBlocks | None:
    """Tokens between | (or ; or , where no | occurs) as a multi-hot block; prose or unique ids make no block."""
    text = column.fillna("")
    mark = next((m for m in "|;," if text.str.contains(m, regex=False).any()), "|")
    tokens = text.str.split(mark)
    flat = tokens.explode().str.strip()
    flat = flat[(flat != "") & ~flat.str.startswith("(no ")]
    counts = flat.value_counts()
    counts = counts[counts >= 2].sort_index().sort_values(ascending=False, kind="stable").head(MOST_CATEGORIES)
    filled = int((text != "").sum())
    if counts.empty or flat[flat.isin(counts.index)].index.nunique() < filled / 2:
        return None
    labels = sorted(map(str, counts.index))
    place = {label: f for f, label in enumerate(labels)}
    F = np.zeros((len(column), len(labels)))
    for j, label in zip(flat.index, flat, strict=True):
        if label in place:
            F[column.index.get_loc(j), place[label]] = 1.0
    return _block(name, labels, F)


def _numbers(name: str, x: np.ndarray, bins: int) -> FeatureBlocks | None:
    """Soft bins at quantiles: a number lies between two centres and belongs to each by nearness."""
    known = np.isfinite(x)
    if not known.any():
        return None
    centres = np.unique(np.quantile(x[known], np.linspace(0, 1, bins)))
    if len(centres) < 2:
        return None
    F = np.zeros((len(x), len(centres)))
    for f, hat in enumerate(np.eye(len(centres))):
        F[known, f] = np.interp(x[known], centres, hat)
    return _block(name, [f"~{c:.6g}" for c in centres], F)


def _words(name: str, column: pd.Series) -> FeatureBlocks | None:
    vectoriser = TfidfVectorizer(max_features=MOST_WORDS, min_df=2, stop_words="english", dtype=np.float64)
    try:
        F = vectoriser.fit_transform(column.astype(str).str.slice(0, 2000)).toarray()
    except ValueError:  # sklearn's way to say that no word occurs twice
        return None
    return _block(name, list(vectoriser.get_feature_names_out()), F)
