"""Conditions on the parameters of a model, as data: one table a class, from which its parameters are checked.

    class Near(Estimator):
        _constraints = constraints(k=Whole(low=1), shrink=Range(low=0.0), metric=Choice(("cosine", "dot")))

A class has the conditions of its bases too; one of its own takes the place of a base's. Parameters that the table does
not name are free.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from os import PathLike
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from xattn.errors.choices import check_choice, check_flag, is_listing
from xattn.errors.scalars import check_number, check_whole
from xattn.errors.tree import refuse

__all__ = [
    "DTYPE",
    "POSITIVE",
    "PROBABILITY",
    "SEED",
    "STRENGTH",
    "Auto",
    "ByName",
    "Choice",
    "Constraint",
    "Each",
    "Flag",
    "Optional",
    "Range",
    "TableSource",
    "Whole",
    "check_params",
    "constraints",
    "constraints_of",
]


class Constraint(Protocol):
    """What a value must be."""

    def check(self, name: str, value: Any) -> object:
        """Raise InputError, which names `name`, where `value` breaks the condition."""


class Range(NamedTuple):
    """A finite number from `low` to `high`; an open end is left out itself."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def check(self, name: str, value: Any) -> object:
        return check_number(name, value, low=self.low, high=self.high, open_low=self.open_low, open_high=self.open_high)


class Whole(NamedTuple):
    """A whole number from `low` to `high`."""

    low: int = 0
    high: int | None = None

    def check(self, name: str, value: Any) -> object:
        return check_whole(name, value, low=self.low, high=self.high)


class Choice(NamedTuple):
    """One of some texts."""

    choices: tuple[str, ...]

    def check(self, name: str, value: Any) -> object:
        return check_choice(name, value, self.choices)


class Flag(NamedTuple):
    """True or false."""

    def check(self, name: str, value: Any) -> object:
        return check_flag(name, value)


class Auto(NamedTuple):
    """What `constraint` says, or the text "auto": the fit chooses."""

    constraint: Constraint

    def check(self, name: str, value: Any) -> object:
        if not isinstance(value, str):
            return self.constraint.check(name, value)
        if value != "auto":
            refuse("auto", name=name, got=value)
        return value


class Optional(NamedTuple):
    """None, or what another constraint wants."""

    other: Constraint

    def check(self, name: str, value: Any) -> object:
        return None if value is None else self.other.check(name, value)


class TableSource(NamedTuple):
    """What a table can be read from: a path or an address, an open file, a frame, or a listing; `what` it must be."""

    what: str

    def check(self, name: str, value: Any) -> object:
        if (
            isinstance(value, (str, PathLike))
            or is_listing(value)
            or hasattr(value, "read")
            or hasattr(value, "columns")
        ):
            return value
        refuse("type", name=name, what=self.what, got=value)


class Each(NamedTuple):
    """A tuple or list of at least one value, each as another constraint wants it; `what`: the phrase for one."""

    other: Constraint
    what: str

    def check(self, name: str, value: Any) -> object:
        if not isinstance(value, (tuple, list)) or not value:
            refuse("tuple_of", name=name, what=self.what, got=value)
        return [self.other.check(name, one) for one in value]


class ByName(NamedTuple):
    """A mapping from texts to numbers, each as another constraint wants it; `what`: the phrase for the texts."""

    other: Constraint
    what: str

    def check(self, name: str, value: Any) -> object:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            refuse("numbers_by_name", name=name, what=self.what, got=value)
        return [self.other.check(f"{name}[{key!r}]", one) for key, one in value.items()]


PROBABILITY = Range(0.0, 1.0)
POSITIVE = Range(0.0, open_low=True)
STRENGTH = Range(-1.0, 1.0)  # of an event: −1 speaks against its item as much as 1 speaks for it
SEED = Optional(Whole())
DTYPE = Choice(("float32", "float64"))


def constraints(**of: Constraint) -> Mapping[str, Constraint]:
    """Parameter → condition, of one class."""
    return MappingProxyType(of)


def constraints_of(kind: type) -> dict[str, Constraint]:
    """Parameter → condition, of a class and its bases."""
    found: dict[str, Constraint] = {}
    for base in reversed(kind.__mro__):
        found |= vars(base).get("_constraints", {})
    return found


def check_params(model: Any) -> None:
    """Every parameter of `model` keeps its condition. Raises InputError for the first that does not."""
    for name, constraint in constraints_of(type(model)).items():
        constraint.check(name, getattr(model, name))
