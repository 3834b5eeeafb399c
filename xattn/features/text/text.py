"""Text: a column of texts becomes one feature a keyword, weighted by how rare it is; the parts of a text are its words.

    F_jf = idf_f · (how often f stands in text j),      idf_f = 1 + log((1 + N) / (1 + n_f))

N texts say something, n_f of them hold f. A keyword is a word, and where that is asked for a pair of neighbours too
("heart of gold" → heart, gold, heart gold). A feature counts occurrences, so it is the sum over them: a word brings
what it is, and half of each pair that it is in. Source: Salton and Buckley (1988), with scikit-learn's smoothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.features.block import Fitted
from xattn.features.text.counts import counts_of, kept
from xattn.features.text.tokens import words_in

__all__ = ["Text", "TextParts"]

MOST = 10_000  # keywords
SPEAKING = 0.5  # share of the filled cells that must share a keyword with another, and be more than one word


class Text:
    """The `most` frequent keywords that two texts have; with `pairs`, neighbours count too. None for what is no text.

    A column is text where half of its filled cells are several words, and half share one with another cell. A word that
    every text has says nothing and is left out.
    """

    def __init__(self, most: int = MOST, pairs: bool = False) -> None:
        self.most = most
        self.pairs = pairs

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> found = Text().fit(pd.Series(["a red hat", "the red shoe", "blue shoe"]))
        >>> found.labels, found.parts(0)[0]
        (('red', 'shoe'), ('red', 'hat'))
        """
        texts = column.astype("string").fillna("").astype(str).tolist()
        counted = counts_of([words_in(text) for text in texts], self.pairs)
        keep = kept(counted, self.most)
        labels = tuple(counted.labels[f] for f in keep)
        row_length = np.diff(counted.indptr)
        filled, several = np.count_nonzero(row_length), np.count_nonzero(counted.n_words > 1)
        place = np.full(len(counted.labels), -1)
        place[keep] = np.arange(len(keep))
        index, row = place[counted.keyword], np.repeat(np.arange(len(texts)), row_length)
        known = index >= 0
        if not labels or several < SPEAKING * filled or len(np.unique(row[known])) < SPEAKING * filled:
            return None
        idf = 1.0 + np.log((1.0 + filled) / (1.0 + counted.held[keep]))
        F = sparse.csr_array(
            (counted.often[known] * idf[index[known]], (row[known], index[known])), shape=(len(texts), len(labels))
        )
        F.sort_indices()
        return Fitted(labels, F, TextParts(tuple(texts), labels, idf, self.pairs))


class TextParts:
    """The words of each text as parts of its features; `places` are the characters where they stand."""

    kind = "words"

    def __init__(self, texts: tuple[str, ...], labels: tuple[str, ...], idf: np.ndarray, pairs: bool) -> None:
        self.texts = texts
        self.labels = labels
        self.idf = idf
        self.pairs = pairs
        self._place: dict[str, int] = {}

    def __call__(self, row: int) -> tuple[tuple[str, ...], sparse.csr_array]:
        """The words (p,) of a text, and what each brings (p, d), sparse."""
        if not self._place:
            self._place = {label: f for f, label in enumerate(self.labels)}
        words = words_in(self.texts[row])
        at: list[int] = []
        index: list[int] = []
        value: list[float] = []
        before, before_in = None, -1
        for p, word in enumerate(words):
            f = self._place.get(word.plain)
            if f is not None:
                at.append(p)
                index.append(f)
                value.append(self.idf[f])
            if self.pairs and before is not None:
                f = self._place.get(f"{before.plain} {word.plain}")
                if f is not None:
                    at += [before_in, p]
                    index += [f, f]
                    value += [self.idf[f] / 2] * 2
            before, before_in = word, p
        parts = sparse.csr_array((value, (at, index)), shape=(len(words), len(self.labels)), dtype=np.float64)
        return tuple(word.plain for word in words), parts

    def quick(self, row: int, cells: Mapping[int, float]) -> tuple[tuple[str, ...], np.ndarray, float]:
        """Cells of features over the words: each occurrence of a keyword has the same share of its cell."""
        names = tuple(word.plain for word in words_in(self.texts[row]))
        wanted = {self.labels[f]: cell for f, cell in cells.items()}
        holders: dict[str, list[int]] = {label: [] for label in wanted}
        for p, name in enumerate(names):
            if name in holders:
                holders[name].append(p)
            pair = f"{names[p - 1]} {name}" if p and self.pairs else ""
            if pair in holders:
                holders[pair] += [p - 1, p]
        amounts, left = np.zeros(len(names)), 0.0
        for label, cell in wanted.items():
            own = holders[label]
            for p in own:
                amounts[p] += cell / len(own)
            left += 0.0 if own else cell
        return names, amounts, left

    def places(self, row: int) -> tuple[tuple[float, ...], ...]:
        """(start, stop) of each word in the text."""
        return tuple((float(word.start), float(word.stop)) for word in words_in(self.texts[row]))

    def shown(self, row: int) -> str:
        """The text."""
        return self.texts[row]
