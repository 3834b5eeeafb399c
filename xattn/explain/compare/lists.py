"""A whole list explained: which events hold it up, and what of it goes when one of them goes.

The contribution of an event to the list is the sum of its contributions to the k items; its effect the sum of its
removal effects on them; and `leaves` counts the items that are no longer among the k best when the event is masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from xattn.data import History
from xattn.errors import check_choice, check_whole, refuse
from xattn.explain.cache import cache_of
from xattn.explain.compare.difference import Difference
from xattn.explain.question import TERMS, Question, Scorer
from xattn.explain.rows import contributions
from xattn.explain.tell.words import named, quotable, spaced, worded
from xattn.i18n import LANGUAGES, t

if TYPE_CHECKING:
    from xattn.explain.ledger import Ledger

__all__ = ["ListChanges", "ListLedger", "Recommends", "explain_list", "list_changes"]

MOST_NAMES = 3


class Recommends(Scorer, Protocol):
    """A fitted recommender as lists see it."""

    def history(self, user: Any = None, *, history: Any = None, without: Iterable[Any] = ()) -> History: ...
    def recommend(
        self, user: Any = None, *, history: Any = None, k: int | None = None, **conditions: Any
    ) -> pd.DataFrame: ...
    def explain(self, user: Any = None, item: Any = None, *, history: Any = None, **conditions: Any) -> Ledger: ...


class ListLedger:
    """The list that `recommend` serves, explained as a whole. `items` is its frame (rank, item, title, score, base)."""

    def __init__(self, scorer: Scorer, question: Question, items: pd.DataFrame) -> None:
        self._scorer = scorer
        self._question = question
        self._cache = cache_of(scorer, question.history)
        self.items = items
        self.k = len(items)

    def __repr__(self) -> str:
        return f"ListLedger({self.k} items, {int(self._question.history.live.sum())} events)"

    @cached_property
    def _rows(self) -> np.ndarray:
        return self._scorer.data_.items.rows(self.items["item"].tolist())

    @cached_property
    def _contribution(self) -> np.ndarray:
        """(n,) of each event of the history, summed over the list."""
        history, total = self._question.history, np.zeros(len(self._question.history))
        for target in self._rows.tolist():
            total += contributions(self._scorer.cells_of(history, target), len(history))
        return total

    @cached_property
    def _effect(self) -> np.ndarray:
        """(n,) of each event, summed over the list."""
        without = self._cache.scores_without_each(self._rows)
        found: np.ndarray = (without - self._cache.scores[self._rows][:, None]).sum(axis=0)
        return found

    @cached_property
    def _lists(self) -> np.ndarray:
        """(n, k) item rows of the list without each event, as served; −1 where there are fewer."""
        return self._cache.lists_without_each(self.k, self._question.allowed)

    def events(self) -> pd.DataFrame:
        """One row per item of the live events, the one without which the list's scores fall most first.

        Columns: event (item id), title, times (how often it was met), position (of the newest), contribution, effect
        (both summed over the list), leaves (how many items of the list are not in the list without it), enters (ids of
        the items that are there in their place).
        """
        history, table = self._question.history, self._scorer.data_.items
        live = history.newest
        own = set(self._rows.tolist())
        entered = [tuple(table.ids[j] for j in self._lists[p].tolist() if j >= 0 and j not in own) for p in live]
        stay = [len(own.intersection(self._lists[p].tolist())) for p in live]
        frame = pd.DataFrame(
            {
                "event": [table.ids[j] for j in history.item[live].tolist()],
                "title": [table.titles[j] for j in history.item[live].tolist()],
                "times": np.bincount(history.item[history.live])[history.item[live]] if len(live) else live,
                "position": live,
                "contribution": [self._contribution[history.alike([p])].sum() for p in live],
                "effect": self._effect[live],
                "leaves": [self.k - kept for kept in stay],
                "enters": pd.Series(entered, dtype=object),
            }
        )
        return frame.sort_values("effect", kind="stable").reset_index(drop=True)

    def without(self, position: int) -> pd.DataFrame:
        """The list without the item at this position of the history, all its events masked: rank, item, title."""
        at = check_whole("position", position, low=0, high=len(self._question.history) - 1)
        rows = [j for j in self._lists[at].tolist() if j >= 0]
        table = self._scorer.data_.items
        return pd.DataFrame(
            {
                "rank": np.arange(1, len(rows) + 1),
                "item": [table.ids[j] for j in rows],
                "title": [table.titles[j] for j in rows],
            }
        )

    def text(self, lang: str = "en") -> str:
        """Which events the list rests on, and how much of it one of them holds, in words."""
        check_choice("lang", lang, LANGUAGES)
        events = self.events()
        most = events[events["contribution"] > 0].sort_values("contribution", ascending=False, kind="stable")
        if not len(most):
            return t(worded("words.list_popular", getattr(self._scorer, "amounts", TERMS)), lang)
        first = most.head(MOST_NAMES)
        sentences = [t("words.list_holds", lang, names=named(first["title"], first["contribution"], lang))]
        worst = events.iloc[0]
        title = quotable(str(worst["title"]), lang)
        sentences.append(t("words.list_leaves", lang, title=title, leaves=int(worst["leaves"]), k=self.k))
        return spaced(sentences, lang)

    def to_dict(self) -> dict[str, Any]:
        """As plain lists and dicts."""
        return {
            "items": self.items.to_dict(orient="records"),
            "events": self.events().to_dict(orient="records"),
            "text": {lang: self.text(lang) for lang in LANGUAGES},
        }


def explain_list(
    model: Recommends, user: Any = None, *, history: Any = None, k: int | None = None, **conditions: Any
) -> ListLedger:
    """The list of `model.recommend` with the same arguments, explained as a whole.

    Raises InputError as `recommend` does.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> data = planted("genre", seed=0).data
    >>> explain_list(ItemKNN().fit(data), "u0", k=3).events().columns.tolist()
    ['event', 'title', 'times', 'position', 'contribution', 'effect', 'leaves', 'enters']
    """
    events = _checked(model).history(user, history=history, without=conditions.pop("without", ()))
    items = model.recommend(history=events, k=k, **conditions)
    if not len(items):
        return ListLedger(model, Question(None, events, 0, 0, np.zeros(len(model.base_), bool)), items)
    first = model.explain(history=events, item=items["item"].iloc[0], k=k, **conditions)
    return ListLedger(model, first.question, items)


class ListChanges:
    """Two lists of one person, before and after more events or another fit, and why each place has changed."""

    def __init__(
        self, before: tuple[Recommends, History], after: tuple[Recommends, History], k: int | None, seen: str = "drop"
    ) -> None:
        self._before, self._after = before, after
        self._list: dict[str, Any] = {"k": k, "seen": seen}

    def __repr__(self) -> str:
        frame = self.items
        new, gone = int((frame["rank_before"] == 0).sum()), int((frame["rank_after"] == 0).sum())
        return f"ListChanges({new} new, {gone} gone, {len(frame) - new - gone} in both)"

    @cached_property
    def _differences(self) -> dict[str, Difference]:
        lists = [model.recommend(history=events, **self._list)["item"] for model, events in (self._after, self._before)]
        both = dict.fromkeys([*lists[0], *lists[1]])
        return {item: self._difference(item) for item in both}

    def of(self, item: str) -> Difference:
        """The score after less the score before, cell by cell, of any item."""
        return self._differences.get(str(item)) or self._difference(item)

    def _difference(self, item: str) -> Difference:
        after, before = (
            model.explain(history=events, item=item, **self._list) for model, events in (self._after, self._before)
        )
        return after - before

    @cached_property
    def items(self) -> pd.DataFrame:
        """One row an item of either list, in the order of the new list, then those that are gone.

        Columns: item, title, rank_before, rank_after (0: not in that list), score_before, score_after, difference,
        because (title of the event that moved the score most in that direction, "" where it is the base).
        """
        rows = []
        for item, difference in self._differences.items():
            a, b = difference.a, difference.b
            ranks = [0 if x.rank is None or x.rank > x.k else x.rank for x in (b, a)]
            rows.append((item, a.title, *ranks, b.score, a.score, difference.total, _cause(difference)))
        names = ["item", "title", "rank_before", "rank_after", "score_before", "score_after", "difference", "because"]
        return pd.DataFrame(rows, columns=names)


def _cause(difference: Difference) -> str:
    """The event whose part of a difference is the largest in its direction."""
    events = difference.events()
    signed = events["difference"].to_numpy() * (1.0 if difference.total >= 0 else -1.0)
    return str(events["title"].iloc[int(np.argmax(signed))]) if len(events) else ""


def list_changes(
    model: Recommends,
    before: Any,
    after: Any,
    *,
    k: int | None = None,
    model_before: Recommends | None = None,
    seen: str = "drop",
) -> ListChanges:
    """How the list changes from the history `before` to the history `after`, and why.

    Both are what `recommend` takes as a history (a list of ids, of pairs, a History) or ``{"user": id}``.
    `model_before` is the model that served the list before, where it is another one; `seen` is that of `recommend`.
    Raises InputError as `recommend` does.

    >>> from xattn.data.synthetic import planted
    >>> from xattn.recommenders import ItemKNN
    >>> model = ItemKNN().fit(planted("genre", seed=0).data)
    >>> changes = list_changes(model, ["i0", "i1"], ["i0", "i1", "i2"], k=3)
    >>> bool((changes.items["score_after"] - changes.items["score_before"] == changes.items["difference"]).all())
    True
    """
    earlier = _checked(model) if model_before is None else _checked(model_before)
    _checked(model)
    return ListChanges((earlier, _history(earlier, before)), (model, _history(model, after)), k, seen)


def _checked(model: Recommends) -> Recommends:
    """`model`, which lists and explains."""
    if not all(hasattr(type(model), name) for name in ("history", "recommend", "explain")):
        refuse("type", name="model", what="fitted_recommender", got=model)
    return model


def _history(model: Recommends, given: Any) -> History:
    if isinstance(given, Mapping) and set(given) == {"user"}:
        return model.history(given["user"])
    return model.history(history=given)
