"""How a text is cut into cells, judged from its first lines: separator, header or none, lines that stand before it."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from xattn.data.reading.moments import looks_like_time
from xattn.data.reading.profile import NUMBER
from xattn.data.reading.words import hints_of

__all__ = ["PAIR", "Layout", "layout_of", "sample_lines"]

PAIR = "::"  # MovieLens' separator
SEPARATORS = (",", "\t", ";", "|", PAIR, "\x01", "~", " ")
SAMPLE_BYTES = 2**18
SAMPLE_LINES = 200


class Layout(NamedTuple):
    """How a text is cut: separator, names of the columns, is there a header line, do quotes enclose cells.

    `skipped` lines stand before the header (or the first line of data); `escape` is a mark that stands before quotes.
    """

    separator: str
    names: tuple[str, ...]
    header: bool = True
    quotes: bool = True
    skipped: int = 0
    escape: str = ""


def sample_lines(raw: bytes) -> list[str]:
    """The first lines of a text, as they stand, without the last one where it may be cut off."""
    text = raw[:SAMPLE_BYTES].decode("utf-8", "replace")
    lines = re.split(r"\r\n|\n|\r", text)
    if len(raw) > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()
    return lines[: 4 * SAMPLE_LINES]


def layout_of(lines: Sequence[str]) -> Layout:
    """The layout that most of the sampled lines have.

    >>> layout_of(["user;item", "u;a"])[:3]
    (';', ('user', 'item'), True)
    >>> layout_of(["1,2268318,2520377,pv,1511544070"]).header
    False
    """
    skipped, separator = _preamble(lines)
    body = [line for line in lines[skipped:] if line.strip()][:SAMPLE_LINES]
    if not body:
        return Layout(",", (), skipped=skipped)
    separator = separator or _separator(body)
    escape = "\\" if sum('\\"' in line for line in body) and separator != PAIR else ""
    quotes = (separator != PAIR and any('"' in line for line in body)) or separator not in ("\t", PAIR, "\x01", " ")
    rows = [cut(line, separator, quotes) for line in body]
    first = [cell.strip() for cell in rows[0]]
    header = _has_header(first, rows[1:])
    names = tuple(first)
    if header:
        names = (names[0].removeprefix("#").strip(), *names[1:])
        width = Counter(map(len, rows[1:])).most_common(1)[0][0] if len(rows) > 1 else len(names)
        if width == len(names) + 1:  # R leaves the corner out; others end each line with a separator
            ends = all(len(row) == width and not row[-1].strip() for row in rows[1:])
            numbered = len(rows) > 2 and all(row[0].strip() == str(count) for count, row in enumerate(rows[1:], 1))
            names = (*names, "") if ends else ("", *names) if numbered else names
    else:
        width = max(map(len, rows)) if separator == " " else len(first)
        names = tuple(str(number) for number in range(1, width + 1))
    return Layout(separator, names, header, quotes, skipped, escape)


def cut(line: str, separator: str, quotes: bool = True) -> list[str]:
    """One line as cells."""
    if separator == " ":
        return line.split()
    if separator == PAIR or not quotes:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:  # a quote that goes on in the next line, or a wrong one: the scan will say
        return line.split(separator)


def _preamble(lines: Sequence[str]) -> tuple[int, str]:
    """How many lines stand before the table, and the separator that one of them names (Excel's ``sep=;``)."""
    skipped = 0
    for line in lines:
        if match := re.fullmatch(r'"?sep=([^\w"\x00\x80-\U0010ffff])"?', line.strip(" \r"), re.IGNORECASE):
            return skipped + 1, match[1]
        rest = [other for other in lines[skipped + 1 : skipped + 6] if other.strip()]
        comment = line.startswith("%") or (line.startswith("#") and _another_width(line, rest))
        if not comment and line.strip():
            break
        skipped += 1
    return skipped, ""


def _another_width(line: str, rest: Sequence[str]) -> bool:
    """A line after # is a comment where it has other cells than what follows; else it is the header."""
    if not rest:
        return False
    separator = _separator(rest)
    return rest[0].startswith("#") or len(cut(line, separator)) != len(cut(rest[-1], separator))


def _separator(body: Sequence[str]) -> str:
    best, best_rank = ",", (-1.0, -1.0, -1.0)
    for separator in SEPARATORS:
        widths = [len(cut(line, separator)) for line in body]
        width, often = Counter(widths).most_common(1)[0]
        if separator != "," and width < (3 if separator == PAIR else 2):
            continue
        known = sum(bool(hints_of(name)) for name in cut(body[0], separator)) if width > 1 else 0
        even = often / len(body)
        plain = separator != " "
        rank = (min(known, 2) + (even > 0.9 and width > 1), plain and width > 1, even * min(width, 50))
        if separator == PAIR and even > 0.9:
            return PAIR
        if rank > best_rank:
            best, best_rank = separator, rank
    return best


def _has_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """The first line names the columns: it holds words where the others hold numbers, or names that are known."""
    hinted = sum(bool(hints_of(name)) for name in first)
    strong = sum(any(hint.strength >= 0.9 for hint in hints_of(name)) for name in first)
    numbers = [bool(NUMBER.fullmatch(cell)) for cell in first]
    if not any(numbers):
        if any(looks_like_time([cell]) for cell in first if cell):
            return strong >= 2
        return bool(hinted) or _differs(first, rest)
    if len(first) > 2 and all(numbers[1:]) and not numbers[0] and (not first[0] or strong):
        return True  # a wide table: a person's column, then one for each item
    return strong >= 2 and sum(numbers) < len(first) - 2


def _differs(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """Words above numbers; or, where all is text, words that do not come again below."""
    if len(first) == 1:  # a list of ids; a header would be called so
        return False
    if not rest:
        return True
    for place in range(len(first)):
        below = [row[place].strip() for row in rest if place < len(row) and row[place].strip()]
        if (below and all(NUMBER.fullmatch(text) for text in below)) or looks_like_time(below):
            return True
    words = {cell.strip() for row in rest for cell in row}
    return words.isdisjoint(cell for cell in first if cell)
