"""From options to objects: the data, the model and the question, each checked before a fit takes its seconds."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xattn.cli.options import DataChoice, ListChoice, ModelChoice, PersonChoice, check_left_out
from xattn.cli.screen import note, progress
from xattn.errors import InputError, shown

if TYPE_CHECKING:
    from xattn import Interactions
    from xattn.recommenders import Recommender

__all__ = ["Subject", "configured", "is_model_file", "load_data", "model_names", "named_model", "question", "subject"]

DEFAULT_MODEL = "HybridAttention"
DEFAULT_K = 10


def load_data(source: DataChoice) -> Interactions:
    """The data that the options name. Raises InputError, DataError."""
    from xattn import load_dataset, read_interactions

    source.check()
    if source.ratings is not None:
        return read_interactions(source.ratings, source.items)
    return load_dataset(str(source.data))


# --- the model --------------------------------------------------------------------------------------------------------


def model_names() -> list[str]:
    """The recommenders that can be fitted here, by name."""
    from xattn import recommenders

    kinds = {name: getattr(recommenders, name) for name in recommenders.__all__}
    return [name for name, kind in kinds.items() if isinstance(kind, type) and kind is not recommenders.Recommender]


def named_model(name: str, choice: ModelChoice, must: str = "--models must be among") -> Recommender:
    """An unfitted recommender with the settings of `choice`. Raises InputError for what it does not have."""
    from xattn import recommenders

    by_spelling = {known.casefold(): known for known in model_names()}
    if name.casefold() not in by_spelling:
        raise InputError(f"{must} {', '.join(by_spelling.values())}; got {shown(name)}.")
    made: Recommender = configured(getattr(recommenders, by_spelling[name.casefold()])(), choice)
    return made


def configured(model: Any, choice: ModelChoice) -> Any:
    """The unfitted model with the settings, the seed and the type of `choice`. Raises InputError for others."""
    name, own = type(model).__name__, model.get_params(deep=False)
    settings = dict(_setting(text) for text in choice.settings)
    for key in settings:
        names = [known for known in own if known not in ("random_state", "dtype")]
        if key not in names:
            must = f"--set must name a setting of {name} ({', '.join(names) or 'it has none'})"
            raise InputError(f"{must}; got {shown(key)}.")
    if choice.dtype is not None:
        if "dtype" not in own:
            check_left_out(f"with {name}, which has no such setting", dtype=choice.dtype)
        settings["dtype"] = choice.dtype
    if choice.seed is not None and "random_state" in own:  # the others are not random at all
        settings["random_state"] = choice.seed
    return model.set_params(**settings)


def _setting(text: str) -> tuple[str, Any]:
    """NAME=VALUE as a name and a number, list or text."""
    name, _, value = text.partition("=")
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):  # no JSON: the text itself, which the model will judge
        parsed = value
    return name.strip(), tuple(parsed) if isinstance(parsed, list) else parsed


# --- data and model together ------------------------------------------------------------------------------------------


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
    choice.check()
    name = choice.model if choice.model is not None else DEFAULT_MODEL
    if not is_model_file(name):
        source.check()
        model = named_model(name, choice, "--model must be a file of `xattn fit`, or one of")
        return Subject(load_data(source), model, fitted=False)
    from xattn import load_model

    check_left_out("with a saved model", set=choice.settings, seed=choice.seed, dtype=choice.dtype)
    model = load_model(name)
    if source.given and not _same(load_data(source), model.data_):
        own = f"the data that {shown(os.path.basename(name))} was fitted on ({model.data_.name}), or be left out"
        raise InputError(f"--data or --ratings must be {own}; got other data.")
    return Subject(model.data_, model, fitted=True)


def is_model_file(name: str) -> bool:
    """--model names a file of `xattn fit`, not a kind of model."""
    if name.casefold().endswith(".npz") or os.path.basename(name) != name:
        return True
    return os.path.exists(name) and name.casefold() not in {known.casefold() for known in model_names()}


def _same(a: Interactions, b: Interactions) -> bool:
    """Same users, items and events."""
    same = a.user_ids == b.user_ids and a.items.ids == b.items.ids and a.n_events == b.n_events
    return same and np.array_equal(a.indptr, b.indptr) and np.array_equal(a.item, b.item)


# --- the question -----------------------------------------------------------------------------------------------------


def question(data: Interactions, person: PersonChoice, listing: ListChoice) -> dict[str, Any]:
    """The arguments of `recommend` (and `explain`) that the options stand for, with every id looked up once."""
    from xattn import History

    asked: dict[str, Any] = {"k": listing.k if listing.k is not None else min(DEFAULT_K, data.n_items)}
    if person.user is not None:
        data.user_row(person.user)
        asked["user"] = person.user
    else:
        asked["history"] = History.given(data, _events(str(person.history)))
        _tell_unknown(asked["history"].unknown)
    if listing.candidates is not None:
        asked["candidates"] = _candidates(data, listing.candidates)
    if listing.where:
        asked["where"] = _conditions(data, listing.where)
    asked |= {"exclude": listing.exclude, "without": listing.without}
    for item in (*listing.exclude, *asked.get("candidates", ()), *listing.without):
        data.item_row(item)
    return asked


def _candidates(data: Interactions, text: str) -> list[str]:
    """The ids in a file, or ids parted by commas where no file has that name."""
    ids = [part.strip() for part in text.split(",")]
    if not os.path.exists(text) and (len(ids) > 1 or ids[0] in data.items.ids):
        return ids
    return [item for item, _ in _events(text)]


def _conditions(data: Interactions, texts: tuple[str, ...]) -> dict[str, Any]:
    """COLUMN=VALUE of each text as `recommend(where=…)` takes it; every condition is tried on the items once."""
    from xattn.data.filters import matching

    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        name = name.strip()
        if name in found:
            must = "--where must name each column once (with | between values, any of them will do)"
            raise InputError(f"{must}; got {shown(name)} again.")
        column = data.items.frame.get(name)
        numeric = column is not None and column.dtype.kind in "fiub"
        found[name] = _of_numbers(name, value) if numeric else [part.strip() for part in value.split("|")]
    matching(data.items, found)
    return found


def _of_numbers(name: str, text: str) -> Any:
    """A range LOW..HIGH, of which an end may be left out, or numbers with | between them."""
    low, dots, high = text.partition("..")
    if dots:
        return tuple(_number(name, end) if end.strip() else None for end in (low, high))
    return [_number(name, part) for part in text.split("|")]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        must = (
            f"--where {shown(name, limit=30)} must be a number, a range such as 1990..1999, or numbers with | between"
        )
        raise InputError(f"{must}; got {shown(text)}.") from None


def _events(path: str) -> list[tuple[str, float | None]]:
    from xattn.data import read_history

    return read_history(sys.stdin.buffer if path == "-" else path)


def _tell_unknown(unknown: tuple[str, ...]) -> None:
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        note(f"Note: not among the items, so left out of the history: {', '.join(map(shown, unknown[:3]))}{more}.")
