"""`xattn fit`: fit a recommender and keep it in one file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import click

from xattn.cli.data_options import reported
from xattn.cli.inputs import subject
from xattn.cli.models import named_model
from xattn.cli.options import DataChoice, ModelChoice, as_json, check_left_out, data_options, grouped, model_options
from xattn.cli.outputs import output
from xattn.cli.screen import echo, plain, print_json, progress
from xattn.errors import check_number, check_whole, refuse

__all__ = ["fit"]


@dataclass(frozen=True)
class ScaleChoice:
    """Partitions to fit to, and who does the work."""

    partitions: str | None
    workers: int
    dask: str | None
    memory: float | None

    def check(self, source: DataChoice, choice: ModelChoice) -> None:
        """Raise InputError for numbers out of bounds, other data beside the partitions, or a saved model."""
        check_whole("workers", self.workers, low=1)
        if self.memory is not None:
            check_number("memory", self.memory, low=0.5)
        if choice.saved:
            refuse("fitted_already", got=choice.model)
        given = {"data": source.data, "ratings": source.ratings, "items": source.items, **source.said}
        check_left_out("--partitions", **given)


scale_options = grouped(
    "scale",
    ScaleChoice,
    click.option("--partitions", metavar="DIR", help="A folder of `xattn partition`, in place of data in memory."),
    click.option(
        "--workers", type=int, default=1, show_default=True, metavar="N", help="Processes, with --partitions."
    ),
    click.option("--dask", metavar="ADDRESS", help="With --partitions: a Dask scheduler; local: a cluster made here."),
    click.option("--memory", type=float, metavar="GB", help="With --partitions: the most that a process may take."),
)


@click.command()
@data_options
@scale_options
@model_options
@click.option("--out", required=True, metavar="FILE", help="Where the fitted model goes (one .npz file).")
@as_json
def fit(source: DataChoice, scale: ScaleChoice, choice: ModelChoice, out: str, as_json: bool) -> None:
    """Fit a recommender and save it in a file.

    The other commands read the file by --model. If anything fails, the file that stood there before stays.
    """
    path = output("out", out, (source.ratings, source.items))
    if scale.partitions is not None:
        _fit_partitions(scale.partitions, scale, source, choice, path, out, as_json)
        return
    check_left_out("", "without_partitions", dask=scale.dask, memory=scale.memory)
    about = subject(source, choice)
    if about.fitted:
        refuse("fitted_already", got=choice.model)
    start = time.perf_counter()
    model = about.ready()
    seconds = time.perf_counter() - start
    model.save(path)
    name, data, size = type(model).__name__, model.data_, path.stat().st_size
    if as_json:
        sizes = {"name": data.name, "users": data.n_users, "items": data.n_items, "events": data.n_events}
        facts = {"model": name, "params": model.get_params(deep=False), "data": sizes}
        facts |= {"out": out, "bytes": size, "fit_s": seconds, "fingerprint": model.fingerprint()}
        print_json({**facts, **reported(data, source)})
        return
    read = f"{data.n_users:,} users, {data.n_items:,} items, {data.n_events:,} events"
    echo(plain(f"{name} fitted on {data.name} ({read}) in {seconds:.1f} s; saved to {out} ({size:,} bytes)."))


def _fit_partitions(
    folder: str, scale: ScaleChoice, source: DataChoice, choice: ModelChoice, path: Path, out: str, as_json: bool
) -> None:
    """Fit to all users of the partitions; the file holds the model and a sample of them."""
    from xattn.recommenders.registry import DEFAULT
    from xattn.scale import Partitions, fit_partitions

    scale.check(source, choice)
    found = Partitions.open(folder)
    model = named_model(choice.model if choice.model is not None else DEFAULT, choice, "no_model_file")
    memory = None if scale.memory is None else int(scale.memory * 2**30)
    start = time.perf_counter()
    with progress(f"fitting {type(model).__name__}") as tell:
        fitted = fit_partitions(found, model, workers=scale.workers, dask=scale.dask, memory=memory, progress=tell)
    seconds = time.perf_counter() - start
    fitted.model.save(path)
    name, size = type(model).__name__, path.stat().st_size
    sizes = {"name": found.name, "users": fitted.users, "items": found.n_items, "events": fitted.events}
    if as_json:
        facts = {"model": name, "params": model.get_params(deep=False), "data": sizes, "partitions": len(found)}
        facts |= {"out": out, "bytes": size, "fit_s": seconds, "fingerprint": fitted.model.fingerprint()}
        print_json(facts)
        return
    read = f"{fitted.users:,} users, {found.n_items:,} items, {fitted.events:,} events"
    echo(plain(f"{name} fitted on {found.name} ({read}) in {seconds:.1f} s; saved to {out} ({size:,} bytes)."))
