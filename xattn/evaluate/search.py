"""Search for the parameters of a model on validation data, under a budget that is part of the result.

The first trial is the model as given, so the best is never worse than it. The others come from a space, name →
values: without a number of trials all combinations of its lists, with one so many draws. The test events of the
protocol are cut off before anything else is done (`validation`).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import ParameterGrid, ParameterSampler

from xattn.data import Interactions
from xattn.errors import (
    InputError,
    check_choice,
    check_given,
    check_number,
    check_type,
    check_whole,
    current_names,
    refuse,
)
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import SEEN, Questions
from xattn.evaluate.ranking import rank
from xattn.evaluate.rivals import Rival
from xattn.evaluate.setup import Setup, asked, check_unfitted, prepared
from xattn.evaluate.spaces import space_of
from xattn.evaluate.validation import VALIDATIONS
from xattn.progress import Progress
from xattn.recommenders import Recommender

__all__ = ["METRICS", "search"]

LIKING = ("holdout",)  # protocols that ask for liked events
METRICS = ("ndcg", "hr", "recall", "precision", "map", "mrr")


def search(
    data: Interactions,
    model: Recommender | Rival,
    space: Mapping[str, Any] | None = None,
    *,
    trials: int | None = None,
    protocol: str = "next-item",
    metric: str = "ndcg",
    k: int = 10,
    seed: int = 0,
    min_events: int = 1,
    positive: float | None = None,
    seen: str = "drop",
    seconds: float | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Try settings of an unfitted model; returns ``{"protocol", "dataset", "users", "items", "events", "model",
    "metric", "k", "seen", "questions", "wanted", "complete", "seconds", "best", "trials"}``.

    A trial holds params (of the space), value (the metric's mean over the users asked), seconds, and error: None, or
    the sentence with which the model refused the setting, which then has no value. `best` is the trial of the highest
    value, the earliest of equals; `users` are those asked; `wanted` is the budget in trials, the first of which is the
    model as given. `space` maps parameters to lists, or to distributions of SciPy where `trials` says how many draws
    are made (default: what the model declares). No trial starts after `seconds`, and an interrupt (Ctrl-C) ends the
    search with what has been found: `complete` is then False.

    Raises InputError for wrong arguments, and where no trial gave a value.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> found = search(planted("copurchase", n_users=60, seed=0).data, ItemKNN(), {"n_neighbors": [1, 5]})
    >>> found["best"]["value"] == max(trial["value"] for trial in found["trials"])
    True
    """
    check_unfitted("model", model)
    settings = _settings(model, space, trials, check_whole("seed", seed))
    check_choice("protocol", protocol, tuple(VALIDATIONS))
    check_choice("metric", metric, METRICS)
    if positive is not None:
        positive = check_number("positive", positive)
        if protocol not in LIKING:
            check_given("positive", positive, wanted=False, when="protocol", choice=protocol)
    limit = np.inf if seconds is None else check_number("seconds", seconds, low=0.0, open_low=True)
    check_type("data", data, Interactions, "interactions")
    check_choice("seen", seen, SEEN)
    data, repeats = prepared(data, check_whole("min_events", min_events, low=1))
    k = check_whole("k", k, low=1, high=data.n_items)
    setup = Setup(k, seed, positive, progress=progress, seen=seen, repeats=repeats)
    questions = VALIDATIONS[protocol](data, setup)
    name = metric if metric == "mrr" else f"{metric}@{k}"
    start = time.perf_counter()
    done = []
    for trial in _trials(asked(model, protocol), settings, questions, name, setup):
        done.append(trial)
        if time.perf_counter() - start > limit:
            break
    setup.tell("done", 1.0)
    valued = [trial for trial in done if trial["value"] is not None]
    if not valued:
        problem = done[0]["error"]
        refuse("no_setting_fits", **{**problem.fields, "model": type(model).__name__, "why": problem.code})
    return {
        "protocol": protocol,
        "dataset": data.name,
        "users": len(questions.histories),
        "items": data.n_items,
        "events": data.n_events,
        "model": type(model).__name__,
        "metric": name,
        "k": k,
        "seen": seen,
        "questions": {**questions.counts._asdict(), "repeats": repeats},
        "wanted": len(settings),
        "complete": len(done) == len(settings),
        "seconds": time.perf_counter() - start,
        "best": max(valued, key=lambda trial: trial["value"]),
        "trials": [{**trial, "error": trial["error"] and str(trial["error"])} for trial in done],
    }


def _settings(
    model: Recommender | Rival, space: Mapping[str, Any] | None, trials: int | None, seed: int
) -> list[dict[str, Any]]:
    """The settings to try, the model's own first."""
    name = type(model).__name__
    if space is None:
        space = space_of(model)
        if not space:
            refuse("no_space", model=name)
    check_type("space", space, Mapping, "values_by_setting")  # type: ignore[type-abstract]
    space = current_names(space, getattr(type(model), "_renamed", {}))
    own = model.get_params(deep=False)
    for key, values in space.items():
        check_choice("space", key, tuple(own))
        if not hasattr(values, "rvs") and (not isinstance(values, (list, tuple)) or not values):
            refuse("space_values", setting=key, got=values)
    free = [key for key, values in space.items() if hasattr(values, "rvs")]
    if trials is None and free:
        refuse("trials_wanted", setting=free[0])
    whole = None if free else list(ParameterGrid(dict(space)))
    if trials is not None and (whole is None or check_whole("trials", trials, low=1) < len(whole)):
        whole = list(ParameterSampler(dict(space), check_whole("trials", trials, low=1), random_state=seed))
    first = {key: own[key] for key in space}
    return [first, *(setting for setting in (_plain(setting, first) for setting in whole or []) if setting != first)]


def _plain(setting: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """In the order of `like`, with numbers as Python's own, to be printed as JSON and given to a constructor."""
    return {key: setting[key].item() if isinstance(setting[key], np.generic) else setting[key] for key in like}


def _trials(
    model: Recommender | Rival, settings: list[dict[str, Any]], questions: Questions, name: str, setup: Setup
) -> Iterator[dict[str, Any]]:
    """Trial after trial; an interrupt ends them, unless there has been none to show yet."""
    for place, setting in enumerate(settings):
        setup.tell(f"trial {place + 1} of {len(settings)}", place / len(settings))
        start, value = time.perf_counter(), None
        error: InputError | None = None
        try:
            fitted = clone(model).set_params(**setting).fit(questions.train)
            value = float(per_user(rank(fitted, questions, setup.k, finite=True).ranks, setup.k)[name].mean())
        except InputError as problem:
            error = problem
        except KeyboardInterrupt:
            if not place:
                raise
            return
        yield {"params": setting, "value": value, "seconds": time.perf_counter() - start, "error": error}
