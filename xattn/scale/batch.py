"""Lists, reasons and figures of all people in partitions: a Parquet file for each partition, whoever does the work.

    a model, each partition ─▶ lists-00003.parquet, reasons-00003.parquet, or ranks-00003.parquet

`batch.json` in the same folder says what the files follow from. Work that was stopped goes on there; a folder with the
files of another model, other partitions or other settings is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from xattn.data.checksum import checksum_of
from xattn.errors import check_choice, check_path, check_type, check_whole, refuse
from xattn.errors.constraints import check_params
from xattn.evaluate.bootstrap import interval
from xattn.evaluate.memory import peak_megabytes
from xattn.evaluate.metrics import per_user
from xattn.files import open_regular, write_file
from xattn.progress import Progress, part_of
from xattn.recommenders.attention import AttentionModel
from xattn.recommenders.base import Recommender
from xattn.recommenders.listing import SEEN, length
from xattn.recommenders.persist import load_model
from xattn.scale.engine import engine_of
from xattn.scale.fit import fit_partitions, stop_at_failures
from xattn.scale.store import Partitions
from xattn.scale.work import Engine, Task, run_tasks

__all__ = ["Batch", "evaluate_partitions", "recommend_partitions"]

FILES = {"recommend": "lists", "explain": "reasons", "rank": "ranks"}  # a task: what its files are called
SAID, MODEL = "batch.json", "model.npz"
FITTED = 0.7  # of the time of an evaluation


class Batch(NamedTuple):
    """What was written: the files of lists and of reasons in the order of the partitions, and the rows in them."""

    lists: tuple[Path, ...]
    reasons: tuple[Path, ...]
    rows: int


def recommend_partitions(
    partitions: Partitions | str | Path,
    model: Recommender | str | Path,
    out: str | Path,
    *,
    k: int | None = None,
    seen: str = "drop",
    users: int | None = None,
    reasons: bool = False,
    workers: int = 1,
    dask: str | None = None,
    memory: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Batch:
    """Write the `k` best items (default 10) of everybody in `partitions` to the folder `out`.

    `model` was fitted to these items, as by `fit_partitions`, or is the file of such a model; one in memory is saved in
    `out`. Lists have user, rank, item, title, score, base, and are those of ``recommend(history=…)``, bit for bit. With
    `reasons` more files say what each item of the history gives and what its removal does: user, rank, item, event,
    times, contribution, effect, score_without, rank_without; the contributions add up to the score less the base.
    `users` is about how many people, drawn by a hash of the id; None: all. `workers`, `dask` and `memory` are those of
    `fit_partitions`. Raises InputError for a model of other items, or where `out` holds other results, and DataError
    that names the partitions that could not be read, after all others are done.
    """
    found, where = _opened(partitions), _folder(out)
    check_choice("seen", seen, SEEN)
    settings = {"k": length(k, found.n_items), "seen": seen, "share": _share(found, users)}
    file = _model_file(model, where)
    settings |= {"model": str(file), "sha256": _sha256(file)}
    if load_model(file).data_.items.ids != found.items.ids:
        refuse("model_of_other_items", got=file.name)
    _say(where, [found.checksum, settings["sha256"], settings["k"], seen, settings["share"]])
    with _running(engine, workers, dask, memory) as run:
        halfway = 0.2 if reasons else 1.0
        lists = _made("recommend", found, where, settings, run, part_of(progress, 0.0, halfway))
        more = _made("explain", found, where, settings, run, part_of(progress, halfway, 1.0)) if reasons else ()
    return Batch(lists, more, sum(pq.read_metadata(path).num_rows for path in (*lists, *more)))


def evaluate_partitions(
    partitions: Partitions | str | Path,
    model: AttentionModel,
    out: str | Path,
    *,
    k: int = 10,
    seen: str = "drop",
    users: int | None = None,
    seed: int = 0,
    workers: int = 1,
    dask: str | None = None,
    memory: int | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit `model` without the last event of each user, and ask for it: the protocol *next-item* of `evaluate`.

    The fitted model and the rank of each person's last event stay in the folder `out`. `users` is about how many people
    are asked, drawn by a hash of the id; `seed` is that of the intervals. The result has the shape of `evaluate`'s,
    with the metrics of ranks. Raises InputError and DataError as `fit_partitions` and `recommend_partitions` do.
    """
    found, where = _opened(partitions), _folder(out)
    check_type("model", model, AttentionModel, "model_of_sums")
    check_params(model)
    check_whole("k", k, low=1, high=found.n_items)
    share, file = _share(found, users), where / MODEL
    _say(where, [found.checksum, type(model).__name__, model.get_params(deep=False), check_choice("seen", seen, SEEN),
                 share])  # fmt: skip
    with _running(engine, workers, dask, memory) as run:
        start = time.perf_counter()
        if not file.exists():
            told = part_of(progress, 0.0, FITTED)
            fit_partitions(found, model, leave_last=True, engine=run, progress=told).model.save(file)
        fitted = time.perf_counter()
        settings = {"seen": seen, "share": share, "model": str(file), "sha256": _sha256(file)}
        files = _made("rank", found, where, settings, run, part_of(progress, FITTED, 1.0))
    ranks = np.concatenate([pq.read_table(path)["rank"].to_numpy() for path in files])
    if not len(ranks):
        refuse("too_few_events", least="two")
    metrics = per_user(list(ranks[:, None]), k)
    row = {
        "model": type(model).__name__,
        **{name: float(values.mean()) for name, values in metrics.items()},
        "ci95": {name: list(interval(values, seed)) for name, values in metrics.items()},
        "fit_s": fitted - start,
        "score_s": time.perf_counter() - fitted,
        "peak_mb": peak_megabytes(),
    }
    sizes = {"users": len(ranks), "items": found.n_items, "events": found.n_events}
    return {"protocol": "next-item", "dataset": found.name, **sizes, "k": k, "seen": seen, "rows": [row]}


def _opened(partitions: Partitions | str | Path) -> Partitions:
    return partitions if isinstance(partitions, Partitions) else Partitions.open(partitions)


def _folder(out: str | Path) -> Path:
    where = check_path("out", out)
    os.makedirs(where, exist_ok=True)
    return where


def _share(partitions: Partitions, users: int | None) -> float:
    """The share of the people that is asked for, so that about `users` are."""
    return 1.0 if users is None else min(1.0, check_whole("users", users, low=1) / partitions.n_users)


def _model_file(model: Recommender | str | Path, out: Path) -> Path:
    """The file of the model; one in memory is saved in `out`."""
    if not isinstance(model, Recommender):
        return check_path("model", model)
    path = out / f"model-{model.fingerprint()[:12]}.npz"
    if not path.exists():
        model.save(path)
    return path


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def _say(out: Path, of: list[Any]) -> None:
    """Write what the files in `out` follow from. Raises InputError where they follow from something else."""
    said = checksum_of(json.dumps(of, sort_keys=True, default=str))
    try:
        before = json.loads((out / SAID).read_text("utf-8"))
    except FileNotFoundError:
        write_file(out / SAID, json.dumps({"of": said}) + "\n")
        return
    except (OSError, ValueError):
        before = None
    if not isinstance(before, dict) or before.get("of") != said:
        refuse("other_results", got=str(out))


@contextmanager
def _running(engine: Engine | None, workers: int, dask: str | None, memory: int | None) -> Iterator[Engine]:
    """The engine that is given, or one that ends with the work."""
    run = engine_of(check_whole("workers", workers, low=1), dask, memory) if engine is None else engine
    try:
        yield run
    finally:
        if engine is None:
            run.close()


def _made(
    call: str, partitions: Partitions, out: Path, settings: dict[str, Any], engine: Engine, progress: Progress
) -> tuple[Path, ...]:
    """The files of a task, one for each partition; those that are there are not made again."""
    files = tuple(out / f"{FILES[call]}-{place:05d}.parquet" for place in range(len(partitions)))
    common = {"folder": str(partitions.folder), "manifest": partitions.checksum, **settings}
    tasks = [
        Task(f"{call}-{place:05d}", call, {**common, "place": place, "out": str(path)})
        for place, path in enumerate(files)
        if not path.exists()
    ]
    stop_at_failures(partitions, run_tasks(tasks, engine, FILES[call], progress))
    return files
