"""One explanation as a picture to show to others: a card of plain SVG, drawn here without any other package.

    title      what is explained, and where it stands
    said       the reason in a sentence
    lines      name, share of the score, amount: bars to the right for, to the left against, grey for the base
    foot       what was announced for the removal of the first reason

A card is a pure function of these texts and numbers. Titles are anybody's text; everything is escaped.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

__all__ = ["THEMES", "Line", "card_svg"]

WIDTH, PAD = 720, 32
LEFT, RIGHT = 300, 560  # where bars begin and end
ROW = 34
FONTS = (
    "system-ui, 'Noto Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif"
)


class Line(NamedTuple):
    """One bar: what it is, how it is printed, its amount; "for", "against", "base" or "rest" says its colour."""

    name: str
    text: str
    amount: float
    kind: str


class Theme(NamedTuple):
    """Colours of a card."""

    ground: str
    ink: str
    soft: str
    kinds: dict[str, str]


THEMES = {
    "light": Theme(
        "#fdfcfa", "#14181e", "#555b64", {"for": "#2166ac", "against": "#b35806", "base": "#8b9099", "rest": "#7fa6cd"}
    ),
    "dark": Theme(
        "#15181d", "#ecebe6", "#b2b7bf", {"for": "#6fa8dc", "against": "#e8985a", "base": "#8a9099", "rest": "#4d7399"}
    ),
}


def card_svg(title: str, said: str, lines: Sequence[Line], foot: str, *, theme: str = "light", lang: str = "en") -> str:
    """The card as SVG, `WIDTH` pixels wide and as high as its text.

    >>> svg = card_svg("Heat", "It is here.", [Line("Ran", "+0.5", 0.5, "for")], "Without it: 3.")
    >>> svg.startswith("<svg"), "Ran" in svg
    (True, True)
    """
    look = THEMES[theme]
    parts: list[str] = []
    y = PAD
    for size, weight, colour, text in ((24, 650, look.ink, title), (16, 400, look.ink, said)):
        for row in wrapped(text, (WIDTH - 2 * PAD) / size):
            y += round(size * 1.35)
            parts.append(_text(PAD, y, row, size, colour, weight))
        y += 10
    y += 8
    low = min(0.0, *(line.amount for line in lines))
    high = max(0.0, *(line.amount for line in lines))
    scale = (RIGHT - LEFT) / ((high - low) or 1.0)
    zero = LEFT - low * scale
    top = y
    for line in lines:
        name = wrapped(line.name, (LEFT - PAD - 16) / 15)
        shown = name[0] if len(name) == 1 else name[0].rstrip()[:-1] + "…"
        long = max(1.5, abs(line.amount) * scale)
        at = zero - long if line.amount < 0 else zero
        parts.append(_text(LEFT - 12, y + 21, shown, 15, look.ink, anchor="end"))
        parts.append(
            f'<rect x="{at:.1f}" y="{y + 6}" width="{long:.1f}" height="20" rx="3" fill="{look.kinds[line.kind]}"/>'
        )
        parts.append(_text(max(zero, at + long) + 10, y + 21, line.text, 15, look.ink))
        y += ROW
    parts.append(f'<path d="M{zero:.1f} {top}V{y}" stroke="{look.soft}" stroke-width="1"/>')
    y += 8
    for row in wrapped(foot, (WIDTH - 2 * PAD) / 15):
        y += 22
        parts.append(_text(PAD, y, row, 15, look.ink, 600))
    y += 30
    parts.append(_text(WIDTH - PAD, y, "xattn", 13, look.soft, anchor="end"))
    height = y + PAD - 8
    label = quoteattr(" ".join(_printable(text) for text in (title, said, foot)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label={label} lang="{lang}" font-family="{FONTS}">'
        f'<rect width="{WIDTH}" height="{height}" fill="{look.ground}"/>{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, size: int, colour: str, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(_printable(text))}</text>'
    )


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _wide(c: str) -> float:
    """How wide a character is, in parts of the font's size."""
    return 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.56


def wrapped(text: str, room: float, most: int = 4) -> list[str]:
    """`text` in lines of at most `room` font sizes, broken at blanks or between Chinese characters; `most` lines.

    >>> wrapped("one two three", 5), wrapped("推荐说到做到", 3)
    (['one two', 'three'], ['推荐说', '到做到'])
    """
    lines, row, width = [], "", 0.0
    for word in _words(_printable(text)):
        size = sum(map(_wide, word.rstrip()))
        if row and width + size > room:
            lines.append(row.rstrip())
            row, width = "", 0.0
        row += word
        width += sum(map(_wide, word))
    lines.append(row.rstrip())
    return lines if len(lines) <= most else [*lines[: most - 1], lines[most - 1][:-1] + "…"]


def _words(text: str) -> list[str]:
    """The pieces that a line may end after: a word with its blanks, or one wide character with its marks."""
    found: list[str] = []
    for c in text:
        wide = unicodedata.east_asian_width(c) in "WF"
        mark = unicodedata.category(c).startswith("P") and c not in "《“（"
        if not found or (wide and not mark) or found[-1].endswith(" ") or (found[-1] and c in "《“（" and wide):
            found.append(c)
        else:
            found[-1] += c
    return found
