"""The catalogue of every text that a person reads, English and Chinese side by side.

Each ``*.toml`` file of this folder holds tables, one per text; a dot in the key only groups related texts:

    [term.event]
    en = "event"
    zh = "事件"

A text may hold placeholders of `str.format` (``{n}``, ``{score:.2f}``); a literal brace is doubled (``{{``). The keys
of all files form one catalogue: a key that stands twice is refused. Files are read once, on first use.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from xattn.errors import MessageError, check_choice, shown

__all__ = ["LANGUAGES", "keys", "placeholders", "t"]

LANGUAGES = ("en", "zh")


def t(key: str, /, lang: str = "en", **values: object) -> str:
    """The text `key` in the language `lang` ("en" or "zh"), with `values` put in the places of its placeholders.

    Values that the text does not use are left out. Raises InputError for an unknown language, and MessageError for an
    unknown key, a missing value, or a value that does not fit the format of its placeholder.

    >>> t("term.event"), t("term.event", "zh")
    ('event', '事件')
    """
    check_choice("lang", lang, LANGUAGES)
    text = _wording(key)[lang]
    try:
        return text.format_map(values)
    except KeyError as missing:
        name = missing.args[0]
        raise MessageError(f"text '{key}' must be given a value for each placeholder; `{name}` is missing.") from None
    except (ValueError, TypeError, AttributeError, LookupError) as misfit:
        raise MessageError(f"text '{key}' must be given values that fit its placeholders; got {misfit}.") from misfit


def keys() -> tuple[str, ...]:
    """All keys of the catalogue, sorted.

    >>> "term.ledger" in keys()
    True
    """
    return tuple(sorted(_catalogue()))


def placeholders(key: str, /, lang: str = "en") -> frozenset[str]:
    """The names of the placeholders in one text, without their formats. Raises as `t` does.

    >>> sorted(placeholders("term.event"))
    []
    """
    check_choice("lang", lang, LANGUAGES)
    return frozenset(name for _, name, _, _ in string.Formatter().parse(_wording(key)[lang]) if name is not None)


def _wording(key: str) -> Mapping[str, str]:
    try:
        return _catalogue()[key]
    except KeyError:
        raise MessageError(f"`key` must name a text of the catalogue; got {shown(key)}.") from None


@lru_cache(maxsize=1)
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    """All files of this folder as one read-only mapping: key → language → text."""
    folder = files(__package__)
    sources = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".toml")}
    return MappingProxyType(merge(sources))


def merge(sources: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """The catalogue that TOML texts (file name → content) form together.

    Raises MessageError for a file that is no TOML, for a key that stands in two files, and for a table that is neither
    a group of tables nor one text with exactly one non-empty wording per language.

    >>> merge({"a.toml": "[word.yes]\\nen = 'yes'\\nzh = '是'"})["word.yes"]["zh"]
    '是'
    """
    merged: dict[str, Mapping[str, str]] = {}
    for name, content in sorted(sources.items()):
        try:
            tables = tomllib.loads(content)
        except tomllib.TOMLDecodeError as broken:
            raise MessageError(f"catalogue file {name} must be TOML with each key once; got: {broken}.") from None
        for key, wording in _entries(tables, name):
            if key in merged:
                raise MessageError(f"each key must stand once in the catalogue; '{key}' of {name} stands twice.")
            merged[key] = wording
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
            raise MessageError(f"text '{key}' of {file} must hold {' and '.join(LANGUAGES)} alone; got {shown(below)}.")
