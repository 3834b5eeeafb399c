"""Words: a column of texts becomes one feature a word, weighted by how rare the word is (TF-IDF).

The parts of a text are its words.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

from xattn.features.block import Fitted

__all__ = ["READ", "Words", "weighted_words"]

READ = 2000  # characters of a text
_WORD = re.compile(r"(?u)\b\w\w+\b")  # as scikit-learn cuts texts


class Words:
    """The `most` frequent English words that two items have, without those that say nothing ("the")."""

    def __init__(self, most: int | None = 500) -> None:
        self.most = most

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> Words().fit(pd.Series(["red shoe", "red hat", "blue hat"])).labels
        ('hat', 'red')
        """
        texts = column.astype("string").fillna("").astype(str)
        labels, F = weighted_words(texts, self.most)
        return Fitted(labels, F, WordParts(tuple(texts), labels, F)) if labels else None


class WordParts:
    """The words of each text as parts of its features: one that stands twice brings half of its feature each time."""

    kind = "words"

    def __init__(self, texts: tuple[str, ...], labels: tuple[str, ...], F: sparse.csr_array) -> None:
        self.texts = texts
        self.F = F
        self._place = {label: f for f, label in enumerate(labels)}

    def __call__(self, row: int) -> tuple[tuple[str, ...], sparse.csr_array]:
        """The words (p,) of a text that have a feature, and what each brings (p, d), sparse."""
        words = [word for word, _, _ in self._words(row)]
        index = np.array([self._place[word] for word in words], np.int64)
        own = slice(*self.F.indptr[row : row + 2])
        brings = np.zeros(self.F.shape[1])
        brings[self.F.indices[own]] = self.F.data[own]
        brings[index] /= np.bincount(index, minlength=len(brings))[index]
        shape = (len(words), len(brings))
        return tuple(words), sparse.csr_array((brings[index], (np.arange(len(words)), index)), shape=shape)

    def places(self, row: int) -> tuple[tuple[float, ...], ...]:
        """(start, stop) of each word in the text."""
        return tuple((float(start), float(stop)) for _, start, stop in self._words(row))

    def shown(self, row: int) -> str:
        """The text."""
        return self.texts[row]

    def _words(self, row: int) -> list[tuple[str, int, int]]:
        found = ((m[0].lower(), m.start(), m.end()) for m in _WORD.finditer(self.texts[row][:READ]))
        return [word for word in found if word[0] in self._place]


def weighted_words(texts: pd.Series[Any], most: int | None) -> tuple[tuple[str, ...], sparse.csr_array]:
    """The words that two texts have (d,), at most `most`, and their weights (M, d); of each text the beginning."""
    vectoriser = TfidfVectorizer(max_features=most, min_df=2, stop_words="english", dtype=np.float64)
    try:
        F = sparse.csr_array(vectoriser.fit_transform(texts.astype(str).str.slice(0, READ)))
    except ValueError:  # scikit-learn's way to say that no word stands in two texts
        return (), sparse.csr_array((len(texts), 0))
    return tuple(map(str, vectoriser.get_feature_names_out())), F
