"""Files of word vectors in text, as word2vec and GloVe write them: a word and its numbers a line, parted by blanks.

    400000 300              word2vec begins with how many words and numbers there are, GloVe does not
    heist 0.12 -0.4 …
    New York 0.3 0.1 …      a word may hold blanks: the last 300 cells are its numbers

Such files are anybody's. They are read line by line, within limits, and only the vectors of wanted words are kept.
Every line must hold as many numbers as the first; numbers are read of wanted words alone.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from xattn.data.source import Source
from xattn.errors import system_reason
from xattn.features.text.tokens import plain_form
from xattn.files import open_regular

__all__ = ["vectors_of_file"]

MOST_BYTES = 8 * 2**30  # of a file
MOST_LINE = 2**17  # bytes of a line
MOST_NUMBERS = 4096  # of a word
LARGEST = 1e100  # squares of numbers are summed


def vectors_of_file(path: Path, wanted: Collection[str]) -> dict[str, np.ndarray]:
    """Word → its numbers (d,), of the `wanted` words that the file has.

    A word of the file is compared in its plain form; one that is written so already comes before others ("apple" before
    "Apple"), else the first counts. Raises DataError for a file that cannot be read or is too large, and for the first
    line that is not a word and its numbers.
    """
    source = Source(repr(path.name), "line")
    try:
        file = open_regular(path)
    except (OSError, ValueError) as problem:
        source.refuse("no_readable_file", **system_reason(problem))
    with file:
        size = os.fstat(file.fileno()).st_size
        if size > MOST_BYTES:
            source.refuse("large_file", most=MOST_BYTES, found="bytes", got=size)
        return _read(file, source, wanted)


def _read(file: IO[bytes], source: Source, wanted: Collection[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    as_written: set[str] = set()
    d = line = 0
    while raw := file.readline(MOST_LINE + 1):
        line += 1
        if len(raw) > MOST_LINE:
            source.refuse("vector_line_length", line=line, most=MOST_LINE)
        cells = raw.rsplit(None, d) if d else raw.split()
        if not d:
            d, is_head = _width(cells, line)
            if not 1 <= d <= MOST_NUMBERS:
                source.refuse("vector_first_line", line=line, most=MOST_NUMBERS, got=max(0, d))
            if is_head:
                continue
        word = cells[0].split()[-1:] if cells else []
        if len(cells) != d + 1 or (word != [cells[0]] and _numbers(word) is not None):
            source.refuse("vector_line", line=line, wanted=d, got=_count(raw))
        try:
            written = cells[0].decode("utf-8")
        except UnicodeDecodeError:
            source.refuse("other_encoding", encoding="UTF-8", got_line=line)
        plain = plain_form(written)
        if plain in wanted and plain not in as_written and (written == plain or plain not in found):
            numbers = _numbers(cells[1:])
            if numbers is None:
                source.refuse("vector_numbers", line=line, word=written)
            found[plain] = numbers
            as_written |= {plain} if written == plain else set()
    return found


class _Width(NamedTuple):
    """How many numbers a word has, and whether the line is a head that says so."""

    numbers: int
    is_head: bool


def _width(cells: list[bytes], line: int) -> _Width:
    """How many numbers a word has, by the first line, and whether that says so itself, as word2vec writes."""
    if line == 1 and len(cells) == 2 and all(cell.isdigit() and len(cell) < 10 for cell in cells):
        return _Width(int(cells[1]), True)
    return _Width(len(cells) - 1, False)


def _numbers(cells: list[bytes]) -> np.ndarray | None:
    """The cells as finite numbers; None where one is none."""
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return None
    return numbers if (np.abs(numbers) < LARGEST).all() else None


def _count(raw: bytes) -> int:
    """How many numbers end a line."""
    cells = raw.split()
    return next((n for n, cell in enumerate(reversed(cells)) if _numbers([cell]) is None), len(cells))
