"""Made-up interactions of any size: popularity falls as a power law; what comes next depends on what came lately."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xattn.data import Interactions, ItemTable

__all__ = ["made_up"]

GROUPS = 60
KINDS = 18  # as many as MovieLens has genres
STAYS = 0.5  # share of events that stay in the group of one of the last four


def made_up(
    events: int, *, users: int = 6_000, items: int = 3_400, features: bool = False, seed: int = 0
) -> Interactions:
    """Histories of log-normal lengths, `events` in all (about); half of the events stay in the group of a recent one.

    With `features` each item has one to three kinds, which go with its group, and a year.

    >>> made_up(1000, users=20, items=50)
    Interactions('made up': 20 users, 50 items, ... events)
    """
    rng = np.random.default_rng(seed)
    lengths = np.exp(rng.normal(0.0, 0.9, users))
    lengths = np.maximum(5, lengths * events / lengths.sum()).astype(int)
    share = 1.0 / np.arange(1, items + 1) ** 0.8
    group = rng.integers(0, GROUPS, items)
    item = rng.choice(items, lengths.sum(), p=share / share.sum())
    indptr = np.concatenate([[0], np.cumsum(lengths)])

    back = rng.integers(1, 5, len(item))
    from_event = np.arange(len(item)) - back
    stays = (rng.random(len(item)) < STAYS) & (from_event >= np.repeat(indptr[:-1], lengths))
    of_event = group[item].tolist()
    for at in np.flatnonzero(stays).tolist():  # in order: an event may take the group of one that stayed itself
        of_event[at] = of_event[from_event[at]]
    drawn = np.array(of_event)
    for g in range(GROUPS):
        members, there = np.flatnonzero(group == g), np.flatnonzero(stays & (drawn == g))
        if len(there):
            item[there] = rng.choice(members, len(there), p=share[members] / share[members].sum())
    ids = tuple(str(j) for j in range(items))
    table = ItemTable(ids, ids, _features(group, rng)) if features else ItemTable.bare(ids)
    return Interactions("made up", tuple(str(u) for u in range(users)), table, indptr, item)


def _features(group: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Kinds joined by "|", the first by the group, the others at random; years from 1930 to 2020."""
    more = rng.integers(0, KINDS, (len(group), 2))
    many = rng.integers(0, 3, len(group))
    kinds = [
        "|".join(f"kind {kind}" for kind in dict.fromkeys([g % KINDS, *others[:n]]))
        for g, others, n in zip(group.tolist(), more.tolist(), many.tolist(), strict=True)
    ]
    return pd.DataFrame({"kinds": kinds, "year": rng.integers(1930, 2021, len(group)).astype(float)})
