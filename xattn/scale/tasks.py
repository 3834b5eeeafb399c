"""What a worker does: one partition counted, summed or served, or two sums made one. Plain arguments, files as results.

Every task writes its file whole or not at all and leaves it where it is there already, so a task may run twice, or
again after a kill, without harm. Its bits follow from the partition and the arguments alone: kernels give the same bits
at any number of threads, and BLAS runs on one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from xattn.data import Interactions
from xattn.data.split import leave_last_out
from xattn.errors import XattnError
from xattn.files import write_file
from xattn.model.fit.pair_sums import BelongingSums, PairSums
from xattn.model.fit.sums import Sums
from xattn.model.strength import RatingScale, kind_strengths, lasted
from xattn.recommenders.behaviour import Behaviour, PartSums
from xattn.scale.columns import Columns, packed_ids
from xattn.scale.serving import explain_part, rank_part, recommend_part
from xattn.scale.store import opened, sampled
from xattn.scale.tree import Node

__all__ = ["load_columns", "load_sums", "run", "training"]

KINDS: dict[str, type[Sums] | type[PairSums] | type[BelongingSums]] = {
    kind.__name__: kind for kind in (Sums, PairSums, BelongingSums)
}


def run(call: str, arguments: Mapping[str, Any]) -> str:
    """Do a task; what went wrong, in a sentence, or ""."""
    try:
        with threadpool_limits(1, "blas"):
            TASKS[call](**arguments)
    except XattnError as problem:
        return str(problem)
    except MemoryError:
        return "not enough memory"
    except OSError as problem:
        return f"{problem.strerror or type(problem).__name__}"
    return ""


def training(data: Interactions, leave_last: bool) -> Interactions:
    """The events to learn from: all, or without the last one of each user who has two."""
    return leave_last_out(data).train if leave_last else data


def _count(folder: str, manifest: str, place: int, out: str, leave_last: bool, weights: Any, share: float) -> None:
    """Events per item, what they are worth as next ones, and the columns of sampled users."""
    if os.path.exists(out):
        return
    partitions = opened(folder, manifest)
    columns = partitions.columns(place)
    data = training(partitions.interactions(columns), leave_last)
    worth = np.maximum(kind_strengths(data.kind, data.n_events, weights), 0.0)
    worth = worth * lasted(data.rating, data.n_events, RatingScale.of(data.scale))
    met = np.bincount(data.item, worth, minlength=data.n_items)
    kept = {f"sample.{name}": array for name, array in _chosen(columns, share)._asdict().items() if array is not None}
    arrays = {"counts": data.counts(), "met": met, **kept}
    write_file(out, lambda file: np.savez(file, allow_pickle=False, **arrays))


def _chosen(columns: Columns, share: float) -> Columns:
    """The columns of the users in the sample."""
    if share >= 1.0:
        return columns
    ids = columns.user_ids()
    users = np.flatnonzero(sampled(ids, share))
    length = np.diff(columns.indptr)[users]
    indptr = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    event = np.arange(indptr[-1]) + np.repeat(columns.indptr[:-1][users] - indptr[:-1], length)
    vectors = (None if v is None else v[event] for v in (columns.rating, columns.time, columns.kind))
    packed = packed_ids([ids[row] for row in users.tolist()])
    return Columns(*packed, columns.first[users], indptr, columns.item[event], *vectors)


def load_columns(arrays: Mapping[str, np.ndarray]) -> Columns:
    """The sampled users in a file of `_count`."""
    return Columns(*(arrays.get(f"sample.{name}") for name in Columns._fields))  # type: ignore[arg-type]


def _sum(
    folder: str, manifest: str, low: int, high: int, out: str, plan: str, leave_last: bool, params: dict[str, Any]
) -> None:
    """The sums of a node, from its partitions; `plan` is the file of the items with values."""
    if os.path.exists(out):
        return
    partitions = opened(folder, manifest)
    warm = np.load(plan, allow_pickle=False)
    behaviour, scale = Behaviour.of(params), RatingScale.of(partitions.scale)

    def below(node: Node) -> PartSums:
        if not node.is_leaf:
            left, right = node.children
            return below(left) + below(right)  # type: ignore[operator]
        data = training(partitions.part(node.low), leave_last)
        return behaviour.part_sums(data, scale, warm)

    _save(out, below(Node(low, high)))


def _merge(work: str, low: int, high: int) -> None:
    """The sums of a node from those of its children, which are deleted."""
    node = Node(low, high)
    out = Path(work) / f"sums-{node.name}.npz"
    parts = [Path(work) / f"sums-{child.name}.npz" for child in node.children]
    if not out.exists():
        left, right = (load_sums(part) for part in parts)
        _save(str(out), left + right)  # type: ignore[operator]
    for part in parts:
        part.unlink(missing_ok=True)


def _save(out: str, sums: PartSums) -> None:
    arrays = {"kind": np.array(list(KINDS).index(type(sums).__name__)), **sums.arrays()}
    write_file(out, lambda file: np.savez(file, allow_pickle=False, **arrays))


def load_sums(path: Path) -> PartSums:
    """The sums in a file of a task."""
    with np.load(path, allow_pickle=False) as arrays:
        kind = list(KINDS.values())[int(arrays["kind"])]
        return kind.of_arrays({name: arrays[name] for name in arrays.files if name != "kind"})


TASKS: dict[str, Callable[..., None]] = {
    "count": _count,
    "sum": _sum,
    "merge": _merge,
    "recommend": recommend_part,
    "explain": explain_part,
    "rank": rank_part,
}
