"""The events of one ledger as columns of arrays, and how its cells group: the numbers under every frame and sentence.

n live events; a group is a set of cells, its contribution their sum, so the contributions of each way of grouping add
up to score − base:

    event    the cells of one event, over all heads and features
    head     the cells of one head
    feature  the cells of one feature over all heads that split; "" holds what does not split
    block    the features of one block ("genres: Drama" belongs to genres); what does not split is behaviour
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xattn.model.heads.field import HeadCells

__all__ = ["BEHAVIOUR", "EventRows", "Group", "block_of", "effective_number", "event_rows", "feature_sums", "head_sums"]

BEHAVIOUR = "behaviour"


class EventRows(NamedTuple):
    """Live events, largest contribution first: all arrays (n,)."""

    position: np.ndarray  # place in the history, 0 is the oldest
    weight: np.ndarray  # share of the attention of all heads together
    contribution: np.ndarray
    liked: np.ndarray  # False where every head counts the event as a dislike


class Group(NamedTuple):
    """One group of cells; `effective` is how many events the weights of a head come down to."""

    name: str
    contribution: float
    effective: float = 0.0


def event_rows(heads: Sequence[HeadCells], live: np.ndarray) -> EventRows:
    """The rows of the events that are `live` (n,) bool."""
    position = np.flatnonzero(live)
    weight, contribution = np.zeros(len(live)), np.zeros(len(live))
    liked = np.zeros(len(live), bool)
    for head in heads:
        weight += head.weight
        contribution += (head.weight * head.strength * head.gate) * head.value.sum(axis=1)
        liked |= head.strength >= 0
    if not heads:
        liked[:] = True
    total = float(weight[position].sum())
    order = position[np.argsort(-contribution[position], kind="stable")]
    return EventRows(order, weight[order] / (total if total > 0 else 1.0), contribution[order], liked[order])


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
    """One group a feature that any cell has, "" among them where values do not split."""
    sums: dict[str, float] = {}
    for head in heads:
        for name, amount in zip(head.features, head.contribution[live].sum(axis=0).tolist(), strict=True):
            sums[name] = sums.get(name, 0.0) + amount
    return [Group(name, amount) for name, amount in sums.items()]


def block_of(feature: str) -> str:
    """The block that a feature belongs to.

    >>> block_of("genres: Drama"), block_of(""), block_of("colour")
    ('genres', 'behaviour', 'colour')
    """
    return feature.partition(": ")[0] if feature else BEHAVIOUR
