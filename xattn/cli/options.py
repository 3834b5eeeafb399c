"""The options that several commands share, in groups: the data, the model, the person, the list.

A group is a decorator. It adds its options to a command, which gets one frozen value for them. The value checks itself
when it is made.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any

import click

from xattn.cli.data_options import READING, ReadingChoice
from xattn.errors import check_choice, check_moment, check_whole, refuse

__all__ = [
    "DataChoice",
    "ListChoice",
    "ModelChoice",
    "PersonChoice",
    "SomePerson",
    "as_json",
    "check_left_out",
    "data_options",
    "grouped",
    "language",
    "list_options",
    "model_options",
    "perhaps_person_options",
    "person_options",
]

Command = Callable[..., None]
DTYPES = ("float32", "float64")


def check_one_of(**given: Any) -> None:
    """Raise InputError unless exactly one of the named options is given."""
    names = [f"--{name}" for name, value in given.items() if value is not None]
    if len(names) != 1:
        found = "these" if names else "none_of_them"
        refuse("one_of", names=tuple(f"--{name}" for name in given), found=found, got=tuple(names))


def check_left_out(choice: str, when: str = "with_option", /, **given: Any) -> None:
    """Raise InputError where an option is given beside `choice`; the phrase `when` says how they exclude each other."""
    for name, value in given.items():
        if value not in (None, ()):
            got = ", ".join(value) if isinstance(value, tuple) else str(value)
            refuse("option_left_out", option=name, when=when, choice=choice, got=got)


def grouped(name: str, kind: Any, *options: Any) -> Callable[[Command], Command]:
    """A decorator that adds `options` to a command and passes them to it as one value, under `name`.

    `kind` is a dataclass with a field for each option.
    """
    names = [field.name for field in fields(kind)]

    def decorate(command: Command) -> Command:
        @wraps(command)
        def with_group(*args: Any, **given: Any) -> None:
            command(*args, **{name: kind(**{field: given.pop(field) for field in names})}, **given)

        decorated: Command = with_group
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


# --- data -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DataChoice(ReadingChoice):
    """A bundled set by name, or files of ratings and perhaps items; nothing where a saved model or a split has them."""

    data: str | None = None
    ratings: str | None = None
    items: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError where two sources are named, or options of a table beside a bundled set."""
        if self.data is not None:
            check_one_of(data=self.data, ratings=self.ratings)
            check_left_out("--data", items=self.items, **self.said)

    @property
    def given(self) -> bool:
        return not self.data == self.ratings == self.items


data_options = grouped(
    "source",
    DataChoice,
    click.option("--data", metavar="NAME", help="A data set at hand (`xattn data list`)."),
    click.option("--ratings", metavar="FILE", help="A file of your events (user, item, …), or a database's address."),
    click.option("--items", metavar="FILE", help="A file of your items, with --ratings: item, title, feature columns."),
    *READING,
)


# --- model ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ModelChoice:
    """A recommender by name with its settings, or the file of a saved one."""

    model: str | None = None
    settings: tuple[str, ...] = ()
    seed: int | None = None
    dtype: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError for a seed or type out of bounds, a setting without a value, or one for a saved model."""
        if self.seed is not None:
            check_whole("seed", self.seed, low=0)
        if self.dtype is not None:
            check_choice("dtype", self.dtype, DTYPES)
        for setting in self.settings:
            if not setting.partition("=")[0].strip() or "=" not in setting:
                refuse("set_form", got=setting)
        if self.saved:
            check_left_out("", "with_saved_model", set=self.settings, seed=self.seed, dtype=self.dtype)

    @property
    def saved(self) -> bool:
        """The model is a file of `xattn fit`: its name ends in .npz or has a folder, or no kind of model has it."""
        name = self.model or ""
        if name.casefold().endswith(".npz") or os.path.basename(name) != name:
            return True
        if not os.path.exists(name):
            return False
        from xattn.recommenders.registry import model_names

        return name.casefold() not in {known.casefold() for known in model_names()}


SEED = click.option("--seed", type=int, metavar="N", help="Seed of the random numbers of the fit.  [default: 0]")
DTYPE = click.option("--dtype", metavar="TYPE", help="Number type of models that solve equations: float32 or float64.")

model_options = grouped(
    "choice",
    ModelChoice,
    click.option("--model", metavar="NAME|FILE", help="A recommender, or a file of `xattn fit`.  [HybridAttention]"),
    click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the model; repeatable."),
    SEED,
    DTYPE,
)


# --- person, list -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PersonChoice:
    """A known user, or the events of someone new, or nobody."""

    user: str | None
    history: str | None


@dataclass(frozen=True)
class SomePerson(PersonChoice):
    """A known user, or the events of someone new; and when the list is asked."""

    at: str | None = None

    def __post_init__(self) -> None:
        """Raise InputError unless exactly one is named, and for what is no moment."""
        check_one_of(user=self.user, history=self.history)
        if self.at is not None:
            check_moment("at", self.at)


PERSON = (
    click.option("--user", metavar="ID", help="A user of the data."),
    click.option(
        "--history", metavar="FILE", help="Events of someone new, item[,rating][,time], oldest first; - is stdin."
    ),
)
AT = click.option(
    "--at", metavar="MOMENT", help="When the list is asked, as 2026-01-31T12:00.  [at the person's newest event]"
)
person_options = grouped("person", SomePerson, *PERSON, AT)
perhaps_person_options = grouped("person", PersonChoice, *PERSON)


@dataclass(frozen=True)
class ListChoice:
    """How long the list is and what may be in it."""

    k: int | None
    exclude: tuple[str, ...]
    candidates: str | None
    where: tuple[str, ...]
    without: tuple[str, ...]
    seen: str

    def __post_init__(self) -> None:
        """Raise InputError for a list of no items, or a condition that is no COLUMN=VALUE."""
        if self.k is not None:
            check_whole("k", self.k, low=1)
        for condition in self.where:
            if not condition.partition("=")[0].strip() or "=" not in condition:
                refuse("where_form", got=condition)


DIVERSITY = click.option(
    "--diversity", type=float, default=0.0, metavar="D", help="How much variety counts against score, from 0 to 1.  [0]"
)
SEEN = click.option(
    "--seen",
    type=click.Choice(("drop", "keep")),
    default="drop",
    show_default=True,
    help="Items that the person met before: not in the list, or in it again.",
)
LENGTH = click.option("-k", "k", type=int, metavar="N", help="Length of the list.  [10, or all items if fewer]")

list_options = grouped(
    "listing",
    ListChoice,
    LENGTH,
    click.option("--exclude", multiple=True, metavar="ITEM", help="Leave this item out of the list; repeatable."),
    click.option(
        "--candidates", metavar="FILE|IDS", help="Consider only these items: a file, or ids with commas between."
    ),
    click.option(
        "--where", multiple=True, metavar="COLUMN=VALUE", help="Consider only items that have this; repeatable."
    ),
    click.option(
        "--without", multiple=True, metavar="ITEM", help="Mask the events of this item in the history; repeatable."
    ),
    SEEN,
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
language = click.option("--lang", type=click.Choice(("en", "zh")), default="en", show_default=True, help="Language.")
