"""The list: which items may stand in it, the best of these by score, and the frame that shows them.

An item may be listed unless it is excluded, or is none of the candidates, or misses a condition on its columns. Those
that the history holds have been seen, those of masked events too. They may be listed with ``seen="keep"`` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

import numpy as np
import pandas as pd

from xattn.data import History, Interactions, ItemTable, JoinedHistories
from xattn.data.filters import matching
from xattn.errors import check_choice, check_ids, check_no_overflow, check_probability, check_whole, refuse
from xattn.kernels.topk import top_k
from xattn.recommenders.rerank import check_features, diverse_list

__all__ = [
    "DEFAULT_K",
    "SEEN",
    "Listed",
    "Listing",
    "eligible",
    "items_frame",
    "length",
    "listing",
    "lists_frame",
    "refuse_head",
]

DEFAULT_K = 10
SEEN = ("drop", "keep")  # what becomes of items that the history holds
BLOCK = 8_000_000  # scores (users × items) held at a time: 64 MB


class Listed(NamedTuple):
    """A list: item rows, best first, and their scores."""

    items: np.ndarray
    scores: np.ndarray


class Listing(NamedTuple):
    """What a list may be: `k` items of the `eligible` (M,) ones, `diversity` apart by features F (M, d); items that the
    history holds are dropped or kept, as `seen` says."""

    k: int
    eligible: np.ndarray
    diversity: float = 0.0
    F: np.ndarray | None = None
    seen: str = "drop"

    def allowed(self, history: History) -> np.ndarray:
        """(M,) bool: what may be listed for this history."""
        allowed = self.eligible.copy()
        if self.seen == "drop":
            allowed[history.item] = False
        return allowed

    def best(self, scores: np.ndarray, histories: Sequence[History]) -> list[Listed]:
        """The list of each history, from scores (R, M)."""
        if self.F is not None:
            pairs = zip(scores, histories, strict=True)
            rows = [diverse_list(s, self.allowed(events), self.k, self.diversity, self.F) for s, events in pairs]
        else:
            joined = JoinedHistories.of(histories)
            seen = (joined.item, joined.indptr) if self.seen == "drop" else ()
            best = top_k(scores, self.eligible, self.k, *seen)
            rows = [items[:count] for items, count in zip(best.items, best.counts, strict=True)]
        return [Listed(items, s[items]) for items, s in zip(rows, scores, strict=True)]

    def of_many(
        self, scores_many: Callable[[Sequence[History]], np.ndarray], histories: Sequence[History]
    ) -> list[Listed]:
        """The list of each history; `scores_many` gives the scores (R, M) of as many at once as memory is spent on."""
        step = max(1, BLOCK // len(self.eligible))
        blocks = [histories[low : low + step] for low in range(0, len(histories), step)]
        scored = ((check_no_overflow("scores", scores_many(block)), block) for block in blocks)
        return [listed for scores, block in scored for listed in self.best(scores, block)]


def listing(
    data: Interactions,
    k: int | None,
    exclude: Iterable[Any] = (),
    candidates: Iterable[Any] | None = None,
    where: Mapping[str, Any] | None = None,
    diversity: float = 0.0,
    seen: str = "drop",
) -> Listing:
    """The Listing that the arguments of `recommend` ask for. Raises InputError where one breaks its condition."""
    k = length(k, data.n_items)
    diversity = check_probability("diversity", diversity)
    F = check_features("diversity", diversity, data.items) if diversity > 0 else None
    check_choice("seen", seen, SEEN)
    return Listing(k, eligible(data, exclude, candidates, where), diversity, F, seen)


def length(k: int | None, most: int) -> int:
    """The length of a list: `k` as given, else ten or all that there are."""
    return min(DEFAULT_K, most) if k is None else check_whole("k", k, low=1, high=most)


def eligible(
    data: Interactions,
    exclude: Iterable[Any] = (),
    candidates: Iterable[Any] | None = None,
    where: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """(M,) bool: what may be listed for anybody."""
    met = np.ones(data.n_items, bool) if where is None else matching(data.items, where)
    if candidates is not None:
        named = np.zeros(data.n_items, bool)
        named[[data.item_row(item) for item in check_ids("candidates", candidates)]] = True
        met &= named
    met[[data.item_row(item) for item in check_ids("exclude", exclude)]] = False
    return met


def refuse_head(names: tuple[str, ...], got: Any) -> NoReturn:
    """Raise InputError for a head that is not among `names`."""
    refuse("unknown_head", some="known_names" if names else "no_heads", known=names, got=got)


def items_frame(items: ItemTable, rows: np.ndarray, **columns: np.ndarray) -> pd.DataFrame:
    """A frame of rank, item, title and `columns` for item `rows` in the order of their ranks."""
    listed = rows.tolist()
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(listed) + 1),
            "item": [items.ids[j] for j in listed],
            "title": [items.titles[j] for j in listed],
            **columns,
        }
    )


def lists_frame(items: ItemTable, names: Sequence[Any], lists: Sequence[Listed], base: np.ndarray) -> pd.DataFrame:
    """A frame of user, rank, item, title, score, base: the lists one after the other, each under its name."""
    rows = np.concatenate([np.empty(0, np.int64), *(listed.items for listed in lists)])
    scores = np.concatenate([np.empty(0), *(listed.scores for listed in lists)])
    frame = items_frame(items, rows, score=scores, base=base[rows])
    sizes = [len(listed.items) for listed in lists]
    frame["rank"] = np.concatenate([np.empty(0, np.int64), *(np.arange(1, size + 1) for size in sizes)])
    users = [name for name, size in zip(names, sizes, strict=True) for _ in range(size)]
    frame.insert(0, "user", pd.Series(users, dtype=None if users else object))
    return frame
