"""The one contract of all recommenders: `fit`, `recommend`, `explain`, `score`, `similar_items`, `save`, …

It stands on three layers, each with a file: an `Estimator` is fitted, a `Scoring` model answers about one history, and
a `Similar` one says what is alike. Here are lists, ledgers and files. A concrete recommender defines `_fit`, what it
answers about a history (see `xattn.recommenders.scoring`), and `_state` and `_restore` for its file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from xattn.data import History, JoinedHistories
from xattn.errors import check_id, check_ids, check_path, is_listing, refuse
from xattn.explain import Ledger, Question
from xattn.explain.cache import cache_of
from xattn.recommenders.listing import items_frame, listing, lists_frame
from xattn.recommenders.persist import save_model
from xattn.recommenders.similar import Similar

__all__ = ["Recommender"]


class Recommender(Similar):
    """Base of all recommenders; see the module's text for what a subclass defines.

    Attributes after `fit`: `data_` (the Interactions), `base_` (M,) what each item's score is without any history,
    `scale_` (the data's rating scale).
    """

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
        seen: str = "drop",
    ) -> pd.DataFrame:
        """The `k` (default 10) best items that the history does not hold: a frame of rank, item, title, score, base.

        `user` is a known user's id; for someone new give `history` instead (see `history`), no re-fit needed. `exclude`
        lists item ids to leave out, `candidates` the only ones to consider; `where` maps item columns to what they must
        hold, as ``{"genres": "Comedy", "year": (1990, 1999)}`` (see `xattn.data.filters`). `without` names events to
        mask (their items stay out of the list: they have been seen). With ``seen="keep"`` the list may offer again what
        the history holds, masked or not, as groceries and music want it. `diversity` from 0 to 1 trades score for
        difference by item features (maximal marginal relevance, `xattn.recommenders.rerank`); the scores shown stay the
        model's, so they need not fall with the rank any more.

        Equal scores rank in item order. Fewer than k rows come back where fewer candidates are left. Raises InputError
        (UnknownIdError for ids) on wrong arguments.
        """
        events = self.history(user, history=history, without=without)
        asked = listing(self.data_, k, exclude, candidates, where, diversity, seen)
        (best,) = asked.best(cache_of(self, events).scores[None, :], [events])  # explanations ask for them again
        return items_frame(self.data_.items, best.items, score=best.scores, base=self.base_[best.items])

    @property
    def reads_moments(self) -> bool:
        """Whether a score depends on how many days ago events were, and not on their order alone."""
        return False

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
        seen: str = "drop",
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
        asked = listing(self.data_, k, exclude, candidates, where, diversity, seen)
        return lists_frame(self.data_.items, names, asked.of_many(self.scores_of_many, people), self.base_)

    def _people(
        self, users: Iterable[Any] | None, histories: Mapping[Any, Any] | Iterable[Any] | None
    ) -> tuple[list[Any], Sequence[History]]:
        self._check_fitted()
        if (users is None) == (histories is None):
            refuse("one_of", names=("users", "histories"), found="none_of_them" if users is None else "both")
        if users is not None:
            rows = [self.data_.user_row(user) for user in check_ids("users", users, "user")]
            return [self.data_.user_ids[row] for row in rows], JoinedHistories.of_users(self.data_, rows)
        if isinstance(histories, Mapping):
            return list(histories), [self.history(history=events) for events in histories.values()]
        if histories is None or not is_listing(histories):
            refuse("type", name="histories", what="list_of_histories", got=histories)
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
        seen: str = "drop",
    ) -> Ledger:
        """The Ledger of `item` for this user or history: every cell of its score, and what removing events would do.

        The other arguments are those of `recommend`; ranks and the counterfactual refer to that list, by score.
        """
        events = self.history(user, history=history, without=without)
        exclude = check_ids("exclude", exclude)
        candidates = None if candidates is None else check_ids("candidates", candidates)
        asked = listing(self.data_, k, exclude, candidates, where, seen=seen)
        target = self.data_.item_row(check_id("item", item))
        given = {
            "exclude": exclude or None,
            "candidates": candidates,
            "where": where,
            "seen": None if seen == "drop" else seen,
        }
        question = Question(
            user=None if events.user is None else self.data_.user_ids[events.user],
            history=events,
            target=target,
            k=asked.k,
            allowed=asked.allowed(events),
            conditions={name: value for name, value in given.items() if value is not None},
            seen=seen,
        )
        return Ledger(self, question)

    def save(self, path: str | Path) -> None:
        """Write the fitted model to `path` (one .npz file, no pickle, atomically); `xattn.load_model` reads it back."""
        self._check_fitted()
        check_path("path", path)
        save_model(self, path)
