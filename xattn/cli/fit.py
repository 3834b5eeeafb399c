"""`xattn fit`: fit a recommender and keep it in one file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from xattn.cli.data_options import reported
from xattn.cli.inputs import subject
from xattn.cli.models import named_model
from xattn.cli.options import DataChoice, ModelChoice, as_json, check_left_out, data_options, model_options
from xattn.cli.outputs import output
from xattn.cli.screen import echo, plain, print_json, progress
from xattn.cli.work import WorkChoice, work_options
from xattn.errors import refuse

__all__ = ["fit"]


@click.command()
@data_options
@click.option("--partitions", metavar="DIR", help="A folder of `xattn partition`, in place of data in memory.")
@work_options
@model_options
@click.option("--out", required=True, metavar="FILE", help="Where the fitted model goes (one .npz file).")
@as_json
def fit(
    source: DataChoice, partitions: str | None, work: WorkChoice, choice: ModelChoice, out: str, as_json: bool
) -> None:
    """Fit a recommender and save it in a file.

    The other commands read the file by --model. If anything fails, the file that stood there before stays.
    """
    path = output("out", out, (source.ratings, source.items))
    if partitions is not None:
        _fit_partitions(partitions, work, source, choice, path, out, as_json)
        return
    check_left_out("", "without_partitions", dask=work.dask, memory=work.memory)
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
    folder: str, work: WorkChoice, source: DataChoice, choice: ModelChoice, path: Path, out: str, as_json: bool
) -> None:
    """Fit to all users of the partitions; the file holds the model and a sample of them."""
    from xattn.recommenders.registry import DEFAULT
    from xattn.scale import Partitions, fit_partitions

    if choice.saved:
        refuse("fitted_already", got=choice.model)
    check_left_out("--partitions", data=source.data, ratings=source.ratings, items=source.items, **source.said)
    found = Partitions.open(folder)
    model = named_model(choice.model if choice.model is not None else DEFAULT, choice, "no_model_file")
    start = time.perf_counter()
    with progress(f"fitting {type(model).__name__}") as tell:
        fitted = fit_partitions(found, model, **work.options(), progress=tell)
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
