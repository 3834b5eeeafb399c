"""What a worker does with a fitted model: the lists, the reasons, or the ranks of the people of one partition.

Each task writes one Parquet file, whole or not at all, and leaves it where it is there already.

    lists     user, rank, item, title, score, base
    reasons   user, rank, item, event, times, contribution, effect, score_without, rank_without
    ranks     user, target, rank (inf: in no list)
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from xattn.data import History
from xattn.data.split import leave_last_out
from xattn.evaluate.questions import Asking, told_items
from xattn.evaluate.ranking import rank
from xattn.files import write_file
from xattn.recommenders.base import Recommender
from xattn.recommenders.persist import load_model
from xattn.scale.store import opened, sampled

__all__ = ["explain_part", "rank_part", "recommend_part"]

REASONS = ("event", "times", "contribution")
REMOVALS = ("event", "effect", "score_without", "rank_without")
LIST_TYPES = {"user": pa.string(), "rank": pa.int32(), "item": pa.string(), "title": pa.string(),
              "score": pa.float64(), "base": pa.float64()}  # fmt: skip
REASON_TYPES = {"user": pa.string(), "rank": pa.int32(), "item": pa.string(), "event": pa.string(),
                "times": pa.int32(), "contribution": pa.float64(), "effect": pa.float64(),
                "score_without": pa.float64(), "rank_without": pa.int32()}  # fmt: skip
RANK_TYPES = {"user": pa.string(), "target": pa.string(), "rank": pa.float64()}


@cache
def _model(path: str, sha256: str) -> Recommender:
    """The model in a file, once a process; `sha256` is the file's."""
    return load_model(path)


def recommend_part(
    folder: str, manifest: str, place: int, model: str, sha256: str, out: str, k: int, seen: str, share: float
) -> None:
    """The k best items of each person of a partition."""
    if os.path.exists(out):
        return
    people = _people(folder, manifest, place, share)
    found = _model(model, sha256).recommend_many(histories=people, k=k, seen=seen)
    _write(out, found, LIST_TYPES)


def explain_part(
    folder: str, manifest: str, place: int, model: str, sha256: str, out: str, k: int, seen: str, share: float
) -> None:
    """The reasons of each item of each list: what every item of the history gives, and what its removal does."""
    if os.path.exists(out):
        return
    fitted = _model(model, sha256)
    people = _people(folder, manifest, place, share)
    frames = [
        _reasons(fitted, user, history, position, item, k, seen)
        for user, history in people.items()
        for position, item in enumerate(fitted.recommend(history=history, k=k, seen=seen)["item"], 1)
    ]
    empty = pd.DataFrame({name: [] for name in REASON_TYPES})
    _write(out, pd.concat(frames, ignore_index=True) if frames else empty, REASON_TYPES)


def _reasons(
    model: Recommender, user: str, history: History, position: int, item: str, k: int, seen: str
) -> pd.DataFrame:
    ledger = model.explain(history=history, item=item, k=k, seen=seen)
    given, removed = ledger.events(), ledger.removals()
    both = given[list(REASONS)].merge(removed[list(REMOVALS)], on="event", how="left")
    both.insert(0, "item", item)
    both.insert(0, "rank", position)
    both.insert(0, "user", user)
    return both


def rank_part(
    folder: str, manifest: str, place: int, model: str, sha256: str, out: str, seen: str, share: float
) -> None:
    """The rank of each person's last event among what may be listed after all the others."""
    if os.path.exists(out):
        return
    partitions, fitted = opened(folder, manifest), _model(model, sha256)
    if not partitions.parts[place].users:
        _write(out, pd.DataFrame({name: [] for name in RANK_TYPES}), RANK_TYPES)
        return
    data = partitions.part(place)
    split = leave_last_out(data)
    held = told_items(fitted.data_)
    asking = Asking(fitted.data_, seen)
    users, targets = [], []
    wanted = sampled(data.user_ids, share)
    for row, item in zip(split.user.tolist(), split.item.tolist(), strict=True):
        history = replace(History.of(split.train, row), user=None)
        there = bool(held[item])
        if wanted[row] and asking.ask(history, np.array([item] if there else [], np.int64), int(not there)):
            users.append(data.user_ids[row])
            targets.append(data.items.ids[item])
    ranked = rank(fitted, asking.questions(), 1, lambda scores, allowed: np.where(held, scores, -np.inf))
    found = [float(own[0]) for own in ranked.ranks]
    _write(out, pd.DataFrame({"user": users, "target": targets, "rank": found}), RANK_TYPES)


def _people(folder: str, manifest: str, place: int, share: float) -> dict[str, History]:
    """The people of a partition that are asked for, each as somebody whom the model's own data does not name."""
    partitions = opened(folder, manifest)
    if not partitions.parts[place].users:
        return {}
    data = partitions.part(place)
    rows: Iterable[int] = np.flatnonzero(sampled(data.user_ids, share)).tolist()
    return {data.user_ids[row]: replace(History.of(data, row), user=None) for row in rows}


def _write(out: str, frame: pd.DataFrame, types: dict[str, Any]) -> None:
    columns = [pa.array(frame[name].tolist(), kind) for name, kind in types.items()]
    table = pa.table(columns, schema=pa.schema(list(types.items())))
    write_file(out, lambda file: pq.write_table(table, file, compression="zstd"))
