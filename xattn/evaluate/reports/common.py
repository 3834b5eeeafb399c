"""The parts that all reports share: the drawn users, a figure with its interval, the sentences of a summary.

A *figure* is ``{"value": mean over users, "ci95": [low, high]}``, a percentile bootstrap over users; both are None
where nobody could be asked. A value is NaN where the question has no meaning for a user; the mean leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History
from xattn.errors import check_type, check_whole
from xattn.evaluate.faithfulness.metrics import shares
from xattn.evaluate.faithfulness.protocol import sample_users
from xattn.i18n import t
from xattn.kernels.topk import top_k
from xattn.progress import Progress, steps
from xattn.recommenders import Recommender

__all__ = [
    "Figure",
    "People",
    "Person",
    "check_model",
    "effective",
    "figure",
    "opening",
    "people",
    "said",
    "sentence",
]

Figure = dict[str, Any]
DRAWS = 1000


class Person(NamedTuple):
    """One user: the history, the served scores (M,), what may be listed (M,) bool, the first k of it."""

    user: int
    history: History
    scores: np.ndarray
    allowed: np.ndarray
    listed: list[int]


@dataclass(frozen=True)
class People:
    """Users drawn evenly over the lengths of histories, and how many of each list are looked at."""

    model: Recommender
    users: list[int]
    k: int
    progress: Progress | None

    def __iter__(self) -> Iterator[Person]:
        for user in steps(self.progress, "users", self.users):
            yield person(self.model, History.of(self.model.data_, user), self.k, user)


def person(model: Recommender, history: History, k: int, user: int) -> Person:
    """One user's history, scores and list."""
    scores = model.scores_of(history)
    allowed = np.ones(len(scores), bool)
    allowed[history.item] = False
    best = top_k(scores[None, :], allowed[None, :], k).items[0]
    return Person(user, history, scores, allowed, [int(j) for j in best if j >= 0])


def check_model(model: Recommender) -> Recommender:
    """A fitted recommender. Raises InputError for anything else, NotFittedError before `fit`."""
    model = check_type("model", model, Recommender, "fitted_recommender")  # type: ignore[type-abstract]
    model._check_fitted()
    return model


def people(model: Recommender, sample: int, k: int, seed: int, progress: Progress | None) -> People:
    """Draw `sample` users with events. Raises InputError for wrong arguments, and where nobody has an event."""
    sample = check_whole("sample", sample, low=1)
    k = check_whole("k", k, low=1, high=model.data_.n_items)
    users = sample_users(model.data_, sample, 1, check_whole("seed", seed))
    return People(model, users, k, progress)


def figure(values: Sequence[float] | np.ndarray, seed: int) -> Figure:
    """Mean of `values` and its interval.

    >>> figure([1.0, 1.0, float("nan")], 0), figure([], 0)
    ({'value': 1.0, 'ci95': [1.0, 1.0]}, {'value': None, 'ci95': None})
    """
    kept = np.asarray(values, float)
    kept = kept[~np.isnan(kept)]
    if not len(kept):
        return {"value": None, "ci95": None}
    drawn = shares(len(kept), seed, DRAWS) @ kept
    return {"value": float(kept.mean()), "ci95": np.quantile(drawn, [0.025, 0.975]).tolist()}


def effective(weight: np.ndarray) -> float:
    """How many events effectively matter: exp of the entropy of the shares of `weight` (n,); 0 without any.

    >>> round(effective(np.array([1.0, 1.0, 0.0])), 9), effective(np.zeros(2))
    (2.0, 0.0)
    """
    total = weight.sum()
    if not total > 0:
        return 0.0
    share = weight / total
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum()))


def opening(kind: str, model: Recommender, seed: int) -> dict[str, Any]:
    """The first entries of every report."""
    return {"kind": kind, "dataset": model.data_.name, "model": type(model).__name__, "seed": seed}


def sentence(key: str, **values: Any) -> dict[str, Any]:
    """A sentence of a summary: its key in the catalogue, and what stands in its places."""
    return {"key": f"report.{key}", "values": values}


def said(report: dict[str, Any], lang: str = "en") -> list[str]:
    """The summary of a report in words, English ("en") or Chinese ("zh").

    >>> said({"summary": [sentence("base_share", share=0.25)]})
    ['On average 25% of the score of a listed item is its popularity, whoever asks.']
    """
    return [t(line["key"], lang, **line["values"]) for line in report["summary"]]
