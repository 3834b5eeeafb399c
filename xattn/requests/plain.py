"""Frozen values to and from JSON, by the types of their fields.

    type of a field     in JSON                     what else is accepted
    str                 a text                      nothing
    Id                  a text                      a whole number, which becomes its digits
    int, float, bool    a number, true or false     a float field takes whole numbers; no NaN, no infinity
    X | None            null or X
    tuple[X, ...]       a list of X                 a tuple
    a dataclass         an object, key by field     the value itself; keys that the dataclass does not have are refused
                                                    or left out
    Json                anything, kept as text

Every refusal names the place of the fault: "`history[3].rating` must be a finite number; got 'many'."
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Self, TypeVar, Union, get_args, get_origin, get_type_hints

from xattn.errors import InputError, check_flag, check_id, check_number, check_whole, refuse

__all__ = ["Given", "Id", "Json", "Plain", "checked", "document", "parsed", "parts", "to_plain"]

Id = Annotated[str, "id"]
T = TypeVar("T")

MOST_NUMBER = 2**53  # whole numbers that every reader of JSON keeps exactly
MOST_ENTRIES = 1_000_000  # of one list: more than a catalogue of items, less than what would fill the memory
DEEPEST = 20  # lists and objects inside each other, in a part of free shape


class Json(str):
    """A part of free shape, as compact JSON text: it can be compared, hashed and kept, and nobody can change it."""

    __slots__ = ()


class Plain:
    """Base of the frozen dataclasses here. `SCHEMA` and `VERSION` name the shape of a document; parts have none."""

    SCHEMA = ""
    VERSION = 1

    def to_dict(self) -> dict[str, Any]:
        """The value as a document: its schema and version, then its fields, as plain lists and dicts."""
        stamp = {"schema": self.SCHEMA, "version": self.VERSION} if self.SCHEMA else {}
        return {**stamp, **self.body()}

    def body(self) -> dict[str, Any]:
        """The fields alone."""
        return {name: to_plain(getattr(self, name)) for name, _, _ in parts(type(self))}

    @classmethod
    def from_dict(cls, document: Any) -> Self:
        """The value that `to_dict` wrote. Raises InputError for anything else, whatever it is."""
        return parsed(cls, document)


class Given(Plain):
    """Base of what somebody gives: every field is checked when the value is made, lists become tuples."""

    def __post_init__(self) -> None:
        for name, hint, _ in parts(type(self)):
            object.__setattr__(self, name, checked(hint, getattr(self, name), name))


def document(text: str | bytes) -> Any:
    """The lists and dicts of a JSON text. Raises InputError for what is no strict JSON (RFC 8259)."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except InputError:
        raise
    except (ValueError, RecursionError, TypeError) as problem:
        refuse("no_json", got=_reason(problem))


def _no_constant(name: str) -> Any:
    refuse("strict_json", got=name)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        again = next(name for name in names if names.count(name) > 1)
        refuse("key_twice", got=again)
    return found


def _reason(problem: Exception) -> str:
    return "brackets too deep" if isinstance(problem, RecursionError) else str(problem)


# --- writing ----------------------------------------------------------------------------------------------------------


def to_plain(value: Any) -> Any:
    """A value of one of the types above as JSON's own."""
    if isinstance(value, Json):
        return json.loads(value)
    if isinstance(value, Plain):
        return value.to_dict()
    return [to_plain(entry) for entry in value] if isinstance(value, tuple) else value


# --- reading ----------------------------------------------------------------------------------------------------------


def parsed(kind: type[T], document: Any, path: str = "", strict: bool = True) -> T:
    """`document` as a value of the dataclass `kind`; `path` is the place at which it stands in a larger one.

    With ``strict=False`` keys that the dataclass does not have are left out. Raises InputError.
    """
    what = path or "document"
    if not isinstance(document, Mapping):
        refuse("no_object", name=what, got=document)
    given = dict(document)
    schema: str = getattr(kind, "SCHEMA", "")
    if schema:
        version: int = getattr(kind, "VERSION", 1)
        for key, must in (("schema", schema), ("version", version)):
            got = given.pop(key, must)
            if got != must or isinstance(got, bool):
                refuse("constant", name=_at(path, key), wanted=must, got=got)
    values = {}
    for name, hint, needed in parts(kind):
        if name in given:
            values[name] = checked(hint, given.pop(name), _at(path, name), strict)
        elif needed:
            refuse("no_key", name=what, key=name, got=", ".join(map(str, document)))
    if given and strict:
        known = tuple(name for name, _, _ in parts(kind))
        refuse("other_key", name=what, known=known, got=next(iter(given)))
    return kind(**values)


def checked(hint: Any, value: Any, path: str, strict: bool = True) -> Any:
    """`value` as a value of the type `hint`. Raises InputError, which names `path`, for any other."""
    if hint == Id:
        return check_id(path, value)
    if hint is Json and isinstance(value, Json):  # of a document that was checked before
        return value
    if hint is Json:
        return Json(json.dumps(_free(value, path, DEEPEST), ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    if hint is bool:
        return check_flag(path, value)
    if hint is int:
        return check_whole(path, value, low=-MOST_NUMBER, high=MOST_NUMBER)
    if hint is float:
        return check_number(path, value)
    if hint is str:
        return _text(path, value)
    if get_origin(hint) is tuple:
        return _entries(get_args(hint)[0], value, path, strict)
    if get_origin(hint) in (Union, UnionType):
        return _one_of(get_args(hint), value, path, strict)
    if not is_dataclass(hint):
        raise TypeError(f"{path}: fields of type {hint} have no JSON")
    kind: Any = hint
    return value if isinstance(value, kind) else parsed(kind, value, path, strict)


def _text(path: str, value: Any) -> str:
    """A text that can be written as UTF-8."""
    if not isinstance(value, str) or any("\ud800" <= c <= "\udfff" for c in value):
        refuse("type", name=path, what="a_text", got=value)
    return value


def _entries(hint: Any, value: Any, path: str, strict: bool) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_ENTRIES:
        found, got = ("entries", len(value)) if isinstance(value, (list, tuple)) else ("value", value)
        refuse("long_list", name=path, most=MOST_ENTRIES, found=found, got=got)
    return tuple(checked(hint, entry, f"{path}[{at}]", strict) for at, entry in enumerate(value))


def _one_of(hints: tuple[Any, ...], value: Any, path: str, strict: bool) -> Any:
    """The alternative that suits: null, a text, else the one that is left."""
    if value is None and NoneType in hints:
        return None
    if str in hints and isinstance(value, str):
        return _text(path, value)
    left = [hint for hint in hints if hint not in (NoneType, str)]
    return checked(left[0] if left else str, value, path, strict)


def _free(value: Any, path: str, depth: int) -> Any:
    """A part of free shape as JSON's own types, not nested deeper than `depth`."""
    if depth == 0:
        refuse("nested", name=path, most=DEEPEST)
    if isinstance(value, Mapping):
        return {_text(path, key): _free(entry, _at(path, key), depth - 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_free(entry, f"{path}[{at}]", depth - 1) for at, entry in enumerate(value)]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(path, value)
    return checked(int if isinstance(value, int) else float, value, path)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def parts(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """(name, type, whether it has to be given) of each field of a dataclass."""
    return _parts(kind)


@cache
def _parts(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    found = get_type_hints(kind, include_extras=True)
    return tuple((field.name, found[field.name], field.default is MISSING) for field in fields(kind))
