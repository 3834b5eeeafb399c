"""The choices that every protocol gets beside the data and the models, and the parts that all results share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self
from typing import Protocol as Shape

import numpy as np
from sklearn.base import BaseEstimator, clone

from xattn.data import History, Interactions
from xattn.errors import check_some, refuse
from xattn.model.strength import RatingScale
from xattn.progress import Progress, silent

__all__ = [
    "Makers",
    "Model",
    "Prepared",
    "Protocol",
    "Setup",
    "asked",
    "check_unfitted",
    "liked",
    "makers_of",
    "prepared",
    "result",
]


class Model(Shape):
    """All that a protocol asks of a model; `Recommender` and `rivals.Rival` both do."""

    def fit(self, data: Interactions) -> Self: ...

    def scores_of(self, history: History) -> np.ndarray: ...


Makers = Mapping[str, Callable[[], Model]]  # name of a model: what makes it, unfitted

QUESTIONS = {"holdout": "any", "rating": "rating"}  # what a protocol asks of a model; the others ask "next"
UPPER = 2 / 3  # of the way up the scale: 3.5 from 0.5 to 5, and 4 of five whole stars
ROUNDING = 1e-9


class Setup(NamedTuple):
    """The choices of one evaluation; a protocol takes what it needs."""

    k: int
    seed: int
    positive: float | None = None  # the least rating that counts as liked; None: the upper third of the scale
    test: Interactions | None = None
    history: Interactions | None = None
    progress: Progress | None = None
    diversity: float = 0.0  # of the lists, as `recommend` takes it
    agreement: bool = False  # whether each model's lists are held against the first one's
    seen: str = "drop"  # what lists do with items of a history, as `recommend` takes it
    repeats: int = 0  # lines that said again what another one said, and are left out

    @property
    def tell(self) -> Progress:
        """Where progress is told."""
        return self.progress or silent


Protocol = Callable[[Interactions, Makers, Setup], dict[str, Any]]


def asked(model: Any, protocol: str) -> Any:
    """The unfitted model as `protocol` asks it: a copy with the settings that its class declares for this question.

    Only a setting that is "auto" is filled in, such as an `objective`.

    >>> from xattn.recommenders import HybridAttention, NeuralAttention
    >>> asked(HybridAttention(), "holdout").objective, asked(HybridAttention(objective="next"), "holdout").objective
    ('any', 'next')
    >>> asked(NeuralAttention(), "next-item").objective, asked(NeuralAttention(), "rating").objective
    ('next', 'auto')
    """
    if not isinstance(model, BaseEstimator):
        return model
    declared = getattr(model, "settings_for", {}).get(QUESTIONS.get(protocol, "next"), {})
    settings = model.get_params(deep=False)
    chosen = {name: value for name, value in declared.items() if settings.get(name) == "auto"}
    return clone(model).set_params(**chosen) if chosen else model


class Prepared(NamedTuple):
    """Data without exact repeats, cut to its core, and how many repeats were left out."""

    data: Interactions
    repeats: int


def prepared(data: Interactions, min_events: int) -> Prepared:
    """The tested data: each line once, then the N-core. A line that stands twice would be its own answer."""
    once = data.without_repeats()
    return Prepared(once.core(min_events) if min_events > 1 else once, data.n_events - once.n_events)


def makers_of(models: Makers | Sequence[Model], protocol: str) -> Makers:
    """Models by name, each made as `protocol` asks it. Raises InputError where there is none, or something else."""
    if not isinstance(models, (Mapping, list, tuple)):
        refuse("type", name="models", what="list_of_models", got=models)
    check_some("models", models, "model")
    if not isinstance(models, Mapping):
        return {type(model).__name__: _asking(_the_same(check_unfitted("models", model)), protocol) for model in models}
    for name, make in models.items():
        if not isinstance(name, str) or not callable(make):
            refuse("type", name="models", what="maker_by_name", got={name: make})
    return {name: _asking(make, protocol) for name, make in models.items()}


def check_unfitted(name: str, model: Any) -> Any:
    """`model` if it is one that can be fitted and asked for scores: an object, and not its class."""
    if isinstance(model, type) or not all(callable(getattr(model, done, None)) for done in ("fit", "scores_of")):
        refuse("type", name=name, what="model_to_fit", got=model)
    return model


def _asking(make: Callable[[], Model], protocol: str) -> Callable[[], Model]:
    return lambda: asked(check_unfitted("models", make()), protocol)


def _the_same(model: Model) -> Callable[[], Model]:
    return lambda: model


def liked(data: Interactions, positive: float | None) -> np.ndarray:
    """(N,) bool: the events rated at least `positive`; without it, those in the upper third of the rating scale.

    Without ratings, or where they are no scale (one value only, or amounts), every event is liked.

    >>> from xattn.data.synthetic import planted
    >>> data = planted("genre", n_users=5, seed=0).data
    >>> np.unique(data.rating[liked(data, None)])
    array([4., 5.])
    """
    if data.rating is None:
        return np.ones(data.n_events, bool)
    if positive is None:
        low, high = RatingScale.of(data.scale)[:2]
        if high <= low:
            return np.ones(data.n_events, bool)
        positive = low + UPPER * (high - low)
    found: np.ndarray = data.rating >= positive - ROUNDING
    return found


def result(
    protocol: str,
    data: Interactions,
    users: int,
    setup: Setup,
    rows: list[dict[str, Any]],
    counts: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """The outcome of a protocol: what was tested on what, and one row a model.

    `counts` are those of the targets of a protocol that ranks; "repeats" joins them.
    """
    sizes = {"users": users, "items": data.n_items, "events": data.n_events}
    asked = {} if counts is None else {"seen": setup.seen, "questions": {**counts, "repeats": setup.repeats}}
    return {"protocol": protocol, "dataset": data.name, **sizes, "k": setup.k, **asked, "rows": rows}
