"""*rating*: can the score tell what a user liked from what they disliked, among the events that they chose to rate?

A random fifth of each user's events is the test, an eighth of the others validation; the rest is the history, and what
models learn from. Validation alone chooses the threshold over which a score says "like" (most right answers) and the
line from score to rating (least squares, cut to the scale). A score that is NaN counts as the lowest of validation.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, Interactions
from xattn.errors import refuse
from xattn.evaluate.bootstrap import resampled
from xattn.evaluate.holdout import SHARE, drawn_per_user
from xattn.evaluate.likes import NAMES, best_threshold, like_metrics, linear_map
from xattn.evaluate.rows import row_end
from xattn.evaluate.setup import Makers, Model, Setup, liked, result
from xattn.model.strength import RatingScale
from xattn.progress import steps

__all__ = ["rating"]

VALIDATION = 1 / 8  # of what is not test: a tenth of all


def rating(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result, with `liked`, the share of liked test events; see `evaluate`.

    Raises InputError where the data has no rating scale, where all events are liked or none, or where too few are
    left to choose a threshold by.
    """
    scale = RatingScale.of(data.scale)
    if data.rating is None or scale.high <= scale.low:
        refuse("no_rating_scale")
    likes, rng = liked(data, setup.positive), np.random.default_rng(setup.seed)
    known = likes[~np.isnan(data.rating)]
    if known.all() or not known.any():
        refuse("all_liked" if len(known) and known.all() else "none_liked")
    rated = ~np.isnan(data.rating)  # nobody knows whether an event without an opinion was liked
    test = drawn_per_user(data, SHARE, rng) & rated
    rest = data.select(~test)
    validation = np.zeros(data.n_events, bool)
    validation[np.flatnonzero(~test)[drawn_per_user(rest, VALIDATION, rng)]] = True
    validation &= rated
    if not test.any() or not validation.any():
        refuse("too_few_events", least="ten")
    train = data.select(~test & ~validation)
    part = _Parts(likes, validation, test, data.user[test])
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    for name, make in steps(setup.progress, lambda named: named[0], models.items()):
        start = time.perf_counter()
        model = make().fit(train)
        fitted = time.perf_counter()
        score = _scores(model, train, data, test | validation)
        scored = time.perf_counter()
        said = _said(score, data.rating, scale, part)
        drawn = _drawn(said, part, setup.seed)
        rows.append(
            {
                "model": name,
                **dict(zip(NAMES, said.metrics(np.ones(len(said.score))).tolist(), strict=True)),
                "threshold": said.threshold,
                **row_end(NAMES, drawn, first, fitted - start, scored - fitted),
            }
        )
        first = drawn if first is None else first
    setup.tell("done", 1.0)
    found = result("rating", data, len(np.unique(part.user)), setup, [])
    return {**found, "liked": float(likes[test].mean()), "rows": rows}


class _Parts(NamedTuple):
    """`liked`, `validation`, `test` (N,) bool; `user` rows of the test events."""

    liked: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    user: np.ndarray


class _Said(NamedTuple):
    """What a model says of the test events: `liked` is the truth, `error` the squared error of the rating."""

    liked: np.ndarray
    score: np.ndarray
    error: np.ndarray
    threshold: float

    def metrics(self, weight: np.ndarray) -> np.ndarray:
        return like_metrics(self.liked, self.score, self.threshold, self.error, weight)


def _said(score: np.ndarray, rating: np.ndarray, scale: RatingScale, part: _Parts) -> _Said:
    """Threshold and line from the validation events, then the test events seen through them."""
    known = score[part.validation]
    lowest = np.nanmin(known) if not np.isnan(known).all() else 0.0
    score = np.where(np.isnan(score), lowest, score)
    chosen = score[part.validation]
    slope, intercept = linear_map(chosen, rating[part.validation])
    error = (np.clip(slope * score[part.test] + intercept, scale.low, scale.high) - rating[part.test]) ** 2
    return _Said(part.liked[part.test], score[part.test], error, best_threshold(part.liked[part.validation], chosen))


def _drawn(said: _Said, part: _Parts, seed: int) -> np.ndarray:
    """Metrics (draws, 6) with the test events of as many users, drawn with repetition."""
    users, user = np.unique(part.user, return_inverse=True)
    return resampled(lambda times: said.metrics(times[user].astype(float)), len(users), seed)


def _scores(model: Model, train: Interactions, data: Interactions, asked: np.ndarray) -> np.ndarray:
    """(N,) the score of each event that is `asked`, from its user's history in `train`; NaN elsewhere."""
    score = np.full(data.n_events, np.nan)
    for user in np.unique(data.user[asked]).tolist():
        own = data.events_of(user)
        where = own.start + np.flatnonzero(asked[own])
        score[where] = model.scores_of(History.of(train, user))[data.item[where]]
    return score
