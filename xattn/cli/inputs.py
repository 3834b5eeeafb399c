"""From options to objects: the data, the model and the request, each checked before a fit takes its seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from xattn.cli.data_options import read_told
from xattn.cli.models import named_model
from xattn.cli.options import DataChoice, ListChoice, ModelChoice, PersonChoice, SomePerson, check_left_out
from xattn.cli.screen import note, progress
from xattn.errors import refuse, shown

if TYPE_CHECKING:
    from xattn import Interactions
    from xattn.recommenders import Recommender
    from xattn.requests import Condition

__all__ = ["Subject", "ask", "load_data", "someone", "subject"]


class Checkable(Protocol):
    """A request, which knows what the data must have."""

    def check(self, data: Interactions) -> None: ...


R = TypeVar("R", bound=Checkable)


def ask(
    make: Callable[..., R], source: DataChoice, choice: ModelChoice, person: SomePerson, listing: ListChoice
) -> tuple[Recommender, R]:
    """The fitted model and the request that the options stand for; `make` makes it from a person and a list."""
    about = subject(source, choice)
    request = make(**_person(about.data, person), **_list(about.data, listing))
    request.check(about.data)
    return about.ready(), request


# --- the data and the model -------------------------------------------------------------------------------------------


@dataclass
class Subject:
    """The data of a question, and the model that answers it: loaded already, or fitted on first demand."""

    data: Interactions
    model: Recommender
    fitted: bool

    def ready(self) -> Recommender:
        """The fitted model."""
        if not self.fitted:
            with progress(f"fitting {type(self.model).__name__}") as tell:
                self.model.fit(self.data, progress=tell)
            self.fitted = True
        return self.model


def subject(source: DataChoice, choice: ModelChoice) -> Subject:
    """What the options name. A saved model brings its own data, so none need be named; other data is refused."""
    from xattn import load_model
    from xattn.recommenders.registry import DEFAULT

    if not choice.saved:
        model = named_model(choice.model if choice.model is not None else DEFAULT, choice, "no_model_file")
        if source.event_weights:
            if "event_weights" not in model.get_params(deep=False):
                check_left_out(type(model).__name__, "with_no_such_setting", **{"event-weights": source.event_weights})
            model.set_params(event_weights=source.weights())
        return Subject(load_data(source), model, fitted=False)
    check_left_out("", "with_saved_model", **{"event-weights": source.event_weights})
    if source.ratings is None:
        check_left_out("--ratings", "without_option", **source.said)
    model = load_model(str(choice.model))
    if source.given:
        given = load_data(source)
        if given.checksum != model.data_.checksum:
            refuse("other_data", model=os.path.basename(str(choice.model)), found=_difference(given, model.data_))
    return Subject(model.data_, model, fitted=True)


def _difference(a: Interactions, b: Interactions) -> str:
    """The first thing in which two sets of data differ, as a phrase of the catalogue."""
    ids = (
        ("other_users", "users_in_another_order", a.user_ids, b.user_ids),
        ("other_items", "items_in_another_order", a.items.ids, b.items.ids),
    )
    for others, reordered, one, two in ids:
        if one != two:
            return reordered if sorted(one) == sorted(two) else others
    parts: dict[str, tuple[Any, Any]] = {
        "other_events": (np.append(a.indptr, a.item), np.append(b.indptr, b.item)),
        "other_ratings": (a.rating, b.rating),
        "other_scale": (a.scale, b.scale),
        "other_times": (a.time, b.time),
        "other_types": (a.kind, b.kind),
        "other_titles": (a.items.titles, b.items.titles),
    }
    return next((what for what, pair in parts.items() if not _equal(*pair)), "other_columns")


def _equal(one: Any, two: Any) -> bool:
    """Both are None, or equal; NaN is NaN."""
    if one is None or two is None:
        return one is two
    return np.array_equal(one, two, equal_nan=isinstance(one, np.ndarray) and one.dtype.kind == "f")


def load_data(source: DataChoice) -> Interactions:
    """The data that the options name. Raises InputError, DataError."""
    from xattn import load_dataset

    if source.ratings is not None:
        return read_told(source.ratings, source.items, source)
    if source.data is not None:
        return load_dataset(source.data)
    refuse("one_of", names=("--data", "--ratings"), found="none_of_them")


# --- the person and the list ------------------------------------------------------------------------------------------


def someone(data: Interactions, person: PersonChoice) -> dict[str, Any]:
    """`user`, or `history` as (id, rating, moment) triples, as recommenders take them, each looked up once."""
    from xattn import History

    if person.user is not None:
        data.user_row(person.user)
        return {"user": person.user}
    events = _read_events(str(person.history))
    unknown = History.given(data, events).unknown
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        note(f"Note: not among the items, so left out of the history: {', '.join(map(shown, unknown[:3]))}{more}.")
    return {"history": events}


def _person(data: Interactions, person: SomePerson) -> dict[str, Any]:
    """The person as requests take them."""
    from xattn.requests import Event

    found = someone(data, person)
    if "history" in found:
        found["history"] = [Event(*event) for event in found["history"]]
    return {**found, "at": person.at}


def _list(data: Interactions, listing: ListChoice) -> dict[str, Any]:
    """The list as requests take it."""
    return {
        "k": listing.k,
        "exclude": listing.exclude,
        "without": listing.without,
        "seen": listing.seen,
        "candidates": None if listing.candidates is None else _candidates(data, listing.candidates),
        "where": [_condition(data, text) for text in listing.where],
    }


def _candidates(data: Interactions, text: str) -> list[str]:
    """The ids in a file, or ids parted by commas where no file has that name."""
    ids = [part.strip() for part in text.split(",")]
    if not os.path.exists(text) and (len(ids) > 1 or ids[0] in data.items.ids):
        return ids
    return [item for item, *_ in _read_events(text)]


def _read_events(path: str) -> list[tuple[str, float | None, float | None]]:
    """The events in a file, or in what is piped in."""
    from xattn.data.reading.read import read_moments

    return read_moments(sys.stdin.buffer if path == "-" else path)


def _condition(data: Interactions, text: str) -> Condition:
    """COLUMN=VALUE: words with | between them; in a column of numbers, numbers with | between, or LOW..HIGH."""
    from xattn.requests import Condition

    name, _, value = text.partition("=")
    name = name.strip()
    column = data.items.frame.get(name)
    if column is None or column.dtype.kind not in "fiub":
        return Condition(name, tuple(part.strip() for part in value.split("|")))
    low, dots, high = value.partition("..")
    if dots:
        return Condition(name, None, *(_number(name, end) if end.strip() else None for end in (low, high)))
    return Condition(name, tuple(_number(name, part) for part in value.split("|")))


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        refuse("where_number", column=name, got=text)
