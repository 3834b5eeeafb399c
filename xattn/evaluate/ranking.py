"""Ranking: fitted models order the whole catalogue for a history; where do the relevant items stand?

All ranking protocols end here; they differ in the `Questions` that they ask. The candidates are those of `recommend`:
with seen="drop" all items that the history does not hold, with "keep" all.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import numpy as np

from xattn.data import History, JoinedHistories
from xattn.errors import check_no_overflow
from xattn.evaluate.agreement import agreement
from xattn.evaluate.bootstrap import resampled
from xattn.evaluate.diverse import Ordered, reordering
from xattn.evaluate.metrics import coverage, diversity, novelty, per_user, popularity_bias
from xattn.evaluate.questions import Questions, check_asked
from xattn.evaluate.rows import row_end
from xattn.evaluate.setup import Makers, Model, Setup
from xattn.features import feature_set
from xattn.kernels.topk import ranks_among, top_k
from xattn.progress import steps

__all__ = ["Ranked", "compare", "rank"]

BLOCK = 8_000_000  # scores (people × items) held at a time: 64 MB
NOTHING = np.empty(0, np.int64)


class Ranked(NamedTuple):
    """For each person: the ascending ranks of the relevant items, and the top-k list."""

    ranks: list[np.ndarray]
    lists: list[np.ndarray]


def rank(model: Model, questions: Questions, k: int, ordered: Ordered | None = None, *, finite: bool = False) -> Ranked:
    """Put the questions to a fitted model, whose lists may be `ordered` anew. An item that no list can hold has rank ∞.

    A model that can score many histories at once does; another scores one after the other. Raises InputError where
    scores must be `finite` and are not; without `finite` an item with a score of NaN has rank ∞.
    """
    lists: list[np.ndarray] = []
    ranks: list[np.ndarray] = []
    step = max(1, BLOCK // questions.train.n_items)
    for low in range(0, len(questions.histories), step):
        histories, relevant = questions.histories[low : low + step], questions.relevant[low : low + step]
        scores = _scores(model, histories)
        if finite:
            check_no_overflow("scores", scores)
        if ordered:
            for own, history in zip(scores, histories, strict=True):
                own[:] = ordered(own, questions.allowed(history))
        seen, cuts = NOTHING, np.zeros(len(histories) + 1, np.int64)
        if questions.seen == "drop":
            joined = JoinedHistories.of(histories)
            seen, cuts = joined.item, joined.indptr
            pairs = zip(relevant, histories, strict=True)
            relevant = [wanted[~np.isin(wanted, history.item)] for wanted, history in pairs]
        best = top_k(scores, None, k, seen, cuts)
        lists += [items[:count] for items, count in zip(best.items, best.counts, strict=True)]
        ptr = np.cumsum([0, *map(len, relevant)])
        found = ranks_among(scores, np.concatenate([NOTHING, *relevant]), ptr, seen, cuts)
        ranks += np.split(found, ptr[1:-1])
    missed = questions.missed or [0] * len(ranks)
    never = [len(all_) + more - len(own) for all_, more, own in zip(questions.relevant, missed, ranks, strict=True)]
    return Ranked([np.append(own, np.full(n, np.inf)) for own, n in zip(ranks, never, strict=True)], lists)


def _scores(model: Model, histories: list[History]) -> np.ndarray:
    """(R, M) float64."""
    if _scores_many(model):
        found = model.scores_of_many(histories)  # type: ignore[attr-defined]
    else:
        found = np.array([model.scores_of(events) for events in histories])
    return np.ascontiguousarray(found, np.float64)


def _scores_many(model: Model) -> bool:
    """Whether the model has `scores_of_many`, and no subclass has changed `scores_of` alone."""
    for kind in type(model).__mro__:
        if "scores_of_many" in vars(kind):
            return True
        if "scores_of" in vars(kind):
            break
    return False


def compare(questions: Questions, models: Makers, setup: Setup) -> list[dict[str, Any]]:
    """A row for each model, fitted and asked in turn; `versus_first` holds p values against the first.

    With `setup.agreement` each row says too how far its lists agree with the first model's.
    """
    train, k = check_asked(questions).train, setup.k
    ordered = reordering(train.items, k, setup.diversity)
    unit, counts = feature_set(train.items).unit, train.counts()
    histories = [history.item for history in questions.histories]
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    first_lists: list[np.ndarray] = []
    for name, make in steps(setup.progress, lambda named: named[0], models.items()):
        start = time.perf_counter()
        model = make().fit(train)
        fitted = time.perf_counter()
        ranks, lists = rank(model, questions, k, ordered)
        scored = time.perf_counter()
        metrics = per_user(ranks, k)
        drawn = _drawn(np.column_stack(list(metrics.values())), setup.seed)
        rows.append(
            {
                "model": name,
                **{metric: float(values.mean()) for metric, values in metrics.items()},
                "coverage": coverage(lists, train.n_items),
                "diversity": diversity(lists, unit),
                "novelty": novelty(lists, counts),
                "popularity_bias": popularity_bias(lists, histories, counts),
                **row_end(metrics, drawn, first, fitted - start, scored - fitted),
            }
        )
        if setup.agreement:
            rows[-1]["agreement"] = None if first is None else agreement(first_lists, lists, k, setup.seed)
        if first is None:
            first, first_lists = drawn, lists
    setup.tell("done", 1.0)
    return rows


def _drawn(values: np.ndarray, seed: int) -> np.ndarray:
    """Means of `values` (U, S) over the users of each draw (draws, S)."""
    return resampled(lambda times: times @ values / len(values), len(values), seed)
