"""The catalogue as it stands in the files of this folder: key → language → text.

Each ``*.toml`` file holds tables, one per text; a dot in the key only groups related texts:

    [term.event]
    en = "event"
    zh = "事件"

A text may hold placeholders of `str.format` (``{n}``, ``{score:.2f}``); a literal brace is doubled (``{{``). The keys
of all files form one catalogue: a key that stands twice is refused. Files are read once, on first use.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from xattn.i18n.sentence import shown

__all__ = ["LANGUAGES", "BrokenCatalogue", "merge", "texts", "wording"]

LANGUAGES = ("en", "zh")


class BrokenCatalogue(ValueError):
    """The files do not form one catalogue: a defect of the package, never of what a user gave."""


def wording(key: str) -> Mapping[str, str]:
    """The text `key` in each language. Raises KeyError where there is none."""
    return texts()[key]


@lru_cache(maxsize=1)
def texts() -> Mapping[str, Mapping[str, str]]:
    """All files of this folder as one read-only mapping: key → language → text."""
    folder = files(__package__)
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")}
    return MappingProxyType(merge(sources))


def merge(sources: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The catalogue that TOML texts (file name → content) form together.

    Raises BrokenCatalogue for a file that is no TOML, for a key that stands in two files, and for a table that is
    neither a group of tables nor one text with exactly one non-empty wording per language.

    >>> merge({"a.toml": "[word.yes]\\nen = 'yes'\\nzh = '是'"})["word.yes"]["zh"]
    '是'
    """
    merged: dict[str, Mapping[str, str]] = {}
    for name, content in sorted(sources.items()):
        try:
            tables = tomllib.loads(content)
        except tomllib.TOMLDecodeError as broken:
            raise BrokenCatalogue(f"catalogue file {name} must be TOML with each key once; got: {broken}.") from None
        for key, text in _entries(tables, name):
            if key in merged:
                raise BrokenCatalogue(f"each key must stand once in the catalogue; '{key}' of {name} stands twice.")
            merged[key] = text
    return merged


def _entries(
    table: Mapping[str, Any], file: str, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Walk nested tables down to the texts; the key of a text is its path, joined by dots."""
    for name, below in table.items():
        key = ".".join((*path, name))
        if isinstance(below, dict) and below and all(isinstance(part, dict) for part in below.values()):
            yield from _entries(below, file, (*path, name))
        elif (
            isinstance(below, dict)
            and below.keys() == set(LANGUAGES)
            and all(isinstance(text, str) and text.strip() for text in below.values())
        ):
            yield key, MappingProxyType(below)
        else:
            must = f"text '{key}' of {file} must hold {' and '.join(LANGUAGES)} alone"
            raise BrokenCatalogue(f"{must}; got {shown(below)}.")
