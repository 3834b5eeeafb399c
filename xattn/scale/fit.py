"""A fit over partitions: counts, then sums that add up in a fixed tree, then one solution.

    each partition:  counts, sampled users  ─▶  items with values, base, sample
    each partition:  A, B, z                ─▶  tree of sums  ─▶  solve  ─▶  model

Parts of the work stand as files in a folder named by what they follow from; a fit that was stopped goes on from them.
What single histories are needed for (worths of features, newcomers, what a dislike counts, learned heads) is learned
from a sample of users, drawn by a hash of the id. A model of a set that is no larger than the sample is that of `fit`,
to rounding.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from xattn.data.checksum import checksum_of
from xattn.data.sampled import SampledInteractions
from xattn.errors import DataError, check_some, check_type, check_whole, refuse
from xattn.errors.constraints import check_params
from xattn.files import write_file
from xattn.progress import Progress, part_of
from xattn.recommenders.attention import AttentionModel, Whole
from xattn.recommenders.behaviour import Behaviour, PartSums
from xattn.scale.engine import engine_of
from xattn.scale.store import Partitions
from xattn.scale.tasks import load_columns, load_sums, training
from xattn.scale.tree import Node
from xattn.scale.work import Engine, Task, run_tasks

__all__ = ["Fitted", "fit_partitions", "stop_at_failures"]

SAMPLE = 1_000_000  # events of the sampled users, about; a smaller set is kept whole
TOGETHER = 500_000  # events of the partitions that one task sums; it adds them as the tree says, without files between
COUNTED, SUMMED = 0.15, 0.8  # of the time of a fit


class Fitted(NamedTuple):
    """The model, and how many events and users it was fitted to."""

    model: AttentionModel
    users: int
    events: int


class _Counted(NamedTuple):
    """Events per item, what they are worth as next ones, and the data that the model keeps."""

    counts: np.ndarray
    met: np.ndarray
    data: Any


def fit_partitions(
    partitions: Partitions | str | Path,
    model: AttentionModel,
    *,
    workers: int = 1,
    dask: str | None = None,
    memory: int | None = None,
    sample: int = SAMPLE,
    leave_last: bool = False,
    together: int = TOGETHER,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Fit `model` (CollaborativeAttention, HybridAttention or ContentAttention) to all users in `partitions`.

    `workers` processes do the work, or with `dask` the cluster at that address ("local": one of `workers` processes);
    `memory` bytes are the most that one of them may take. The result has the same bits either way. `sample` is about
    how many events the sampled users have, `together` how many events one task sums (bits do not depend on it). With
    `leave_last` the last event of each user with two or more is left out.
    Raises InputError for other models, and DataError that names the partitions that could not be read or summed, after
    all others are done.
    """
    if not isinstance(partitions, Partitions):
        partitions = Partitions.open(partitions)
    check_type("model", model, AttentionModel, "model_of_sums")
    check_whole("workers", workers, low=1)
    check_whole("sample", sample, low=1)
    check_some("data", range(partitions.n_events), "event")
    check_params(model)
    settings = _settings(model)
    work = partitions.folder / f"work-{_key(partitions, settings, sample, leave_last)[:16]}"
    os.makedirs(work, exist_ok=True)
    own = engine is None
    running: Engine = engine_of(workers, dask, memory) if engine is None else engine
    common = {"folder": str(partitions.folder), "manifest": partitions.checksum, "leave_last": leave_last}
    try:
        counted = _counted(partitions, work, running, common, settings, sample, part_of(progress, 0.0, COUNTED))
        sums = None
        if "collaborative" in model.kinds:
            told = part_of(progress, COUNTED, SUMMED)
            sums = _summed(partitions, work, running, common, settings, counted.counts, together, told)
    finally:
        if own:
            running.close()
    model.fit_whole(Whole(counted.data, counted.met, sums), progress=part_of(progress, SUMMED, 1.0))
    shutil.rmtree(work, ignore_errors=True)
    return Fitted(model, partitions.n_users, int(counted.counts.sum()))


def _settings(model: AttentionModel) -> dict[str, Any]:
    """The parameters that the sums depend on, as `Behaviour` takes them."""
    plain = {"objective": "auto", "recency": (1.0,), "regularization": 1.0, "min_events": 1, "n_neighbors": None,
             "dislike": 1.0, "dtype": "float64"}  # fmt: skip
    own = model.get_params(deep=False)
    names = (*plain, "beta", "event_weights", "recency_days", "days_floor", "pause_days")
    found = {name: own.get(name, plain.get(name)) for name in names}
    found["recency"] = tuple(float(tau) for tau in found["recency"])
    return {**found, "regularization": 1.0, "dislike": 1.0}  # these two play no part in the sums


def _key(partitions: Partitions, settings: dict[str, Any], sample: int, leave_last: bool) -> str:
    said = json.dumps([settings, sample, leave_last], sort_keys=True, default=str)
    return checksum_of(partitions.checksum, said)


def _counted(
    partitions: Partitions, work: Path, engine: Engine, common: dict[str, Any], settings: dict[str, Any], sample: int,
    tell: Progress,
) -> _Counted:  # fmt: skip
    share = 1.0 if partitions.n_events <= sample else sample / partitions.n_events
    out = [work / f"count-{place:05d}.npz" for place in range(len(partitions))]
    arguments = {**common, "weights": settings["event_weights"], "share": share}
    tasks = [
        Task(f"count-{place:05d}", "count", {**arguments, "place": place, "out": str(path)})
        for place, path in enumerate(out)
        if not path.exists()
    ]
    stop_at_failures(partitions, run_tasks(tasks, engine, "count", tell))
    counts, met = np.zeros(partitions.n_items, np.int64), np.zeros(partitions.n_items)
    columns = []
    for path in out:
        with np.load(path, allow_pickle=False) as arrays:
            counts += arrays["counts"]
            met += arrays["met"]
            columns.append(load_columns({name: arrays[name] for name in arrays.files}))
    if not any(one.n_users for one in columns):
        refuse("empty_sample", got=sample)
    data = training(partitions.gathered(columns), bool(common["leave_last"]))
    if share < 1.0:
        data = SampledInteractions.of(data, counts)
    return _Counted(counts, met, data)


def _summed(
    partitions: Partitions, work: Path, engine: Engine, common: dict[str, Any], settings: dict[str, Any],
    counts: np.ndarray, together: int, tell: Progress,
) -> PartSums:  # fmt: skip
    warm = Behaviour.of(settings).warm(counts)
    plan = work / "warm.npy"
    if not plan.exists():
        write_file(plan, lambda file: np.save(file, warm, allow_pickle=False))
    arguments = {**common, "plan": str(plan), "params": settings}
    tasks: list[Task] = []
    for node in _missing(work, Node(0, len(partitions)), partitions, together):
        key, out = f"sums-{node.name}", str(work / f"sums-{node.name}.npz")
        if node.is_leaf or _events(node, partitions) <= together:
            tasks.append(Task(key, "sum", {**arguments, "low": node.low, "high": node.high, "out": out}))
        else:
            needs = tuple(f"sums-{child.name}" for child in node.children)
            tasks.append(Task(key, "merge", {"work": str(work), "low": node.low, "high": node.high}, needs))
    stop_at_failures(partitions, run_tasks(tasks, engine, "accumulate", tell))
    return load_sums(work / f"sums-{Node(0, len(partitions)).name}.npz")


def _missing(work: Path, root: Node, partitions: Partitions, together: int) -> list[Node]:
    """The nodes whose files have to be made, each after its children; those below a file that is there need not."""
    if (work / f"sums-{root.name}.npz").exists():
        return []
    if _events(root, partitions) <= together:
        return [root]
    return [*(node for child in root.children for node in _missing(work, child, partitions, together)), root]


def _events(node: Node, partitions: Partitions) -> int:
    return sum(part.events for part in partitions.parts[node.low : node.high])


def stop_at_failures(partitions: Partitions, problems: dict[str, str]) -> None:
    """Raise DataError that names the partitions of failed tasks, if any; a task is named by its place."""
    if not problems:
        return
    spans = [[int(number) for number in key.split("-")[1:]] for key in problems]
    places = sorted({place for low, *high in spans for place in range(low, high[0] if high else low + 1)})
    names = tuple(partitions.parts[place].folder for place in places)
    key = next(iter(sorted(problems)))
    refuse("failed_partitions", kind=DataError, got=names, n=len(names), problem=problems[key])
