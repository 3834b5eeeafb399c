"""*cold*: a tenth of the items is hidden from training. Which models find them, and among what?

The hidden items are a tenth of those with five events or more, drawn with the seed; they stay in the catalogue with
their features. A question is an event with a hidden item; each user has at most the newest `MOST`. The history is what
the user did before the event, without hidden items; the item has to be found. The same scores answer two questions:

    recall@k         among the whole catalogue, in which most items are known to be liked by somebody: can it get in?
    cold_recall@k    among the hidden items alone: are they in the right order?

Items that the user had before are no candidates, hidden or not. Figures are averaged over each user's questions, then
over users. cold_share, the share of places in the lists of k that hidden items take, shows at whose cost they get in.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from xattn.data import Interactions
from xattn.data.hidden import FEWEST, MOST, ColdQuestion, hidden_items, questions_of
from xattn.errors import refuse
from xattn.evaluate.bootstrap import resampled
from xattn.evaluate.metrics import ranks_of
from xattn.evaluate.rows import row_end
from xattn.evaluate.setup import Makers, Model, Setup, result
from xattn.progress import steps

__all__ = ["FEWEST", "MOST", "ColdQuestion", "cold", "hidden_items", "questions_of"]


def cold(data: Interactions, models: Makers, setup: Setup) -> dict[str, Any]:
    """The protocol's result (see `evaluate`) with two more numbers: `cold` counts hidden items, `asked` questions.

    Raises InputError where no items can be hidden, or nobody did anything before meeting one.
    """
    hidden = hidden_items(data, np.random.default_rng(setup.seed))
    train = data.select(~hidden[data.item])
    questions = questions_of(data, train, hidden)
    if not questions:
        refuse("nobody_before_hidden")
    user = np.array([question.user for question in questions])
    _, place = np.unique(user, return_inverse=True)
    rows: list[dict[str, Any]] = []
    first: np.ndarray | None = None
    for name, make in steps(setup.progress, lambda named: named[0], models.items()):
        start = time.perf_counter()
        model = make().fit(train)
        fitted = time.perf_counter()
        found = _asked(model, questions, hidden, setup.k)
        scored = time.perf_counter()
        values = np.column_stack(list(found.values()))
        of_user = np.column_stack([np.bincount(place, column) for column in values.T]) / np.bincount(place)[:, None]
        drawn = resampled(lambda times, v=of_user: times @ v / len(v), len(of_user), setup.seed)  # type: ignore[misc]
        means = dict(zip(found, of_user.mean(axis=0).tolist(), strict=True))
        rows.append({"model": name, **means, **row_end(found, drawn, first, fitted - start, scored - fitted)})
        first = drawn if first is None else first
    setup.tell("done", 1.0)
    whole = result("cold", data, int(place.max()) + 1, setup, rows)
    return {**whole, "cold": int(hidden.sum()), "asked": len(questions), "rows": whole.pop("rows")}


def _asked(model: Model, questions: list[ColdQuestion], hidden: np.ndarray, k: int) -> dict[str, np.ndarray]:
    """Each question's figures (Q,)."""
    table = np.empty((len(questions), 5))
    for q, question in enumerate(questions):
        scores = model.scores_of(question.history)
        allowed = np.ones(len(scores), bool)
        allowed[question.seen] = False
        target = np.array([question.target])
        (rank,), (among,) = (ranks_of(scores, target, allowed & where) for where in (True, hidden))
        rest = np.where(allowed, np.nan_to_num(scores, nan=-np.inf), -np.inf)
        best = np.argpartition(-rest, k - 1)[:k]
        table[q] = rank <= k, 1 / rank, among <= k, 1 / among, hidden[best].mean()
    names = (f"recall@{k}", "mrr", f"cold_recall@{k}", "cold_mrr", "cold_share")
    return dict(zip(names, table.T.copy(), strict=True))
