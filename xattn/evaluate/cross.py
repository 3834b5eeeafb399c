"""Cross-validation: every user, or every event, is tested once by a model that has not learned from it.

    next-item   folds of users: the fit sees no event of a fold's users. The model gets each one's events but the last
                as the history of somebody new, and has to find the last
    holdout     folds of events: every fold holds out an equal share of each user's events, drawn with the seed. The
                model has to find those of them that the user liked

A user's figure is the mean over the folds in which they were asked; intervals are bootstraps over users, as elsewhere.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import KFold

from xattn.data import History, Interactions
from xattn.data.split import leave_last_out
from xattn.data.values import MISSING
from xattn.errors import check_choice, check_given, check_number, check_type, check_whole, refuse
from xattn.evaluate.bootstrap import resampled
from xattn.evaluate.holdout import questions_of
from xattn.evaluate.metrics import per_user
from xattn.evaluate.questions import SEEN, Asking, Questions, catalogue_of, held_part, pauses_before_last, total
from xattn.evaluate.ranking import rank
from xattn.evaluate.rows import row_end
from xattn.evaluate.setup import Makers, Model, Setup, liked, makers_of, prepared, result
from xattn.progress import Progress

__all__ = ["FOLDED", "cross_validate"]

FOLDED = ("next-item", "holdout")


def cross_validate(
    data: Interactions,
    models: Makers | Sequence[Model],
    *,
    folds: int = 5,
    protocol: str = "next-item",
    k: int = 10,
    seed: int = 0,
    min_events: int = 1,
    positive: float | None = None,
    seen: str = "drop",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit and test unfitted models once a fold; returns what `evaluate` does, with ``"folds"``, their number.

    A row holds the metrics of ranking as means over users, `folds` (metric → its mean in each fold), and ci95,
    versus_first, fit_s, score_s and peak_mb as in `evaluate`, seconds summed over folds. Raises InputError for wrong
    arguments, and where a fold has nothing to ask.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> row = cross_validate(planted("copurchase", n_users=60, seed=0).data, [ItemKNN()], folds=3)["rows"][0]
    >>> low, high = row["ci95"]["ndcg@10"]
    >>> len(row["folds"]["ndcg@10"]), low <= row["ndcg@10"] <= high
    (3, True)
    """
    check_type("data", data, Interactions, "interactions")
    check_choice("protocol", protocol, FOLDED)
    makers = makers_of(models, protocol)
    if positive is not None:
        positive = check_number("positive", positive)
        if protocol == "next-item":
            check_given("positive", positive, wanted=False, when="protocol", choice=protocol)
    check_choice("seen", seen, SEEN)
    data, repeats = prepared(data, check_whole("min_events", min_events, low=1))
    k, seed = check_whole("k", k, low=1, high=data.n_items), check_whole("seed", seed)
    setup = Setup(k, seed, positive, progress=progress, seen=seen, repeats=repeats)
    folds = check_whole("folds", folds, low=2, high=data.n_users)
    parts = list((_of_users if protocol == "next-item" else _of_events)(data, folds, setup))
    counts = total(questions for _, questions in parts)
    parts = [part for part in parts if part[1].histories]
    if not parts:
        refuse("all_met_before", got=counts.met_before)
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    for done, (name, make) in enumerate(makers.items()):
        row, drawn = _row(name, make, parts, setup, done / len(makers), first)
        rows.append(row)
        first = drawn if first is None else first
    setup.tell("done", 1.0)
    users = len(np.unique(np.concatenate([user for user, _ in parts])))
    return {**result(protocol, data, users, setup, [], counts._asdict()), "folds": folds, "rows": rows}


Part = tuple[np.ndarray, Questions]  # user rows (U,), and the questions put to them


def _of_users(data: Interactions, folds: int, setup: Setup) -> Iterator[Part]:
    split = leave_last_out(data)
    pause = pauses_before_last(data, split.user)
    for _, fold in KFold(folds, shuffle=True, random_state=setup.seed).split(np.arange(data.n_users)):
        here = np.isin(split.user, fold)
        train = data.select(~np.isin(data.user, fold))
        if not here.any() or not train.n_events:
            refuse("fold_without_user", got=folds)
        train, row_of = catalogue_of(train)
        rows = np.arange(data.n_items) if row_of is None else row_of
        asking, asked = Asking(train, setup.seen), []
        for user, item in zip(split.user[here].tolist(), split.item[here].tolist(), strict=True):
            history, target = History.of(split.train, user), rows[[item]]
            if pause is not None:
                history = history.paused(pause[user])
            held = target != MISSING
            met = int(not held.all() and setup.seen == "drop" and item in history.item)
            if asking.ask(held_part(history, rows), target[held], int((~held).sum()) - met, met):
                asked.append(user)
        yield np.array(asked, np.int64), asking.questions()


def _of_events(data: Interactions, folds: int, setup: Setup) -> Iterator[Part]:
    order = np.lexsort((np.random.default_rng(setup.seed).random(data.n_events), data.user))
    place = np.empty(data.n_events, np.int64)
    place[order] = np.arange(data.n_events) - np.repeat(data.indptr[:-1], np.diff(data.indptr))
    relevant = liked(data, setup.positive)
    for fold in range(folds):
        held = (place + data.user) % folds == fold  # + user: a user with few events is not always in the first folds
        questions = questions_of(data, held, relevant, setup.seen)
        if not questions.histories and not questions.counts.met_before:
            refuse("fold_without_liked", got=folds)
        yield np.array([history.user for history in questions.histories], np.int64), questions


def _row(
    name: str, make: Any, parts: list[Part], setup: Setup, done: float, first: np.ndarray | None
) -> tuple[dict[str, Any], np.ndarray]:
    """A model's row, and the draws of its metrics."""
    values: list[dict[str, np.ndarray]] = []
    fit_s = score_s = 0.0
    for fold, (_, questions) in enumerate(parts):
        setup.tell(f"{name}, fold {fold + 1} of {len(parts)}", done)
        start = time.perf_counter()
        model = make().fit(questions.train)
        fitted = time.perf_counter()
        values.append(per_user(rank(model, questions, setup.k).ranks, setup.k))
        fit_s, score_s = fit_s + fitted - start, score_s + time.perf_counter() - fitted
    metrics = list(values[0])
    _, place = np.unique(np.concatenate([user for user, _ in parts]), return_inverse=True)
    every = np.column_stack([np.concatenate([v[metric] for v in values]) for metric in metrics])
    of_user = np.column_stack([np.bincount(place, column) for column in every.T]) / np.bincount(place)[:, None]
    drawn = resampled(lambda times: times @ of_user / len(of_user), len(of_user), setup.seed)
    row: Mapping[str, Any] = {
        "model": name,
        **dict(zip(metrics, of_user.mean(axis=0).tolist(), strict=True)),
        "folds": {metric: [float(v[metric].mean()) for v in values] for metric in metrics},
        **row_end(metrics, drawn, first, fit_s, score_s),
    }
    return dict(row), drawn
