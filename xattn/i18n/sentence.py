"""Sentences that quote what was got: how a value is shown, and how a text of the catalogue takes fields.

A placeholder says what its field is, so that no text of one language strays into a sentence of the other:

    {name}           a name without quotes, on one short line
    {name:argument}  a name in backticks, or an option such as --out
    {got!r}          what was got, quoted on one short printable line
    {high:g} {n:,}   a number; where no number was got, the value is quoted
    {what:phrase}    the text ``phrase.<value>`` of the catalogue, filled with the same fields
    {why:refusal}    the refusal ``refusal.<value>``, filled with the same fields
    {names:names}    several arguments: `a` and `b`
    {choices:list}   several names without quotes: a, b, c
    {near:quoted}    several values, each quoted: 'a', 'b', 'c'
    {n:event|events} the first word for the number 1, the second for any other
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Quoted", "fill", "plain", "shown"]

LONGEST = 200  # characters of a text that an error keeps
MOST = 10_000  # values of a tuple that an error keeps
MOST_DIGITS = 60  # digits of a whole number that an error keeps as a number


class Quoted(str):
    """A value as a sentence shows it; it is not quoted again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def shown(value: Any, limit: int = 60) -> str:
    """A value as an error sentence quotes it: on one line, printable, never longer than `limit` characters.

    >>> shown("a" * 100, limit=10)
    "'aaaaaaaa…'"
    """
    is_text = isinstance(value, str) and not isinstance(value, Quoted)
    try:
        text = str(value) if isinstance(value, str) else repr(value)
    except ValueError:  # Python writes out no whole number of over 4300 digits
        text = f"{type(value).__name__} of too many digits"
    text = "".join(c if c.isprintable() else " " for c in text)
    if len(text) > limit and not isinstance(value, Quoted):
        text = text[: limit - 2] + "…"
    return f"'{text}'" if is_text else text


def plain(value: Any) -> Any:
    """A field as an error keeps it: text, a number, true or false, None, or a tuple of these; anything else `Quoted`.

    >>> plain(0.5), plain("a"), plain([1.0])
    (0.5, 'a', [1.0])
    """
    if value is None or isinstance(value, (bool, Quoted)):
        return value
    if isinstance(value, str):
        return str(value)[:LONGEST]
    if isinstance(value, numbers.Integral) and abs(int(value)) < 10**MOST_DIGITS:
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, tuple) and len(value) <= MOST:
        return tuple(map(plain, value))
    return Quoted(shown(value))


def fill(text: str, fields: Mapping[str, Any], phrase: Callable[[str], str]) -> str:
    """`text` with `fields` in its places; `phrase(key)` gives the texts that stand in others.

    >>> fill("`{name}` must have {n:d} {n:row|rows}; got {got!r}.", {"name": "a", "n": 1, "got": "b"}, str)
    "`a` must have 1 row; got 'b'."
    """
    return text.format_map({name: _Field(value, fields, phrase) for name, value in fields.items()})


def _name(value: Any) -> str:
    """A value without quotes, on one short line."""
    return shown(value)[1:-1] if type(value) is str else shown(value)


def _argument(value: Any) -> str:
    """The name of an argument in backticks, or an option such as --out."""
    return _name(value) if str(value).startswith("--") else f"`{_name(value)}`"


LISTS: dict[str, tuple[str, Callable[[Any], str]]] = {  # what stands between the values, and how each is put
    "names": ("phrase.and", _argument),
    "list": ("phrase.comma", _name),
    "quoted": ("phrase.comma", lambda value: shown(value, limit=30)),
}


class _Field:
    """A field on its way into a text."""

    __slots__ = ("fields", "phrase", "value")

    def __init__(self, value: Any, fields: Mapping[str, Any], phrase: Callable[[str], str]) -> None:
        self.value, self.fields, self.phrase = value, fields, phrase

    def __repr__(self) -> str:
        return shown(self.value)

    def __format__(self, spec: str) -> str:
        value = self.value
        if spec in ("phrase", "refusal"):
            return fill(self.phrase(f"{spec}.{value}"), self.fields, self.phrase)
        if spec in LISTS:
            separator, put = LISTS[spec]
            parts = value if isinstance(value, tuple) else (value,)
            return self.phrase(separator).join(map(put, parts))
        if "|" in spec:
            one, many = spec.split("|")
            return one if value == 1 else many
        if not spec:
            return _name(value)
        if spec == "argument":
            return _argument(value)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return f"{value:{spec}}" if is_number else shown(value)
