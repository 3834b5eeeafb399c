"""The events of one ledger as columns of arrays, and how its cells group: the numbers under every frame and sentence.

A cell has a place: the number of its head, the position of its event, the number of its feature. n live events; a group
is a set of cells, its contribution their sum, so the contributions of each way of grouping add up to score − base:

    event    the cells of one event, over all heads and features
    head     the cells of one head
    feature  the cells of one feature over all heads that split; "" holds what does not split
    block    the features of one block (all genres, say); what does not split is behaviour
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from xattn.data import History
from xattn.data.scale import Scale
from xattn.model.heads.field import HeadCells
from xattn.model.strength import DISLIKED, RatingScale, signed

__all__ = [
    "BEHAVIOUR", "CellPlaces", "EventRows", "Group", "block_sums", "blocks_of", "cell_places", "contributions",
    "effective_number", "event_rows", "feature_sums", "head_sums", "occurrences", "rated_low"]  # fmt: skip

BEHAVIOUR = "behaviour"
T = TypeVar("T")


class EventRows(NamedTuple):
    """The items of the live events, largest contribution first: all arrays (G,)."""

    position: np.ndarray  # place of the newest event in the history, 0 is the oldest
    weight: np.ndarray  # share of the attention of all heads together
    contribution: np.ndarray
    liked: np.ndarray  # False where every head counts each of its events as a dislike
    times: np.ndarray  # how often the item was met

    @property
    def events(self) -> int:
        """How many events are live."""
        return int(self.times.sum())


class Group(NamedTuple):
    """One group of cells; `effective` is how many events the weights of a head come down to."""

    name: str
    contribution: float
    effective: float = 0.0
    block: str = ""


class CellPlaces(NamedTuple):
    """Where the cells of one head stand: arrays of one length."""

    position: np.ndarray
    feature: np.ndarray  # column of the head's values; F, one past the last, for an event that says nothing


def cell_places(head: HeadCells, live: np.ndarray) -> CellPlaces:
    """The cells of a head over the `live` (n,) events: features of value 0 are left out, one cell an event stays."""
    at = np.flatnonzero(live)
    keep = head.value[at] != 0.0
    silent = np.flatnonzero(~keep.any(axis=1))
    row, column = np.nonzero(keep)
    row = np.concatenate([row, silent])
    column = np.concatenate([column, np.full(len(silent), head.value.shape[1])])
    order = np.lexsort((column, row))
    return CellPlaces(at[row[order]], column[order])


def blocks_of(head: HeadCells) -> list[str]:
    """The block of each feature of a head; behaviour where a value does not split."""
    return [block or BEHAVIOUR for block in head.blocks or ("",) * len(head.features)]


def occurrences(names: Iterable[T]) -> list[tuple[T, int]]:
    """Each name with how often it came before, so that equal names are told apart.

    >>> occurrences(["a", "b", "a"])
    [('a', 0), ('b', 0), ('a', 1)]
    """
    counts: Counter[T] = Counter()
    found = []
    for name in names:
        found.append((name, counts[name]))
        counts[name] += 1
    return found


def contributions(heads: Sequence[HeadCells], n: int) -> np.ndarray:
    """(n,) what each event of the history contributes: its cells' sum over all heads and features."""
    total = np.zeros(n)
    for head in heads:
        total += (head.weight * head.strength * head.gate) * head.value.sum(axis=1)
    return total


def event_rows(heads: Sequence[HeadCells], history: History) -> EventRows:
    """The rows of the items of a history: the sums of their live events."""
    n, newest = len(history), history.newest
    weight, liked = np.zeros(n), np.full(n, not heads)
    for head in heads:
        weight += head.weight
        liked |= head.strength >= 0
    live = np.flatnonzero(history.live)
    items = history.item[newest]
    by_item = np.argsort(items)
    row = by_item[np.searchsorted(items, history.item[live], sorter=by_item)]
    of_row = [np.bincount(row, one[live], len(newest)) for one in (weight, contributions(heads, n), liked)]
    total = float(of_row[0].sum())
    order = np.argsort(-of_row[1], kind="stable")
    return EventRows(
        newest[order],
        of_row[0][order] / (total if total > 0 else 1.0),
        of_row[1][order],
        of_row[2][order] > 0,
        np.bincount(row, minlength=len(newest))[order],
    )


def effective_number(weight: np.ndarray) -> float:
    """exp of the entropy of `weight` (n,) ≥ 0 as shares: n where all are alike, 1 where one has all; 0 without any.

    >>> effective_number(np.array([1.0, 1.0, 0.0])), effective_number(np.zeros(2))
    (2.0, 0.0)
    """
    total = float(weight.sum())
    if not total > 0:
        return 0.0
    share = weight[weight > 0] / total
    return float(round(math.exp(-float((share * np.log(share)).sum())), 12))


def head_sums(heads: Sequence[HeadCells], live: np.ndarray) -> list[Group]:
    """One group a head, in the order of the heads."""
    return [
        Group(head.name, float(head.contribution[live].sum()), effective_number(head.weight[live])) for head in heads
    ]


def feature_sums(heads: Sequence[HeadCells], live: np.ndarray) -> list[Group]:
    """One group a feature that any cell has, "" among them where values do not split.

    Two features of one head are never one group, however they are called; features of two heads are one where their
    blocks and names are the same.
    """
    sums: dict[tuple[tuple[str, str], int], float] = {}
    for head in heads:
        keys = occurrences(zip(blocks_of(head), head.features, strict=True))
        for key, amount in zip(keys, head.contribution[live].sum(axis=0).tolist(), strict=True):
            sums[key] = sums.get(key, 0.0) + amount
    return [Group(name, amount, block=block) for ((block, name), _), amount in sums.items()]


def block_sums(features: Sequence[Group]) -> list[Group]:
    """One group a block, from the groups of its features."""
    sums: dict[str, float] = {}
    for group in features:
        sums[group.block] = sums.get(group.block, 0.0) + group.contribution
    return [Group(name, amount) for name, amount in sums.items()]


def rated_low(rating: np.ndarray | None, n: int, scale: Scale | None) -> np.ndarray:
    """Which events (n,) were clearly disliked: rated in the lowest quarter of a stated or known scale.

    >>> rated_low(np.array([1.0, 2.0, 3.0]), 3, Scale(1.0, 5.0)).tolist(), rated_low(None, 1, None).tolist()
    ([True, True, False], [False])
    """
    return np.asarray(signed(rating, n, RatingScale.of(scale)) <= DISLIKED)
