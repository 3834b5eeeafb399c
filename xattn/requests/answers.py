"""The five answers as plain frozen values; their JSON is what `xattn … --json` prints (docs/cli.md), with its schema.

Every number comes from a ledger of the model that answered: cells sum to score − base, differences to the total.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

import pandas as pd

from xattn.explain import Difference, Ledger, ListLedger, Origin, WhyNot
from xattn.requests.plain import Id, Json, Plain, parsed

__all__ = ["Answer", "CompareAnswer", "ExplainAnswer", "ListAnswer", "RecommendAnswer", "WhyNotAnswer"]


@dataclass(frozen=True)
class Texts(Plain):
    """One text in each language."""

    en: str
    zh: str


@dataclass(frozen=True)
class Listed(Plain):
    """An item of a list; `base` is the part of the score that does not come from the history."""

    rank: int
    item: Id
    title: str
    score: float
    base: float


@dataclass(frozen=True)
class Answer(Plain):
    """Base of the answers. A document with keys that a later version added can be read; they are left out."""

    @classmethod
    def from_dict(cls, document: Any) -> Self:
        return parsed(cls, document, strict=False)


@dataclass(frozen=True)
class RecommendAnswer(Answer):
    """The list for a user, or for someone new (None)."""

    SCHEMA = "xattn.recommended"
    user: Id | None
    items: tuple[Listed, ...]

    @classmethod
    def of(cls, user: str | None, found: pd.DataFrame) -> Self:
        """The answer that a frame of `recommend` holds."""
        return parsed(cls, {"user": user, "items": found.to_dict(orient="records")})


# --- one item ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Met(Plain):
    """An event of the explained history; `age` counts back from the newest."""

    position: int
    event: Id
    title: str
    rating: float | None
    age: float
    masked: bool


@dataclass(frozen=True)
class Cell(Plain):
    """contribution = gate · weight · strength · value, for one event, head and feature."""

    head: str
    event: Id
    title: str
    position: int
    feature: str
    weight: float
    strength: float
    value: float
    gate: float
    contribution: float


@dataclass(frozen=True)
class Interval(Plain):
    """How sure an average over orders is: its 95 % interval."""

    event: Id
    title: str
    position: int
    contribution: float
    low: float
    high: float


@dataclass(frozen=True)
class Removal(Plain):
    """What masking one item does: all its events, `times` of them, the newest at `position`."""

    event: Id
    title: str
    times: int
    position: int
    effect: float
    score_without: float
    rank_without: int | None


@dataclass(frozen=True)
class SmallestSet(Plain):
    """A smallest set of events without which the item is not in the list (`xattn.Counterfactual`)."""

    remove: tuple[Id, ...]
    exact: bool
    found: bool
    replaced_by: Id | None
    rank_after: int | None
    at_least: int


@dataclass(frozen=True)
class Level(Plain):
    """How sure the first reason is, and by which rule."""

    level: str
    reason: str


@dataclass(frozen=True)
class ExplainAnswer(Answer):
    """The explanation of one score, with all that it takes to check it later (`xattn.explain.explanation_schema`)."""

    SCHEMA = "xattn.explanation"
    made_with: Json
    model: Json
    data: Json
    asked: Json
    history: tuple[Met, ...]
    user: Id | None
    item: Id
    title: str
    score: float
    base: float
    rank: int | None
    k: int
    amounts: str = field(default="terms", kw_only=True)  # as `orders` and `intervals`, not in documents of before
    cells: tuple[Cell, ...]
    removals: tuple[Removal, ...]
    counterfactual: SmallestSet
    groups: Json
    parts: Json
    places: Json = field(default=Json("{}"), kw_only=True)  # not in documents of before
    orders: int | None = field(default=None, kw_only=True)
    intervals: tuple[Interval, ...] = field(default=(), kw_only=True)
    base_share: float
    effective_events: float
    notes: tuple[str, ...]
    confidence: Level
    text: Texts
    scenario: str
    texts: Json
    reproduce: str

    def body(self) -> dict[str, Any]:
        """The fields under the schema and its version, which this document always bears."""
        return {"schema": self.SCHEMA, "version": self.VERSION, **super().body()}

    @classmethod
    def of(cls, found: Ledger, origin: Origin | None = None, scenario: str = "films") -> Self:
        """The answer that a ledger holds."""
        return parsed(cls, found.explanation(scenario=scenario, origin=origin))


# --- two items, an item out of the list, a whole list -----------------------------------------------------------------


@dataclass(frozen=True)
class Scored(Plain):
    """One side of a difference."""

    user: Id | None
    item: Id
    title: str
    score: float


@dataclass(frozen=True)
class CellPair(Plain):
    """A cell of both ledgers; a position is −1 where that history does not have the event."""

    head: str
    event: str
    title: str
    feature: str
    position_a: int
    position_b: int
    contribution_a: float
    contribution_b: float
    difference: float


@dataclass(frozen=True)
class CompareAnswer(Answer):
    """The score of `a` less that of `b`; the differences of the cells sum to `total`."""

    SCHEMA = "xattn.comparison"
    a: Scored
    b: Scored
    total: float
    cells: tuple[CellPair, ...]
    text: Texts

    @classmethod
    def of(cls, found: Difference) -> Self:
        """The answer that a difference of two ledgers holds."""
        return parsed(cls, found.to_dict())


@dataclass(frozen=True)
class Additions(Plain):
    """Further events that would bring an item into the list (`xattn.explain.Added`)."""

    items: tuple[Id, ...]
    found: bool
    exact: bool
    rank_after: int | None
    tried: int


@dataclass(frozen=True)
class WhyNotAnswer(Answer):
    """How far an item is from the list: the differences of the cells to the list's last item sum to `gap`."""

    SCHEMA = "xattn.absence"
    item: Id
    rank: int
    k: int
    gap: float
    cutoff: Id
    cells: tuple[CellPair, ...]
    added: Additions
    text: Texts

    @classmethod
    def of(cls, found: WhyNot) -> Self:
        """The answer that a WhyNot holds."""
        return parsed(cls, found.to_dict())


@dataclass(frozen=True)
class ListEvent(Plain):
    """What one item of the history does for a whole list, and which items its removal lets in."""

    event: Id
    title: str
    times: int
    position: int
    contribution: float
    effect: float
    leaves: int
    enters: tuple[Id, ...]


@dataclass(frozen=True)
class ListAnswer(Answer):
    """A list and the events that it rests on."""

    SCHEMA = "xattn.explained-list"
    items: tuple[Listed, ...]
    events: tuple[ListEvent, ...]
    text: Texts

    @classmethod
    def of(cls, found: ListLedger) -> Self:
        """The answer that an explained list holds."""
        return parsed(cls, found.to_dict())
