"""Opinions as people write them: numbers (3,5 too), thumbs and words for them, stars, four out of five."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import floats_of, text_of

__all__ = ["opinions_in", "opinions_of"]

WORDS = {
    **dict.fromkeys(
        [
            "like",
            "liked",
            "up",
            "thumbs-up",
            "👍",
            "yes",
            "y",
            "true",
            "t",
            "recommended",
            "positive",
            "love",
            "赞",
            "喜欢",
            "推荐",
            "是",
        ],
        1.0,
    ),
    **dict.fromkeys(
        [
            "dislike",
            "disliked",
            "down",
            "thumbs-down",
            "👎",
            "no",
            "n",
            "false",
            "f",
            "negative",
            "hate",
            "踩",
            "不喜欢",
            "不推荐",
            "否",
        ],
        0.0,
    ),
    **{"thumbs up": 1.0, "thumbs down": 0.0, "not recommended": 0.0},
}
_STARS = re.compile(r"(★+)☆*½?")
_OUT_OF = re.compile(r"(\d+(?:[.,]\d+)?) ?(?:/|out of|of|stars?|颗?星|分) ?(\d*)(?:\.0)?(?: stars?)?")


def _opinion(text: str) -> float:
    """One text as a number; NaN where it is no opinion.

    >>> [_opinion(text) for text in ("3,5", "★★★★☆", "4/5", "Like", "maybe")]
    [3.5, 4.0, 4.0, 1.0, nan]
    """
    try:
        return float(text.replace(",", ".", 1))
    except ValueError:
        pass
    if text.casefold() in WORDS:
        return WORDS[text.casefold()]
    if match := _STARS.fullmatch(text):
        return len(match[1]) + 0.5 * text.endswith("½")
    if match := _OUT_OF.fullmatch(text.casefold()):
        return float(match[1].replace(",", "."))
    return float("nan")


def opinions_in(texts: Sequence[str]) -> np.ndarray:
    """Texts as numbers, NaN where one is no opinion and where it is no finite number."""
    found = np.array([_opinion(text) for text in texts], np.float64)
    return np.where(np.isfinite(found), found, np.nan)


def opinions_of(column: pa.Array) -> np.ndarray:
    """The column as (n,) float64; NaN where a cell is empty or holds no opinion."""
    values = floats_of(column)
    text = text_of(column)
    left = np.flatnonzero(np.isnan(values) & (text.to_numpy(zero_copy_only=False) != ""))
    if left.size and not pa.types.is_floating(column.type):
        coded = text.take(pa.array(left)).dictionary_encode()
        read = opinions_in(coded.dictionary.to_pylist())
        values[left] = read[coded.indices.to_numpy(zero_copy_only=False)]
    return values
