"""Word vectors: a text is the sum of the vectors of its words, so texts are alike that share no word; parts are words.

    F_j = Σ_p idf_p · v_p        v_p (K,) the vector of the word at place p,  idf as for keywords

The vectors are learned from the column itself (`embedding.py`), or read from a file (`vector_file.py`). Each dimension
is called by the words that bring most of it, at both ends where it has two: "tea, cup ↔ garden, lantern".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from xattn.errors import check_number, check_path, check_whole
from xattn.features.block import Fitted
from xattn.features.text.counts import LEAST, counts_of, kept
from xattn.features.text.embedding import near_counts, trained_vectors, turned
from xattn.features.text.tokens import words_in
from xattn.features.text.vector_file import vectors_of_file

__all__ = ["VectorParts", "Vectors"]

MOST = 10_000  # words
DIMENSIONS = 50
NAMED_BY = 3  # words of an end
ROUNDING = 1e-12  # of what the words bring: where they cancel, a text says nothing
TWO_ENDS = 0.5  # of the strongest word: an end whose strongest is less is not named


class Vectors:
    """`dimensions` features of the word vectors of texts, of their `most` frequent words.

    Without a `file` the vectors are learned from the texts: ties between words weaker than log `shift` do not count,
    and `seed` draws where the factoring of large tables starts. With a `file` of word2vec or GloVe in text, its
    vectors are taken, seen along the `dimensions` directions in which the words at hand differ most. None where no two
    texts have words that stand together, or the file has none of the words. Raises InputError for odd settings and for
    a file that cannot be read.
    """

    def __init__(
        self,
        file: str | Path | None = None,
        *,
        dimensions: int = DIMENSIONS,
        most: int = MOST,
        shift: float = 1.0,
        seed: int = 0,
    ) -> None:
        self.file = file
        self.dimensions = dimensions
        self.most = most
        self.shift = shift
        self.seed = seed

    def fit(self, column: pd.Series[Any]) -> Fitted | None:
        """
        >>> texts = pd.Series(["red tea cup", "blue tea cup", "red garden lamp", "blue garden lamp"])
        >>> found = Vectors(dimensions=1).fit(texts)
        >>> found.labels, found.F.toarray().round(1).ravel().tolist()
        (('cup, tea ↔ garden, lamp',), [2.0, 2.0, -2.0, -2.0])
        """
        K = check_whole("dimensions", self.dimensions, low=1, high=1000)
        most = check_whole("most", self.most, low=1)
        shift = check_number("shift", self.shift, low=1.0)
        rng = np.random.default_rng(check_whole("seed", self.seed, low=0))
        file = None if self.file is None else check_path("file", self.file)
        texts = tuple(column.astype("string").fillna("").astype(str))
        found = _found(texts, most, least=LEAST if file is None else 1)
        if not found.words:
            return None
        if file is None:
            near = near_counts(found.at, found.text, len(found.words))
            W = trained_vectors(near, K + 1, shift, rng)  # one goes with the mean
        else:
            W = _of_file(file, found.words)
        often = np.asarray(found.n.sum(axis=0), np.float64).ravel()
        W = turned(W, found.idf * often, K) * found.idf[:, None]
        F = found.n @ W
        F = sparse.csr_array(np.where(np.abs(F) > ROUNDING * (found.n @ np.abs(W)), F, 0.0))
        return Fitted(_labels(found.words, W, often), F, VectorParts(texts, found.words, W)) if F.nnz else None


class VectorParts:
    """The words of each text as parts of its features; `places` are the characters where they stand."""

    kind = "words"

    def __init__(self, texts: tuple[str, ...], words: list[str], W: np.ndarray) -> None:
        self.texts = texts
        self.W = W  # (V, K): what each word brings
        self._place = {word: at for at, word in enumerate(words)}

    def __call__(self, row: int) -> tuple[tuple[str, ...], np.ndarray]:
        """The words (p,) of a text, and what each brings (p, K)."""
        names = tuple(word.plain for word in words_in(self.texts[row]))
        at = np.array([self._place.get(name, -1) for name in names], np.int64)
        return names, np.where((at >= 0)[:, None], self.W[at], 0.0)

    def places(self, row: int) -> tuple[tuple[float, ...], ...]:
        """(start, stop) of each word in the text."""
        return tuple((float(word.start), float(word.stop)) for word in words_in(self.texts[row]))

    def shown(self, row: int) -> str:
        """The text."""
        return self.texts[row]


class _Found(NamedTuple):
    """The V words that count, N of all words of M texts end to end, and how often each stands where."""

    words: list[str]
    at: np.ndarray  # (N,) which of the V words; −1 for another
    text: np.ndarray  # (N,) the text where it stands
    n: sparse.csr_array  # (M, V)
    idf: np.ndarray  # (V,)


def _found(texts: tuple[str, ...], most: int, least: int) -> _Found:
    cut = [words_in(text) for text in texts]
    counted = counts_of(cut, pairs=False)
    keep = kept(counted, most, least)
    words = [counted.labels[f] for f in keep]
    index = np.full(len(counted.labels), -1)
    index[keep] = np.arange(len(keep))
    known = index[counted.keyword] >= 0
    row, column = np.repeat(np.arange(len(texts)), np.diff(counted.indptr))[known], index[counted.keyword[known]]
    n = sparse.csr_array((counted.often[known].astype(np.float64), (row, column)), shape=(len(texts), len(words)))
    n.sort_indices()
    filled = np.count_nonzero(counted.n_words)
    place = {word: at for at, word in enumerate(words)}
    flat = np.array([place.get(word.plain, -1) for own in cut for word in own], np.int64)
    text = np.repeat(np.arange(len(texts)), counted.n_words)
    return _Found(words, flat, text, n, 1.0 + np.log((1.0 + filled) / (1.0 + counted.held[keep])))


def _of_file(file: Path, words: list[str]) -> np.ndarray:
    """The vectors of a file (V, d); zeros for a word that it does not have."""
    known = vectors_of_file(file, frozenset(words))
    zeros = np.zeros(len(next(iter(known.values()), ())))
    return np.array([known.get(word, zeros) for word in words])


def _labels(words: list[str], W: np.ndarray, often: np.ndarray) -> tuple[str, ...]:
    """The name of each dimension (K,), by the words that bring most of it."""
    return tuple(_label(words, own * np.sqrt(often)) for own in W.T)


def _label(words: list[str], brought: np.ndarray) -> str:
    brought = np.round(brought / np.abs(brought).max(), 9)  # words that bring as much stand by the alphabet
    ends = []
    for sign in (1.0, -1.0):
        first = np.argsort(-sign * brought, kind="stable")[:NAMED_BY]
        names = [words[w] for w in first.tolist() if sign * brought[w] > 0]
        if names and sign * brought[first[0]] >= TWO_ENDS:
            ends.append(", ".join(names))
    return " ↔ ".join(ends)
