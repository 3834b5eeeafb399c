"""What the values of a column look like, judged from a sample of its rows; the other half of telling what it holds."""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np
import pyarrow as pa

from xattn.data.reading.cells import text_of
from xattn.data.reading.moments import looks_like_time
from xattn.data.reading.opinions import opinions_in

__all__ = ["Profile"]

MOST_CELLS = 400_000  # looked at in a whole table, so that a wide one takes no longer
SAMPLE = 4_000


class Profile:
    """A column seen through a sample: `texts` without the blank ones, and what they could be.

    >>> seen = Profile(pa.array(["4", "5", "", "3"]), columns=1)
    >>> seen.filled, seen.numeric, seen.whole, seen.distinct
    (0.75, 1.0, True, 3)
    """

    def __init__(self, column: pa.Array, columns: int) -> None:
        size = max(50, min(SAMPLE, MOST_CELLS // max(columns, 1)))
        self.rows = len(column)
        if len(column) > size:
            half = size // 2
            rows = np.concatenate([np.arange(half), np.linspace(half, len(column) - 1, size - half).astype(np.int64)])
            sample = column.take(pa.array(rows))
        else:
            sample = column
        self.column = column
        self.typed_time = pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
        self.typed_number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        self.truth = pa.types.is_boolean(column.type)
        texts = text_of(sample).to_pylist()
        self.texts = [text for text in texts if text]
        self.filled = len(self.texts) / max(len(texts), 1)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The sampled values that are numbers, as floats."""
        found = [float(text) for text in self.texts if NUMBER.fullmatch(text)]
        return np.array(found, np.float64)

    @property
    def numeric(self) -> float:
        """Share of the values that are numbers."""
        return len(self.numbers) / max(len(self.texts), 1)

    @property
    def whole(self) -> bool:
        return bool(len(self.numbers)) and bool(np.all(self.numbers == np.floor(self.numbers)))

    @cached_property
    def distinct(self) -> int:
        return len(set(self.texts))

    @property
    def repeated(self) -> bool:
        """Some value comes again: what names a person or a thing does, a number of lines does not."""
        return self.distinct < len(self.texts)

    @cached_property
    def time(self) -> str:
        """The way in which the values write moments; "" where they write none."""
        return "typed" if self.typed_time else looks_like_time(self.texts)

    @cached_property
    def opinions(self) -> float:
        """Share of the values that can be read as an opinion: numbers, thumbs, stars, fractions."""
        if self.truth:
            return 1.0
        return float(np.isfinite(opinions_in(self.texts)).sum() / max(len(self.texts), 1)) if self.texts else 0.0

    @property
    def fractional(self) -> bool:
        return self.numeric > 0.95 and not self.whole

    @property
    def can_be_id(self) -> bool:
        """Text on one line or whole numbers; no fractions, no prose, no dates."""
        if not self.texts or self.typed_time or self.truth:
            return False
        if self.numeric == 1.0:
            return self.whole
        prose = sum(text.count(" ") > 12 for text in self.texts)
        return prose < len(self.texts) / 10 and self.time in ("", "clock")

    @property
    def looks_like_ratings(self) -> bool:
        """Few small numbers in steps of a half: what stars are and ids are not."""
        x = self.numbers
        if self.numeric < 1.0 or not x.size:
            return False
        return bool(x.min() >= -1 and x.max() <= 10 and np.all(x * 2 == np.floor(x * 2)))

    @property
    def looks_like_places(self) -> bool:
        """Degrees with many decimals: a latitude or longitude."""
        long = sum(bool(re.fullmatch(r"-?\d{1,3}\.\d{4,}", text)) for text in self.texts)
        return bool(self.texts) and long > 0.8 * len(self.texts)


NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
