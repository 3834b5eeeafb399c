"""The five requests. Each names a person and a list, and says what it wants to know.

    RecommendRequest    the k best items                                    a frame
    ExplainRequest      why one item has its score                          a Ledger
    CompareRequest      what sets the answers to two ExplainRequests apart  a Difference
    WhyNotRequest       what keeps an item out of the list                  a WhyNot
    ListRequest         which events a whole list rests on                  a ListLedger

`ask(model)` gives the live result in the last column, `answer_of(result)` the same as a plain value with its JSON, and
`answer(model)` does both.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from xattn.data import History, Interactions
from xattn.data.reading.faults import calendar
from xattn.errors import check_choice, check_moment, check_probability, refuse
from xattn.explain import SCENARIOS, Difference, Ledger, ListLedger, Origin, WhyNot, explain_list
from xattn.recommenders import Recommender
from xattn.recommenders.listing import SEEN, listing
from xattn.requests.answers import Answer, CompareAnswer, ExplainAnswer, ListAnswer, RecommendAnswer, WhyNotAnswer
from xattn.requests.plain import Given, Id

__all__ = [
    "CompareRequest",
    "Condition",
    "Event",
    "ExplainRequest",
    "ListRequest",
    "RecommendRequest",
    "Request",
    "WhyNotRequest",
]


Result = TypeVar("Result")
Said = TypeVar("Said", bound=Answer)


@dataclass(frozen=True)
class Event(Given):
    """An item that somebody met, the rating that they gave it, if any, and when that was (ISO 8601, or seconds since
    1970), if that is known."""

    item: Id
    rating: float | None = None
    time: str | float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.time is not None:
            object.__setattr__(self, "time", check_moment("time", self.time))


@dataclass(frozen=True)
class Condition(Given):
    """What a column of the items must hold: one of `values`; without them, a number from `low` to `high`."""

    column: str
    values: tuple[str | float, ...] | None = None
    low: float | None = None
    high: float | None = None

    @property
    def wanted(self) -> Any:
        """The condition as `recommend(where=…)` takes it."""
        return (self.low, self.high) if self.values is None else list(self.values)


@dataclass(frozen=True, kw_only=True)
class Request(Given, Generic[Result, Said]):
    """What all requests say: whose events, and which list.

    The person is `user`, a user of the data, or the events of `history`, oldest first; the events of `further` come
    after them. The list is asked `at` a moment, left out at that of the newest event (see `History.of`). `without`
    masks every event of an item, `masked` the events at these positions (0 is the oldest). `muted` names heads of the
    model that stay silent. The list holds the `k` best items (ten, or all where there are fewer) without those of
    `exclude`; of `candidates` alone, where they are given; and of the items that meet every condition of `where`. Items
    that the person met before are not in it, unless `seen` is "keep".
    """

    user: Id | None = None
    history: tuple[Event, ...] | None = None
    further: tuple[Event, ...] = ()
    at: str | float | None = None
    without: tuple[Id, ...] = ()
    masked: tuple[int, ...] = ()
    muted: tuple[str, ...] = ()
    k: int | None = None
    exclude: tuple[Id, ...] = ()
    candidates: tuple[Id, ...] | None = None
    where: tuple[Condition, ...] = ()
    seen: str = "drop"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("seen", self.seen, SEEN)
        if self.at is not None:
            object.__setattr__(self, "at", check_moment("at", self.at))
        if (self.user is None) == (self.history is None):
            refuse("one_of", names=("user", "history"), found="none_of_them" if self.user is None else "both")
        if any(event.time is not None for event in self.further):
            refuse("further_time")
        columns = [condition.column for condition in self.where]
        if len(set(columns)) < len(columns):
            again = next(column for column in columns if columns.count(column) > 1)
            refuse("where_twice", got=again)

    @property
    def dated(self) -> bool:
        """Whether the events of `history` bear dates, beside which a clock can be set."""
        when = [event.time for event in self.history or ()]
        return None not in when and calendar(np.array(when, dtype=np.float64))

    @abstractmethod
    def ask(self, model: Recommender) -> Result:
        """The live result. Raises InputError (UnknownIdError for ids) where the model's data has no answer."""

    @abstractmethod
    def answer_of(self, found: Result) -> Said:
        """The live result as a plain value."""

    def answer(self, model: Recommender) -> Said:
        """What the model says, as a plain value. Raises InputError as `ask` does."""
        return self.answer_of(self.ask(model))

    def check(self, data: Interactions) -> None:
        """Raise InputError for an id or a column that `data` does not have, before a fit takes its seconds."""
        if self.user is not None:
            History.of(data, data.user_row(self.user), self.at)
        else:
            History.given(data, self._given(), self.at)
        for item in (*(event.item for event in self.further), *self.without):
            data.item_row(item)
        listing(data, **self._conditions())

    def events(self, model: Recommender) -> History:
        """The events that the request is about, masked ones included."""
        events = model.history(self.user, history=self._given(), at=self.at)
        if self.further:
            rows = [model.data_.item_row(event.item) for event in self.further]
            ratings = [event.rating for event in self.further]
            rated = any(rating is not None for rating in ratings)
            events = events.followed_by(rows, np.array(ratings, dtype=np.float64) if rated else None)
        events = model.history(history=events, without=self.without)
        return events.without(self.masked) if self.masked else events

    def _given(self) -> list[tuple[Any, ...]] | None:
        return None if self.history is None else [(event.item, event.rating, event.time) for event in self.history]

    def _conditions(self) -> dict[str, Any]:
        """The list as arguments of `recommend` and `explain`."""
        given: dict[str, Any] = {"k": self.k, "exclude": self.exclude, "seen": self.seen}
        if self.candidates is not None:
            given["candidates"] = list(self.candidates)
        if self.where:
            given["where"] = {condition.column: condition.wanted for condition in self.where}
        return given


@dataclass(frozen=True, kw_only=True)
class RecommendRequest(Request[pd.DataFrame, RecommendAnswer]):
    """The k best items. `diversity` from 0 to 1 trades score for difference by item features."""

    SCHEMA = "xattn.recommend"
    diversity: float = 0.0

    def check(self, data: Interactions) -> None:
        super().check(data)
        listing(data, self.k, diversity=check_probability("diversity", self.diversity))

    def ask(self, model: Recommender) -> pd.DataFrame:
        """A frame of rank, item, title, score, base."""
        model = model.without_heads(self.muted)
        return model.recommend(history=self.events(model), **self._conditions(), diversity=self.diversity)

    def answer_of(self, found: pd.DataFrame) -> RecommendAnswer:
        return RecommendAnswer.of(self.user, found)


@dataclass(frozen=True, kw_only=True)
class ItemRequest(Request[Result, Said]):
    """A request about one item; `scenario` says what people do with items, in words."""

    item: Id
    scenario: str = "films"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("scenario", self.scenario, SCENARIOS)

    def check(self, data: Interactions) -> None:
        super().check(data)
        data.item_row(self.item)

    def ledger(self, model: Recommender) -> Ledger:
        """The ledger of the item's score."""
        model = model.without_heads(self.muted)
        return model.explain(history=self.events(model), item=self.item, **self._conditions())


@dataclass(frozen=True, kw_only=True)
class ExplainRequest(ItemRequest[Ledger, ExplainAnswer]):
    """Why one item has its score."""

    SCHEMA = "xattn.explain"

    def ask(self, model: Recommender) -> Ledger:
        return self.ledger(model)

    def answer_of(self, found: Ledger, origin: Origin | None = None) -> ExplainAnswer:
        """The explanation; `origin` says where the program in it reads the model or the data from."""
        return ExplainAnswer.of(found, origin, self.scenario)


@dataclass(frozen=True, kw_only=True)
class WhyNotRequest(ItemRequest[WhyNot, WhyNotAnswer]):
    """What keeps an item out of the list, and which further events would let it in."""

    SCHEMA = "xattn.why-not"

    def ask(self, model: Recommender) -> WhyNot:
        return self.ledger(model).why_not()

    def answer_of(self, found: WhyNot) -> WhyNotAnswer:
        return WhyNotAnswer.of(found)


@dataclass(frozen=True, kw_only=True)
class ListRequest(Request[ListLedger, ListAnswer]):
    """Which events a whole list rests on."""

    SCHEMA = "xattn.explain-list"

    def ask(self, model: Recommender) -> ListLedger:
        model = model.without_heads(self.muted)
        found = explain_list(model, history=self.events(model), **self._conditions())
        if not len(found.items):
            refuse("nothing_listed")
        return found

    def answer_of(self, found: ListLedger) -> ListAnswer:
        return ListAnswer.of(found)


@dataclass(frozen=True)
class CompareRequest(Given):
    """What sets the score of `a` apart from that of `b`: two items, two people or histories, or two models."""

    SCHEMA = "xattn.compare"
    a: ExplainRequest
    b: ExplainRequest

    def check(self, data: Interactions) -> None:
        """Raise InputError for an id or a column that `data` does not have."""
        self.a.check(data)
        self.b.check(data)

    def ask(self, model: Recommender, other: Recommender | None = None) -> Difference:
        """The difference of the two ledgers; `other` answers `b`, where it is another model."""
        return self.a.ask(model) - self.b.ask(model if other is None else other)

    def answer_of(self, found: Difference) -> CompareAnswer:
        """The difference as a plain value."""
        return CompareAnswer.of(found)

    def answer(self, model: Recommender, other: Recommender | None = None) -> CompareAnswer:
        """What the models say, as a plain value. Raises InputError as `ask` does."""
        return self.answer_of(self.ask(model, other))
