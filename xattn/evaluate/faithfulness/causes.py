"""Recall of planted causes: the data say why each user's last event happened; which explainers name the cause?

A model is fitted on all of the data, and explains each user's last event from the events before it. (With planted
dislikes it explains an item that the user stays away from; the reasons are then the weakest events, which speak against
it.) With c causes, recall is the share of them among the c strongest reasons, `first` whether the strongest reason is
one of them, `lured` whether it is an event that is attended and irrelevant. The model learns from users whose last
event has no cause, but explains nothing to them.

Recall depends on model and explainer. `used` asks the model alone: in what share of the cases does masking all causes
move the score as planted, down, or up where they speak against? A coin would say half; there the model makes nothing
of the cause, and an explainer that names other events is right about the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xattn.data import History
from xattn.data.history import days_before
from xattn.data.synthetic import Planted
from xattn.errors import check_choice, check_some, check_type, check_whole, refuse
from xattn.evaluate.faithfulness.case import Case, Design, Met
from xattn.evaluate.faithfulness.explainers import EXPLAINERS, MORE
from xattn.evaluate.faithfulness.masked import Masked, masked_scores
from xattn.evaluate.faithfulness.metrics import intervals
from xattn.recommenders import Recommender

__all__ = ["planted_recall"]

METRICS = ("recall", "first", "lured", "used")


def planted_recall(
    model: Recommender,
    truth: Planted,
    *,
    seed: int = 0,
    explainers: Sequence[str] = tuple(EXPLAINERS),
) -> list[dict[str, Any]]:
    """One row an explainer: explainer, recall, first, lured, used (from 0 to 1, means over users; lured is None where
    the data has no such events; used is the model's and so the same in every row), ci95 (bootstrap over users).

    `model` is fitted here. Raises InputError for wrong arguments.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> rows = planted_recall(ItemKNN(), planted("copurchase", n_users=60, seed=0), explainers=["removal"])
    >>> rows[0]["recall"], rows[0]["used"]
    (1.0, 1.0)
    """
    check_type("truth", truth, Planted, "planted")
    check_some("explainers", explainers, "explainer")
    for name in explainers:
        check_choice("explainers", name, tuple(EXPLAINERS | MORE))
    seed = check_whole("seed", seed)
    model.fit(truth.data)
    met = Met.of(truth.data)
    values: dict[str, list[tuple[float, ...]]] = {name: [] for name in explainers}
    for user in range(truth.data.n_users):
        history, target = _before_the_target(truth, user)
        causes, lures = set(truth.causes_of(user).tolist()), set(truth.lures_of(user).tolist())
        if not causes:
            continue
        masked = masked_scores(model, history)
        used = _moved(masked, target, sorted(causes), truth.against)
        for at, name in enumerate(explainers):
            designs: dict[str, Design] = {}
            case = Case(model, history, target, masked, met, np.random.default_rng([seed, at, user]), designs)
            found = (EXPLAINERS | MORE)[name](case, len(causes))
            sets = found.weakest if truth.against else found.strongest
            named, (first,) = causes & set(sets[-1]), sets[0]
            values[name].append((len(named) / len(causes), float(first in causes), float(first in lures), used))
    if not any(values.values()):
        refuse("no_cause")
    return [_row(name, np.array(own), seed, lured=bool(truth.lure.any())) for name, own in values.items()]


def _before_the_target(truth: Planted, user: int) -> tuple[History, int]:
    """The user's events but the last, the newest of them with age 0, and the item that is asked about."""
    data, own = truth.data, truth.data.events_of(user)
    past = slice(own.start, own.stop - 1)
    n = past.stop - past.start
    rating = None if data.rating is None else data.rating[past]
    elapsed = None if data.time is None else days_before(data.time[past])
    history = History(data.item[past], rating, np.arange(n)[::-1], np.ones(n, bool), user, elapsed=elapsed)
    return history, int(truth.asked[user])


def _moved(masked: Masked, target: int, causes: list[int], against: bool) -> float:
    """1 where the score without the causes is lower (where they speak against: higher) than with them, else 0."""
    live = np.ones((2, len(masked.history)), bool)
    live[1, causes] = False
    whole, without = masked.of(live, target)
    return float(without > whole if against else without < whole)


def _row(name: str, values: np.ndarray, seed: int, lured: bool) -> dict[str, Any]:
    low, high = intervals(values, seed)
    means = values.mean(axis=0)
    known = {metric: at for at, metric in enumerate(METRICS) if lured or metric != "lured"}
    ci95 = {metric: [float(low[at]), float(high[at])] for metric, at in known.items()}
    figures: dict[str, float | None] = dict.fromkeys(METRICS)
    figures |= {metric: float(means[at]) for metric, at in known.items()}
    return {"explainer": name, **figures, "ci95": ci95}
