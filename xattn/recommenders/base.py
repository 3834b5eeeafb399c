"""The one contract of all recommenders: `fit`, `recommend`, `explain`, `score`, `similar_items`, `save`, …

A concrete recommender supplies three things over a `History` and item rows, and the rest follows from them here:

    _scores(history)                    (M,)    the served score of every item
    _scores_without(history, targets)   (J, n)  the same for J targets with each event masked in turn
    _cells(history, target)             list[HeadCells]  the terms of one target's score; base_[target] is the rest

It may supply more: `_scores_many(histories)` (R, M) where it can score many at once, to the same bits; `_fields` where
its heads tell the score without any set of events, `_near` and `_reach` where that is quick to tell of all items;
`_item_vectors()` where it has vectors of its own by which items are alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError as SklearnNotFittedError

from xattn.data import History, Interactions, JoinedHistories
from xattn.errors import (
    InputError,
    NotFittedError,
    check_choice,
    check_fitted,
    check_id,
    check_index_array,
    check_number,
    shown,
)
from xattn.explain import Ledger, Near, Question
from xattn.explain.cache import cache_of
from xattn.model.heads.part import HeadCells, HeadField
from xattn.model.strength import RatingScale
from xattn.progress import Progress
from xattn.recommenders.fingerprint import fingerprint_of
from xattn.recommenders.listing import ids_of, items_frame, length, listing, lists_frame
from xattn.recommenders.similar import (
    Vectors,
    item_feature_vectors,
    item_user_vectors,
    most_alike,
    signed_vector,
    user_vectors,
    vector_of,
)

__all__ = ["Recommender"]

BLOCK = 8_000_000  # scores (users × items) held at a time: 64 MB
ALIKE_BY = ("users", "features")


class UnfittedRecommenderError(NotFittedError, SklearnNotFittedError):  # type: ignore[misc]
    """A recommender was used before `fit`: our error and scikit-learn's at once."""


class Recommender(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of all recommenders; see the module's text for what a subclass supplies.

    Attributes after `fit`: `data_` (the Interactions), `base_` (M,) what each item's score is without any history,
    `scale_` (the data's rating scale).
    """

    data_: Interactions
    base_: np.ndarray
    scale_: RatingScale
    _grows: ClassVar[bool] = False  # whether `partial_fit` is more than a training from scratch

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

    def _scores_many(self, histories: Sequence[History]) -> np.ndarray:
        """The scores of each history (R, M), bit for bit those of `_scores`."""
        return np.array([self._scores(events) for events in histories]).reshape(len(histories), self.data_.n_items)

    def _fields(self, history: History, targets: np.ndarray) -> list[HeadField] | None:
        """The heads over `targets` (J,), where the score is base + Σ heads whatever is masked (docs/model.md, eq. 13).

        None where masking an event changes more than the sums, as in heads whose query the events make.
        """
        return None

    def _near(self, history: History) -> Near | None:
        """Scores of every item without each event, as near as is quick to tell; None: as exact as `_scores_without`."""
        return None

    def _reach(self, history: History, m: int) -> np.ndarray | None:
        """(M,) what each score cannot exceed when up to `m` events are masked; None: not known."""
        return None

    def _before_growth(self, whole: Interactions) -> None:
        """What spares a part of the fit to `whole`, where events have been added to `data_`."""

    def _item_vectors(self) -> np.ndarray | sparse.csr_array | None:
        """Vectors (M, d) whose cosine says how alike two items are to this model; None: it has none."""
        return None

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

    def partial_fit(self, data: Interactions, y: None = None, *, progress: Progress | None = None) -> Self:
        """Take in the new events of `data`, and return self: equal, to rounding, to a fit to ``data_.extended(data)``.

        Users and items may be known or new. The attention models keep their sums after the first call (some 0.6 GB for
        3,500 items and two heads), so that the next ones go over those users alone who have something new; the others
        count again. Before any `fit` this is `fit`. Raises InputError where a model has to be trained anew, where the
        data does not fit to what is there (`Interactions.extended`), and as `fit` does.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> data = planted("genre", n_users=9, seed=0).data
        >>> model = Popularity().fit(data.select(data.user < 5)).partial_fit(data.select(data.user >= 5))
        >>> bool((model.base_ == Popularity().fit(data).base_).all())
        True
        """
        if not hasattr(self, "base_"):
            return self.fit(data, progress=progress)
        if not self._grows:
            name = type(self).__name__
            raise InputError(
                f"`partial_fit` must be asked of a model in closed form; got {name}, which is trained anew."
            )
        self._check_params()
        whole = self.data_.extended(data)
        self._before_growth(whole)
        return self.fit(whole, progress=progress)

    def history(self, user: Any = None, history: Any = None, without: Iterable[Any] = ()) -> History:
        """The events that a call is about: those of `user` (an id), or `history` as given, less those `without`.

        `history` is a list of item ids or (id, rating) pairs, oldest first, or a History (which this method returns,
        and whose own ``without`` masks events by position). `without` names items: every event of them is masked.
        Raises InputError (UnknownIdError for ids) where one of these does not hold.
        """
        self._check_fitted()
        if (user is None) == (history is None):
            raise InputError(
                f"exactly one of `user` and `history` must be given; got {'none' if user is None else 'both'}."
            )
        if user is not None:
            events = History.of(self.data_, self.data_.user_row(user))
        else:
            events = history if isinstance(history, History) else History.given(self.data_, history)
            check_index_array("history", events.item, size=self.data_.n_items, what="item_row")
            self._check_ratings(events)
        masked = [self._position(events, item) for item in ids_of("without", without)]
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
        where: Mapping[str, Any] | None = None,
        without: Iterable[Any] = (),
        diversity: float = 0.0,
    ) -> pd.DataFrame:
        """The `k` (default 10) best items that the history does not hold: a frame of rank, item, title, score, base.

        `user` is a known user's id; for someone new give `history` instead (see `history`), no re-fit needed. `exclude`
        lists item ids to leave out, `candidates` the only ones to consider; `where` maps item columns to what they must
        hold, as ``{"genres": "Comedy", "year": (1990, 1999)}`` (see `xattn.data.filters`). `without` names events to
        mask (their items stay out of the list: they have been seen). `diversity` from 0 to 1 trades score for
        difference by item features (maximal marginal relevance, `xattn.recommenders.rerank`); the scores shown stay the
        model's, so they need not fall with the rank any more.

        Equal scores rank in item order. Fewer than k rows come back where fewer candidates are left. Raises InputError
        (UnknownIdError for ids) on wrong arguments.
        """
        events = self.history(user, history, without)
        asked = listing(self.data_, k, exclude, candidates, where, diversity)
        (best,) = asked.best(cache_of(self, events).scores[None, :], [events])  # explanations ask for them again
        return items_frame(self.data_.items, best.items, score=best.scores, base=self.base_[best.items])

    def recommend_many(
        self,
        users: Iterable[Any] | None = None,
        *,
        histories: Mapping[Any, Any] | Iterable[Any] | None = None,
        k: int | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        where: Mapping[str, Any] | None = None,
        diversity: float = 0.0,
    ) -> pd.DataFrame:
        """What `recommend` serves to each of many, in one frame: user, rank, item, title, score, base.

        `users` lists known users' ids; `histories` is a list of histories (`user` is then the place in it, from 0) or a
        mapping of names to histories. The other arguments are those of `recommend` and hold for all. Rows come in the
        order of the people; the numbers are, bit for bit, those of one call each. Raises InputError on wrong arguments.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> model = Popularity().fit(planted("genre", seed=0).data)
        >>> model.recommend_many(["u0", "u1"], k=2)[["user", "rank"]].values.tolist()
        [['u0', 1], ['u0', 2], ['u1', 1], ['u1', 2]]
        """
        names, people = self._people(users, histories)
        asked = listing(self.data_, k, exclude, candidates, where, diversity)
        return lists_frame(self.data_.items, names, asked.of_many(self._scores_many, people), self.base_)

    def _people(
        self, users: Iterable[Any] | None, histories: Mapping[Any, Any] | Iterable[Any] | None
    ) -> tuple[list[Any], Sequence[History]]:
        self._check_fitted()
        if (users is None) == (histories is None):
            got = "none" if users is None else "both"
            raise InputError(f"exactly one of `users` and `histories` must be given; got {got}.")
        if users is not None:
            rows = [self.data_.user_row(user) for user in ids_of("users", users, "user")]
            return [self.data_.user_ids[row] for row in rows], JoinedHistories.of_users(self.data_, rows)
        if isinstance(histories, Mapping):
            return list(histories), [self.history(history=events) for events in histories.values()]
        if isinstance(histories, (str, bytes)) or not isinstance(histories, Iterable):
            raise InputError(f"`histories` must be a list of histories or a mapping to them; got {shown(histories)}.")
        given = [self.history(history=events) for events in histories]
        return list(range(len(given))), given

    def explain(
        self,
        user: Any = None,
        item: Any = None,
        *,
        history: Any = None,
        k: int | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        where: Mapping[str, Any] | None = None,
        without: Iterable[Any] = (),
    ) -> Ledger:
        """The Ledger of `item` for this user or history: every cell of its score, and what removing events would do.

        The other arguments are those of `recommend`; ranks and the counterfactual refer to that list, by score.
        """
        events = self.history(user, history, without)
        exclude, candidates = _kept(exclude), _kept(candidates)
        asked = listing(self.data_, k, exclude, candidates, where)
        target = self.data_.item_row(check_id("item", item))
        conditions = {"exclude": exclude or None, "candidates": candidates, "where": where}
        question = Question(
            user=None if events.user is None else self.data_.user_ids[events.user],
            history=events,
            target=target,
            k=asked.k,
            allowed=asked.allowed(events),
            conditions={name: given for name, given in conditions.items() if given is not None},
        )
        return Ledger(self, question)

    def similar_items(
        self,
        item: Any,
        k: int | None = None,
        *,
        by: str | None = None,
        exclude: Iterable[Any] = (),
        candidates: Iterable[Any] | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> pd.DataFrame:
        """The `k` (default 10) items most like `item`: a frame of rank, item, title, similarity (over 0, at most 1).

        ``by="users"``: the cosine of who acted on them, shrunk where few did (docs/model.md, eq. 30);
        ``by="features"``: the cosine of their features, for items that nobody has met too. Left out, it is by the
        model's own item vectors where it has any, else by users. What one event with the item would lead to is another
        question: ``recommend(history=[item])``. The other arguments are those of `recommend`. Items without anything
        in common are not listed, so fewer than k rows may come back. Raises InputError on wrong arguments.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> model = Popularity().fit(planted("genre", seed=0).data)
        >>> model.similar_items("i0", k=3).columns.tolist()
        ['rank', 'item', 'title', 'similarity']
        """
        self._check_fitted()
        row = self.data_.item_row(item)
        asked = listing(self.data_, k, exclude, candidates, where)
        if by is not None:
            check_choice("by", by, ALIKE_BY)
        own = self._item_vectors() if by is None else None
        if own is not None:
            vectors = Vectors.of(own)
        elif by == "features":
            vectors = item_feature_vectors(self.data_.items)
        else:
            vectors = item_user_vectors(self.data_)
        asked.eligible[row] = False
        best, alike = most_alike(vectors, vector_of(vectors, row), asked.eligible, asked.k)
        return items_frame(self.data_.items, best, similarity=alike)

    def similar_users(self, user: Any = None, k: int | None = None, *, history: Any = None) -> pd.DataFrame:
        """The `k` (default 10) users most like `user`, or like someone with `history`: rank, user, similarity.

        The similarity (over 0, at most 1) is the cosine of the signed strengths of what both did, shrunk where that is
        little (docs/model.md, eq. 30): two who rated the same items alike. Masked events do not count. A user is not
        their own neighbour; those without a positive similarity are not listed. It depends on the data, not on the
        model. The ids are those of real people: show them to nobody else. Raises InputError on wrong arguments.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> model = Popularity().fit(planted("genre", seed=0).data)
        >>> model.similar_users("u0", k=3).columns.tolist()
        ['rank', 'user', 'similarity']
        """
        events = self.history(user, history)
        k = length(k, self.data_.n_users)
        own = signed_vector(events, self.data_.n_items, self.scale_)
        others = np.ones(self.data_.n_users, bool)
        if events.user is not None:
            others[events.user] = False
        best, alike = most_alike(user_vectors(self.data_), own, others, k)
        names = [self.data_.user_ids[row] for row in best.tolist()]
        return pd.DataFrame({"rank": np.arange(1, len(best) + 1), "user": names, "similarity": alike})

    def _check_fitted(self) -> None:
        check_fitted(self, "base_", error=UnfittedRecommenderError)

    # --- what a Ledger asks (explain.Scorer) -------------------------------------------------------------------------

    def scores_of(self, history: History) -> np.ndarray:
        """Served scores (M,)."""
        return self._scores(history)

    def scores_without_each(self, history: History, targets: np.ndarray) -> np.ndarray:
        """Scores (J, n) of `targets` with each event masked in turn."""
        return self._scores_without(history, targets)

    def scores_masked(self, history: History, live: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Scores (R, J) of `targets` under the maskings `live` (R, n): bit for bit those that are served."""
        served = [self._scores(replace(history, live=row))[targets] for row in live]
        return np.array(served).reshape(len(live), len(targets))

    def cells_of(self, history: History, target: int) -> list[HeadCells]:
        """The cells of one target."""
        return self._cells(history, target)

    def fields_of(self, history: History, targets: np.ndarray) -> list[HeadField] | None:
        """The heads over `targets` (J,), from which the score without any set of events follows; None: they do not."""
        return self._fields(history, targets)

    def near_of(self, history: History) -> Near | None:
        """Scores of every item without each event, within a known slack; None: nothing is quicker than the scores."""
        return self._near(history)

    def reach_of(self, history: History, m: int) -> np.ndarray | None:
        """(M,) what each score cannot exceed when up to `m` events are masked; None: no bound is known."""
        return self._reach(history, m)

    def fingerprint(self) -> str:
        """The SHA-256 of what was learned, in hexadecimal: class, settings, data and every array; of one fit, one text.

        >>> from xattn.data.synthetic import planted
        >>> from xattn.recommenders import Popularity
        >>> data = planted("genre", seed=0).data
        >>> Popularity().fit(data).fingerprint() == Popularity().fit(data).fingerprint()
        True
        """
        self._check_fitted()
        known: tuple[np.ndarray, str] | None = self.__dict__.get("_fingerprint")
        if known is None or known[0] is not self.base_:
            known = (self.base_, fingerprint_of(self))
            self._fingerprint = known
        return known[1]

    # --- files -------------------------------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write the fitted model to `path` (one .npz file, no pickle, atomically); `xattn.load_model` reads it back."""
        from xattn.recommenders.persist import save_model

        self._check_fitted()
        save_model(self, path)


def _kept(ids: Any) -> Any:
    """Ids that may be asked for more than once: what can be gone through only once becomes a list."""
    return list(ids) if isinstance(ids, Iterator) else ids
