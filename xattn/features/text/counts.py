"""How often each word stands in each text, and which words count as keywords."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from xattn.features.text.tokens import Word

__all__ = ["LEAST", "Counts", "counts_of", "kept"]

LEAST = 2  # texts that a keyword stands in: one alone makes nothing alike


class Counts(NamedTuple):
    """How often each keyword stands in each of M texts: the rows of a sparse matrix end to end."""

    labels: list[str]
    indptr: np.ndarray  # (M + 1,)
    keyword: np.ndarray
    often: np.ndarray
    held: np.ndarray  # (d,) texts that hold the keyword
    n_words: np.ndarray  # (M,) words of each text


def counts_of(texts: list[list[Word]], pairs: bool) -> Counts:
    """The counts of the words of M texts and, with `pairs`, of the neighbours that stand beside each other twice."""
    vocabulary: dict[str, int] = {}
    n_words = np.array([len(words) for words in texts], np.int64)
    flat = [vocabulary.setdefault(word.plain, len(vocabulary)) for words in texts for word in words]
    word, row = np.array(flat, np.int64), np.repeat(np.arange(len(texts)), n_words)
    labels, V = list(vocabulary), len(vocabulary)
    if pairs and len(word) > 1:
        beside = np.flatnonzero(row[1:] == row[:-1])
        code, number = np.unique(word[beside] * V + word[beside + 1], return_inverse=True)
        often = np.bincount(number, minlength=len(code)) >= LEAST  # most pairs stand nowhere else
        new = np.cumsum(often) - 1 + V
        labels += [f"{labels[c // V]} {labels[c % V]}" for c in code[often].tolist()]
        word = np.concatenate([word, new[number[often[number]]]])
        row = np.concatenate([row, row[beside[often[number]]]])
    d = max(1, len(labels))
    code, count = np.unique(row * d + word, return_counts=True)
    row, index = code // d, code % d
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(texts)))])
    return Counts(labels, indptr, index, count, np.bincount(index, minlength=len(labels)), n_words)


def kept(counted: Counts, most: int, least: int = LEAST) -> np.ndarray:
    """The keywords that stand in `least` texts and not in all, the `most` frequent, in alphabetical order."""
    filled = np.count_nonzero(np.diff(counted.indptr))
    able = np.flatnonzero((counted.held >= least) & ((counted.held < filled) | (filled <= LEAST)))
    ranked = sorted(able.tolist(), key=lambda f: (-counted.held[f], counted.labels[f]))[:most]
    return np.array(sorted(ranked, key=lambda f: counted.labels[f]), np.int64)
