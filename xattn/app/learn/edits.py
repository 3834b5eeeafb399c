"""An edit of a sheet as a sentence: which numbers and settings became what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xattn.app.learn.sheet import Sheet
from xattn.app.ui.text import safe
from xattn.i18n import t
from xattn.i18n.joined import said
from xattn.viz.digits import digits

__all__ = ["sentence"]

MOST = 3  # changes that are named one by one
TABLES = {"query": "q", "keys": "k", "items": "y", "W": "W", "Wq": "Wq", "Wk": "Wk", "v": "v"}
NUMBERS, WORDS = ("temperature", "beta", "threshold"), ("scorer", "fusion")
NAMES = ("features", "events", "titles")


def sentence(before: Sheet, after: Sheet, language: str) -> str:
    """What changed between two sheets, as Markdown.

    >>> sentence(Sheet((1.0,), ((0.5,),), ((3.0,),)), Sheet((1.0,), ((2.0,),), ((3.0,),), scorer="cosine"), "en")
    'k1\\\\, 1\\\\: 0\\\\.5 → 2 · scorer\\\\: dot product → cosine'
    """
    if before.features != after.features and set(before.events).isdisjoint(after.events):
        return t("undo.other_numbers", language)
    found = [*_sizes(before, after, language), *_cells(before, after), *_settings(before, after, language)]
    if len(found) > MOST:
        found = [*found[: MOST - 1], t("undo.more", language, n=len(found) - MOST + 1)]
    return " · ".join(map(safe, found)) or t("undo.other_numbers", language)


def _rows(sheet: Sheet, name: str) -> Sequence[Sequence[float]]:
    value = getattr(sheet, name)
    return [value] if name in ("query", "v") and value else value


def _sizes(before: Sheet, after: Sheet, language: str) -> Iterator[str]:
    def size(sheet: Sheet) -> str:
        return (
            f"{len(sheet.keys)} × {len(sheet.query)}, {len(sheet.items)} × {len(sheet.items[0]) if sheet.items else 0}"
        )

    if size(before) != size(after):
        yield t("undo.size", language, before=size(before), after=size(after))


def _cells(before: Sheet, after: Sheet) -> Iterator[str]:
    """Numbers that both sheets have and that differ, then names."""
    for name, letter in TABLES.items():
        for i, (old, new) in enumerate(zip(_rows(before, name), _rows(after, name), strict=False)):
            row = letter if name in ("query", "v") else f"{letter}{i + 1}"
            for j, (x, y) in enumerate(zip(old, new, strict=False)):
                if x != y and not (x != x and y != y):
                    yield f"{row}, {j + 1}: {digits(x)} → {digits(y)}"
    for name in NAMES:
        for old_name, new_name in zip(getattr(before, name), getattr(after, name), strict=False):
            if old_name != new_name:
                yield f"{old_name} → {new_name}"


def _settings(before: Sheet, after: Sheet, language: str) -> Iterator[str]:
    for name in NUMBERS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield said(t(f"term.{name}", language), f"{digits(old)} → {digits(new)}", language)
    for name in WORDS:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            now = f"{t(f'term.{old}', language)} → {t(f'term.{new}', language)}"
            yield said(t(f"term.{name}", language), now, language)
