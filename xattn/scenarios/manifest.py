"""A manifest says what a scenario is: its people, its data, its words, what must never be a feature, what it warns of.

A manifest is a TOML file; the dataclasses below are its schema, field by field. Texts for readers stand in both
languages, as ``{en = "…", zh = "…"}``. Data come from one or more of three places:

    [own]        files beside the manifest, and how they are read
    [real]       a public set that lies in the folder XATTN_TEST_DATA, and the converter that reads it
    [simulated]  items made of columns of values, and people with known tastes over them (xattn/data/simulate.py)
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from xattn.data.simulate import Tastes
from xattn.errors import (
    InputError,
    check_choice,
    check_named,
    check_number,
    check_same_length,
    check_some,
    check_whole,
    refuse,
)
from xattn.explain import SCENARIOS
from xattn.features.registry import block_names
from xattn.files import open_regular
from xattn.recommenders.listing import SEEN
from xattn.recommenders.registry import DEFAULT, model_class
from xattn.requests.plain import Given, parsed

__all__ = [
    "Column",
    "EventType",
    "Manifest",
    "Own",
    "Real",
    "Said",
    "SimulatedSet",
    "builtin",
    "manifest_in",
    "manifest_of",
    "names",
]

PROTOCOLS = ("next-item", "holdout")
NO_ADVICE = ("health", "finance")  # words of fields in which a list could be taken for advice
MOST_BYTES = 1_000_000  # of a manifest
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Said(Given):
    """A text in both languages."""

    en: str
    zh: str

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("en", "zh"):
            if not getattr(self, name).strip():
                refuse("visible_text", name=name, got=getattr(self, name))

    def told(self, lang: str) -> str:
        """The text in one language."""
        return str(getattr(self, lang))


@dataclass(frozen=True, kw_only=True)
class Setting(Given):
    """A setting of the default model that is another one on these data, and why: a number, or several (`recency`)."""

    name: str
    why: Said
    value: float | None = None
    values: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        own = model_class(DEFAULT)().get_params(deep=False).items()
        check_choice("settings", self.name, [key for key, at in own if at is None or isinstance(at, float | tuple)])
        if (self.value is None) != bool(self.values):
            refuse("manifest_setting", name=self.name)

    @property
    def given(self) -> float | tuple[float, ...]:
        """What the model is given."""
        return self.values if self.value is None else self.value


@dataclass(frozen=True, kw_only=True)
class Own(Given):
    """Files of events and perhaps items, beside the manifest, and how they are read: as the options of `xattn fit`;
    `settings` of the model that differ on them."""

    ratings: str
    items: str | None = None
    columns: tuple[str, ...] = ()  # "role=header"
    scale: str | None = None
    unrated: tuple[str, ...] = ()
    amount: str | None = None
    time_format: str | None = None
    encoding: str | None = None
    missing: str = "refuse"
    repeats: str = "keep"
    settings: tuple[Setting, ...] = ()

    def reading(self) -> dict[str, Any]:
        """The arguments of `read_interactions`. Raises InputError for a column that is no ROLE=NAME."""
        roles = {}
        for text in self.columns:
            role, equals, header = text.partition("=")
            if not equals or not role.strip():
                refuse("manifest_pairs", name="own.columns", example="user=visitorid", got=text)
            roles[role.strip()] = header.strip() or None
        return {
            "columns": roles or None,
            "scale": self.scale,
            "unrated": list(self.unrated) or None,
            "amount": self.amount,
            "time_format": self.time_format,
            "encoding": self.encoding,
            "missing": self.missing,
            "repeats": self.repeats,
        }


@dataclass(frozen=True)
class Titled(Given):
    """What an item of a public set is called in Chinese."""

    item: str
    zh: str


@dataclass(frozen=True, kw_only=True)
class Real(Given):
    """A public set: the name of its folder, of its converter, its licence, its source, and what to know about it.

    `words` are those of this set, where people did something else there than in the field at large; `settings` those of
    the model that differ on it; `titles` those of its items in Chinese.
    """

    set: str
    converter: str
    licence: str
    source: str
    about: Said
    words: str | None = None
    settings: tuple[Setting, ...] = ()
    titles: tuple[Titled, ...] = ()


@dataclass(frozen=True)
class Column(Given):
    """A column of simulated items: texts from `values` (in Chinese: `zh`, as many), or numbers from `low` to `high`."""

    name: str
    values: tuple[str, ...] = ()
    zh: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.values) == (self.low is not None and self.high is not None):
            refuse("manifest_column", name=self.name)
        if self.zh:
            check_same_length(values=len(self.values), zh=len(self.zh))
        if self.low is not None and self.high is not None:
            check_number("high", self.high, low=self.low)


@dataclass(frozen=True, kw_only=True)
class SimulatedSet(Given, Tastes):
    """Made items and people, and how these choose. `title` is the form of the items' names, with columns in braces, and
    `title_zh` that of their names in Chinese; `items_from` names a public set whose items take the place of made ones
    where it is at hand; `settings` of the model differ on these people."""

    title: str
    columns: tuple[Column, ...]
    people: int = 300
    items: int = 90
    items_from: str | None = None
    kinds: tuple[str, ...] = ()
    rated: bool = False
    seed: int = 0
    title_zh: str = ""
    settings: tuple[Setting, ...] = ()

    def __post_init__(self) -> None:
        Given.__post_init__(self)
        Tastes.__post_init__(self)
        check_some("simulated.columns", self.columns, "column")
        check_whole("simulated.people", self.people, low=2)
        check_whole("simulated.items", self.items, low=20)
        if self.kinds and len(self.kinds) != 2:
            refuse("manifest_kinds", got=self.kinds)
        known = [column.name for column in self.columns]
        for name in ("title", "title_zh"):
            for field in re.findall(r"{([^{}]*)}", getattr(self, name)):
                check_named(f"simulated.{name}", field, known, "item_column")

    @property
    def tastes(self) -> Tastes:
        """How these people choose."""
        return Tastes(**{name: getattr(self, name) for name in Tastes.__dataclass_fields__})


@dataclass(frozen=True)
class EventType(Given):
    """What a type of events counts, and why."""

    type: str
    weight: float
    why: Said

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("weight", self.weight, low=-1.0, high=1.0)


@dataclass(frozen=True, kw_only=True)
class Manifest(Given):
    """One scenario. `words` says what people do with items; `seen` whether a list may hold what somebody had before;
    `claim` is what the article says of the field, and `holds` what the data can say to it;
    `groups` are what the report of groups looks at; `sensitive` columns of events or items are taken out before
    anything reads them; `blocks` are "column=block"."""

    SCHEMA = "xattn.scenario"

    name: str
    title: Said
    story: Said
    persona: Said
    words: str
    watch: Said
    questions: tuple[Said, ...]
    claim: Said | None = None
    holds: Said | None = None
    own: Own | None = None
    real: Real | None = None
    simulated: SimulatedSet | None = None
    events: tuple[EventType, ...] = ()
    blocks: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("length",)
    sensitive: tuple[str, ...] = ()
    warnings: tuple[Said, ...] = ()
    seen: str = "drop"
    protocol: str = "next-item"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not NAME.fullmatch(self.name):
            refuse("manifest_name", got=self.name)
        words = [self.words, *([self.real.words] if self.real is not None and self.real.words else [])]
        for own in words:
            check_choice("words", own, SCENARIOS)
        check_choice("seen", self.seen, SEEN)
        check_choice("protocol", self.protocol, PROTOCOLS)
        check_some("questions", self.questions, "question")
        if self.own is None and self.real is None and self.simulated is None:
            refuse("manifest_without_data", got=self.name)
        if self.words in NO_ADVICE and not self.warnings:
            refuse("manifest_warning", got=self.words)
        types = [event.type for event in self.events]
        if len(set(types)) < len(types):
            refuse("twice", name="events", what="event_type", got=next(one for one in types if types.count(one) > 1))
        used = {*self.groups, *self.block_of}
        for name in self.sensitive:
            if name in used:
                refuse("manifest_sensitive", got=name)

    @property
    def block_of(self) -> dict[str, str]:
        """Column of the items → name of its block."""
        found = {}
        for text in self.blocks:
            column, equals, block = text.partition("=")
            if not equals or not column.strip():
                refuse("manifest_pairs", name="blocks", example="story=text", got=text)
            found[column.strip()] = check_choice("blocks", block.strip(), block_names())
        return found

    def settings(self, kind: str) -> tuple[Setting, ...]:
        """The settings of the model that differ on one kind of data: "own", "real", "simulated"."""
        return () if getattr(self, kind) is None else tuple(getattr(self, kind).settings)

    @property
    def weights(self) -> dict[str, float]:
        """Type of events → what one counts."""
        return {event.type: event.weight for event in self.events}


# --- reading ----------------------------------------------------------------------------------------------------------


def names() -> list[str]:
    """The scenarios that come with the package.

    >>> len(names()), names()[:2]
    (10, ['e-commerce', 'social'])
    """
    found = {path.name.removesuffix(".toml"): path for path in files(__package__).iterdir()}
    return [name for name in ORDER if name in found]


ORDER = (  # of the article
    "e-commerce", "social", "news", "music", "education", "health", "finance", "smart-home", "travel", "cars",
)  # fmt: skip


def builtin(name: str) -> Manifest:
    """The manifest of one of `names()`. Raises InputError for another."""
    file = f"{check_choice('scenario', name, names())}.toml"
    return manifest_in((files(__package__) / file).read_text("utf-8"), file)


def manifest_of(path: str | Path) -> Manifest:
    """The manifest in a file. Raises InputError, in one sentence, for what is no manifest."""
    name = Path(path).name
    try:
        with open_regular(path) as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            refuse("manifest_size", file=name, most=MOST_BYTES)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        refuse("no_manifest", file=name, got=str(problem))
    except (OSError, ValueError) as problem:
        if isinstance(problem, InputError):
            raise
        refuse("no_manifest", file=name, got=getattr(problem, "strerror", None) or str(problem))
    return manifest_in(text, name)


def manifest_in(text: str, file: str) -> Manifest:
    """The manifest that a TOML text holds; `file` is what sentences call it. Raises InputError."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        refuse("no_manifest", file=file, got=str(problem))
    return parsed(Manifest, document, file)
