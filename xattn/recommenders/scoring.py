"""Scoring: what a model answers about one history. Lists and explanations know it through these methods alone.

    scores_of(history)                        (M,)    the served score of every item
    scores_of_many(histories)                 (R, M)  the same for many histories, to the same bits
    fields_of(history, targets)               the heads over J targets, if the score is base + Σ heads under any masking
    scores_without_each(history, targets)     (J, n)  the scores with each event masked in turn
    scores_masked(history, live, targets)     (R, J)  the served scores under R maskings
    cells_of(history, target)                 the terms of one target's score; base_[target] is the rest
    contributions_of(history, targets)        (J, n)  the sums of the cells of each event, for lists with all ledgers
    approximate_of(history)                   scores of all items without each event, within a known slack
    reach_of(history, m)                      (M,)    what no score exceeds when up to m events are masked

A model that gives fields needs nothing else: scores, removals and cells follow. A model without fields defines
`scores_of`, `scores_without_each` and `cells_of`. The last two methods make explanations quicker, and may stay away.
`amounts` says what the amounts of its ledgers are, one of `xattn.explain.question.AMOUNTS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse

from xattn.data import History
from xattn.errors import (
    by_name,
    check_ids,
    check_index_array,
    check_no_overflow,
    check_number,
    check_whole,
    refuse,
)
from xattn.explain.question import TERMS, Approximation, Orders
from xattn.explain.rows import contributions
from xattn.kernels.fields import field_weights
from xattn.model.heads.field import HeadCells, HeadField, fields_masked, fields_scores, fields_without_each
from xattn.recommenders.estimator import Estimator
from xattn.recommenders.listing import refuse_head

__all__ = ["Scoring"]

BLOCK = 8_000_000  # scores (maskings × items) held at a time: 64 MB


class Scoring(Estimator):
    """A fitted model that scores histories; see the module's text for what a subclass defines."""

    amounts: ClassVar[str] = TERMS

    # --- what explanations ask ---------------------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        """Served scores (M,)."""
        return fields_scores(self._fields(history, np.arange(self.data_.n_items)), history.live, self.base_)

    def scores_of_many(self, histories: Sequence[History]) -> np.ndarray:
        """The scores of each history (R, M), bit for bit those of `scores_of`."""
        return np.array([self.scores_of(events) for events in histories]).reshape(len(histories), self.data_.n_items)

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField] | None:
        """The heads over `targets` (J,), from which the score without any set of events follows; None: it does not.

        It does not follow if masking an event changes the weights of others by more than their sum (docs/model.md, eq.
        13), as in heads whose query the events make.
        """
        return None

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        """Scores (J, n) of `targets` with each event masked in turn."""
        return fields_without_each(self._fields(history, targets), history.live, self.base_[targets])

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Scores (R, J) of `targets` under the maskings `live` (R, n): bit for bit those that are served."""
        if type(self).scores_of is Scoring.scores_of:  # each score follows from its own row of the fields
            return fields_masked(self._fields(history, targets), live, self.base_[targets])
        found = np.empty((len(live), len(targets)))
        step = max(1, BLOCK // self.data_.n_items)
        for low in range(0, len(live), step):
            masked = [replace(history, live=row) for row in live[low : low + step]]
            found[low : low + step] = self.scores_of_many(masked)[:, targets]
        return found

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        """The cells of one target."""
        return [field.cells(history.live) for field in self._fields(history, np.array([target]))]

    def contributions_of(self, history: History, targets: np.ndarray) -> np.ndarray:
        """(J, n) what each event contributes to the score of each of `targets` (J,): its cells' sum."""
        found, n = np.zeros((len(targets), len(history))), len(history)
        if not found.size:
            return found
        fields = self.fields_of(history, targets)
        if fields is None:
            return np.array([contributions(self.cells_of(history, target), n) for target in targets.tolist()])
        for field in fields:
            found += field_weights(field.E, history.live, field.beta, field.theta) * field.X
        return found

    def approximate_of(self, history: History) -> Approximation | None:
        """Scores of every item without each event, within a known slack; None: nothing is quicker than the scores."""
        return None

    def reach_of(self, history: History, m: int) -> np.ndarray | None:
        """(M,) what each score cannot exceed when up to `m` events are masked; None: no bound is known."""
        return None

    def orders_of(self, history: History, target: int) -> Orders | None:
        """How many orders the averages are over, and how sure each is; None where the amounts are no averages."""
        return None

    def _fields(self, history: History, targets: np.ndarray) -> list[HeadField]:
        fields = self.fields_of(history, targets)
        if fields is None:
            missing = "`fields_of`, or `scores_of`, `scores_without_each` and `cells_of`"
            raise NotImplementedError(f"{type(self).__name__} must define {missing}")
        return fields

    # --- heads -------------------------------------------------------------------------------------------------------

    @property
    def head_names(self) -> tuple[str, ...]:
        """The name of each head that can be left out; () for a model whose heads are not known one by one."""
        return ()

    @property
    def head_groups(self) -> tuple[str, ...]:
        """`head_names`, where one name stands for heads that readers would not tell apart."""
        return self.head_names

    def without_heads(self, heads: Iterable[str | int]) -> Self:
        """The same fitted model without some heads, each given by its name, the name of its group, or its place.

        The base stays, and tables are shared. Ledgers add up and announced removals hold as in any model. Raises
        InputError for a head that the model does not have.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import HybridAttention
        >>> model = HybridAttention(min_events=2).fit(planted("genre", seed=0).data)
        >>> model.head_names, model.without_heads(["content"]).head_names
        (('content', 'recency 3', 'recency 20'), ('recency 3', 'recency 20'))
        """
        self._check_fitted()
        asked = check_ids("heads", heads, "head")
        if asked:
            refuse_head(self.head_names, asked[0])
        return self

    # --- vectors -----------------------------------------------------------------------------------------------------

    def _item_vectors(self) -> np.ndarray | sparse.csr_array | None:
        """Vectors (M, d) whose cosine says how alike two items are to this model; None: it has none."""
        return None

    # --- the history that a call is about ----------------------------------------------------------------------------

    @by_name("history", "without")
    def history(self, user: Any = None, *, history: Any = None, without: Iterable[Any] = (), at: Any = None) -> History:
        """The events of `user` (an id) or of `history` as given, where those of the items in `without` are masked.

        In `without` an id stands for all events of the item, and a pair (id, n) for its n-th event alone, from 1.
        `history` is whatever `History.given` takes, or a History (which this method returns, and whose own ``without``
        masks events by position). `at` is the moment in which a list is asked, for heads that forget by time (see
        `History.of`; left out, that of the newest event): ``recommend(history=model.history("ann", at="2026-11-29"))``.
        Raises InputError (UnknownIdError for ids) where one of these does not hold.
        """
        self._check_fitted()
        if (user is None) == (history is None):
            refuse("one_of", names=("user", "history"), found="none_of_them" if user is None else "both")
        if user is not None:
            events = History.of(self.data_, self.data_.user_row(user), at)
        else:
            if isinstance(history, History) and at is not None:
                refuse("at_of_history", got=str(at))
            events = history if isinstance(history, History) else History.given(self.data_, history, at)
            check_index_array("history", events.item, size=self.data_.n_items, what="item_row")
            self._check_ratings(events)
        masked = [self._positions(events, one) for one in check_ids("without", without)]
        return events.without(np.concatenate(masked)) if masked else events

    def _check_ratings(self, events: History) -> None:
        low, high = self.scale_[:2]
        if events.rating is not None and high > low:
            for rating in events.rating[~np.isnan(events.rating)]:
                check_number("rating in history", float(rating), low=low, high=high)

    def _positions(self, events: History, one: Any) -> np.ndarray:
        """The events of an item; of a pair (item, n) its n-th event alone, counted from 1."""
        pair = isinstance(one, (tuple, list)) and len(one) == 2
        found = np.flatnonzero(events.item == self.data_.item_row(one[0] if pair else one))
        if not len(found):
            refuse("without", got=str(one[0] if pair else one))
        if not pair:
            return found
        n = check_whole("without", one[1], low=1, high=len(found))
        return found[n - 1 : n]

    def score(self, user: Any = None, *, history: Any = None, without: Iterable[Any] = ()) -> np.ndarray:
        """The served score of every item (M,), in item order; seen items too.

        Raises InputError where numbers of the data or of the settings are so large that a score is none any more.
        """
        return check_no_overflow("scores", self.scores_of(self.history(user, history=history, without=without)))
