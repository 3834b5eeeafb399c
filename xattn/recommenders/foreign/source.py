"""Where a wrapped model comes from: the one that was handed in, or a function that fits another to other data.

A source is a setting of a wrapped recommender. It is handed on whole, never copied: a copy of a fitted model by the
rules of scikit-learn would be an unfitted one. It has no form in a file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np

from xattn.data import Interactions
from xattn.errors import Quoted, check_id, refuse, shown, some_of

__all__ = ["Found", "Source", "name_of", "places_of", "said", "trained"]

LONGEST = 120  # characters of somebody else's message that a refusal quotes


class Found(NamedTuple):
    """An adapted model, and the ids of its items in its own order."""

    model: Any
    ids: tuple[str, ...]


class Source:
    """`model` was fitted to `data`; `train` fits another one; `adapt` turns either into what a recommender holds.

    `items` are the ids of the model's items in its own order, None where that is the order of the data or the model
    itself holds its ids, which `known` then tells. A model that `train` fits has the order of the data that it is
    given, if it holds no ids.
    """

    def __init__(
        self,
        model: Any,
        data: Interactions,
        adapt: Callable[[Any, tuple[str, ...]], Any],
        *,
        items: tuple[str, ...] | None = None,
        train: Callable[[Interactions], Any] | None = None,
        known: Callable[[Any], tuple[Any, ...] | None] = lambda model: None,
    ) -> None:
        self.model = model
        self.data = data
        self.adapt = adapt
        self.items = items
        self.train = train
        self.known = known

    def __repr__(self) -> str:
        return name_of(self.model)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @property
    def stated(self) -> bool:
        """Whether the order of the items was stated, or is held by the model, and not taken to be that of the data."""
        return self.items is not None or self.known(self.model) is not None

    def of(self, data: Interactions) -> Found:
        """The model of `data`. Raises InputError for other data than the model's where nothing trains anew."""
        if data is self.data or data.checksum == self.data.checksum:
            ids = self._ids(self.model, data) if self.items is None else self.items
            return Found(self.adapt(self.model, ids), ids)
        if self.train is None:
            refuse("wrapped_fit", model=repr(self))
        model = trained(self.train, data)
        ids = self._ids(model, data)
        return Found(self.adapt(model, ids), ids)

    def _ids(self, model: Any, data: Interactions) -> tuple[str, ...]:
        """The ids that the model holds, else those of the data."""
        held = self.known(model)
        return data.items.ids if held is None else tuple(check_id("items", item) for item in held)


def trained(train: Callable[[Interactions], Any], data: Interactions) -> Any:
    """What `train` fits to `data`. Raises InputError where it stops."""
    try:
        return train(data)
    except Exception as problem:
        refuse("foreign_train", because=problem, got=said(problem))


def places_of(items: tuple[str, ...], data: Interactions) -> np.ndarray:
    """(M,) the place in `items` of each item of `data`. Raises InputError where an id stands twice or is missing."""
    if items == data.items.ids:
        return np.arange(data.n_items)
    place: dict[str, int] = {}
    for at, item in enumerate(items):
        if place.setdefault(item, at) != at:
            refuse("twice", name="items", what="item", got=item)
    missing = [item for item in data.items.ids if item not in place]
    if missing:
        refuse("foreign_items", n=len(missing), of=data.n_items, **some_of(missing, 3))
    return np.array([place[item] for item in data.items.ids], np.int64)


def name_of(model: Any) -> str:
    """What a model is called where it is shown: its class, or the name of a function.

    >>> name_of(np.zeros((2, 2))), name_of(len)
    ('numpy.ndarray', 'builtins.len')
    """
    named = model if hasattr(model, "__qualname__") else type(model)
    return f"{named.__module__}.{named.__qualname__}"


def said(problem: BaseException) -> Quoted:
    """Somebody else's exception as a refusal quotes it: its kind and the first line of what it says."""
    text = f"{type(problem).__name__}: {str(problem).strip()}".splitlines()[0]
    return Quoted(shown(Quoted(text[:LONGEST])))
