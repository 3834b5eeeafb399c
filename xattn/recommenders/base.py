"""The one contract of all recommenders: `fit`, `recommend`, `explain`, `score`, `history`, `save`.

A concrete recommender supplies three things over a `History` and item rows, and the rest follows from them here:

    _scores(history)                    (M,)    the served score of every item
    _scores_without(history, targets)   (J, n)  the same for J targets with each event masked in turn
    _cells(history, target)             list[HeadCells]  the terms of one target's score; base_[target] is the rest
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from xattn.data import History, Interactions
from xattn.errors import InputError, check_fitted, check_id, check_index_array, check_number, check_whole, shown
from xattn.explain import Ledger, Question
from xattn.kernels.topk import top_k
from xattn.model.closed_form import Progress
from xattn.model.head import HeadCells
from xattn.model.strength import RatingScale

__all__ = ["Recommender"]

DEFAULT_K = 10


class Recommender(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all recommenders; see the module's text for what a subclass supplies.

    Attributes after `fit`: `data_` (the Interactions), `base_` (M,) what each item's score is without any history,
    `scale_` (the data's rating scale).
    """

    data_: Interactions
    base_: np.ndarray
    scale_: RatingScale

    # --- what a subclass supplies ------------------------------------------------------------------------------------

    @abstractmethod
    def _fit(self, data: Interactions, progress: Progress | None) -> None: ...

    @abstractmethod
    def _scores(self, history: History) -> np.ndarray: ...

    @abstractmethod
    def _scores_without(self, history: History, targets: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _cells(self, history: History, target: int) -> list[HeadCells]: ...

    @abstractmethod
    def _state(self) -> dict[str, np.ndarray]:
        """What `fit` learned, as plain arrays; `_restore` takes it back (`data_` and `scale_` are there by then)."""

    @abstractmethod
    def _restore(self, state: dict[str, np.ndarray]) -> None: ...

    def _check_params(self) -> None:
        """Raise InputError where a constructor argument breaks its condition."""

    # --- the contract ------------------------------------------------------------------------------------------------

    def fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Fit to `data` and return self; `progress(what, share)` is called as the work goes on.

        Raises InputError when a parameter or the data breaks a stated condition.
        """
        if not isinstance(data, Interactions):
            raise InputError(f"`data` must be Interactions (load_dataset, read_interactions); got {shown(data)}.")
        if not data.n_events:
            raise InputError("`data` must hold at least one event; got none.")
        self._check_params()
        self.data_ = data
        self.scale_ = RatingScale.of(data.rating)
        self._fit(data, progress)
        return self

    def history(self, user: Any = None, history: Any = None, without: Iterable[Any] = ()) -> History:
        """The events that a call is about: those of `user` (an id), or `history` as given, less those `without`.

        `history` is a list of item ids or (id, rating) pairs, oldest first, or a History (which this method returns,
        and whose own ``without`` masks events by position). `without` names items: every event of them is masked.
        Raises InputError (UnknownIdError for ids) where one of these does not hold.
        """
        check_fitted(self, "base_")
        if (user is None) == (history is None):
            raise InputError(
                f"exactly one of `user` and `history` must be given; got {'none' if user is None else 'both'}."
            )
        if user is not None:
            events = History.of(self.data_, self.data_.user_row(user))
        else:
            events = history if isinstance(history, History) else History.given(self.data_, history)
            check_index_array("history", events.item, size=self.data_.n_items, what="item row")
            self._check_ratings(events)
        masked = [self._position(events, item) for item in _listed("without", without)]
        return events.without(np.concatenate(masked)) if masked else events

    def _check_ratings(self, events: History) -> None:
        low, high = self.scale_
        if events.rating is not None and high > low:
            for rating in events.rating:
                check_number("rating in history", float(rating), low=low, high=high)

    def _position(self, events: History, item: Any) -> np.ndarray:
        found = np.flatnonzero(events.item == self.data_.item_row(item))
        if not len(found):
            raise InputError(f"`without` must name items of the history; got {shown(str(item))}.")
        return found

    def score(self, user: Any = None, *, history: Any = None, without: Iterable[Any] = ()) -> np.ndarray:
        """The served score of every item (M,), in item order; seen items too."""
        return self._scores(self.history(user, history, without))

    def recommend(
        self,
        user: Any = None,
        *,
        history: Any = None,
        k: int | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        without: Iterable[Any] = (),
    ) -> pd.DataFrame:
        """The `k` (default 10) best items that the history does not hold: a frame of rank, item, title, score, base.

        `user` is a known user's id; for someone new give `history` instead (see `history`), no re-fit needed. `exclude`
        lists item ids to leave out, `candidates` the only ones to consider, `without` events to mask (their items stay
        out of the list: they have been seen). Equal scores rank in item order. Fewer than k rows come back where fewer
        candidates are left. Raises InputError (UnknownIdError for ids) on wrong arguments.
        """
        events = self.history(user, history, without)
        k = self._length(k)
        scores = self._scores(events)
        best = top_k(scores[None, :], self._allowed(events, exclude, candidates)[None, :], k).items[0]
        best = best[best >= 0]
        table = self.data_.items
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(best) + 1),
                "item": [table.ids[j] for j in best],
                "title": [table.titles[j] for j in best],
                "score": scores[best],
                "base": self.base_[best],
            }
        )

    def explain(
        self,
        user: Any = None,
        item: Any = None,
        *,
        history: Any = None,
        k: int | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        without: Iterable[Any] = (),
    ) -> Ledger:
        """The Ledger of `item` for this user or history: every cell of its score, and what removing events would do.

        The other arguments are those of `recommend`; ranks and the counterfactual refer to that list.
        """
        events = self.history(user, history, without)
        k = self._length(k)
        target = self.data_.item_row(check_id("item", item))
        question = Question(
            user=None if events.user is None else self.data_.user_ids[events.user],
            history=events,
            target=target,
            k=k,
            allowed=self._allowed(events, exclude, candidates),
        )
        return Ledger(self, question)

    def _length(self, k: int | None) -> int:
        """The length of the list: `k` as given, else ten or the whole of a smaller catalogue."""
        M = self.data_.n_items
        return min(DEFAULT_K, M) if k is None else check_whole("k", k, low=1, high=M)

    def _allowed(self, events: History, exclude: Iterable[Any], candidates: Iterable[Any] | None) -> np.ndarray:
        """(M,) bool: what may be recommended."""
        if candidates is None:
            allowed = np.ones(self.data_.n_items, bool)
        else:
            allowed = np.zeros(self.data_.n_items, bool)
            allowed[[self.data_.item_row(item) for item in _listed("candidates", candidates)]] = True
        allowed[events.item] = False
        allowed[[self.data_.item_row(item) for item in _listed("exclude", exclude)]] = False
        return allowed

    # --- what a Ledger asks (explain.Scorer) -------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        """Served scores (M,)."""
        return self._scores(history)

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        """Scores (J, n) of `targets` with each event masked in turn."""
        return self._scores_without(history, targets)

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        """The cells of one target."""
        return self._cells(history, target)

    # --- files -------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted model to `path` (one .npz file, no pickle, atomically); `xattn.load_model` reads it back."""
        from xattn.recommenders.persist import save_model

        save_model(self, path)


def _listed(name: str, ids: Any) -> list[Any]:
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
        raise InputError(f"`{name}` must be a list of item ids; got {shown(ids)}.")
    return list(ids)
