"""Words: a column of texts becomes one feature a word, weighted by how rare the word is (TF-IDF)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from xattn.features.block import Fitted

__all__ = ["READ", "Words", "weighted_words"]

READ = 2000  # characters of a text


class Words:
    """The `most` frequent English words that two items have, without those that say nothing ("the")."""

    def __init__(self, most: int | None = 500) -> None:
        self.most = most

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> Words().fit(pd.Series(["red shoe", "red hat", "blue hat"])).labels
        ('hat', 'red')
        """
        labels, F = weighted_words(column.astype("string").fillna(""), self.most)
        return Fitted(labels, F) if labels else None


def weighted_words(texts: pd.Series[Any], most: int | None) -> tuple[tuple[str, ...], sparse.csr_array]:
    """The words that two texts have (d,), at most `most`, and their weights (M, d); of each text the beginning."""
    vectoriser = TfidfVectorizer(max_features=most, min_df=2, stop_words="english", dtype=np.float64)
    try:
        F = sparse.csr_array(vectoriser.fit_transform(texts.astype(str).str.slice(0, READ)))
    except ValueError:  # scikit-learn's way to say that no word stands in two texts
        return (), sparse.csr_array((len(texts), 0))
    return tuple(map(str, vectoriser.get_feature_names_out())), F
