"""`xattn fit`: fit a recommender and keep it in one file."""

from __future__ import annotations

import time

import click

from xattn.cli.inputs import subject
from xattn.cli.options import DataChoice, ModelChoice, as_json, data_options, model_options
from xattn.cli.outputs import output
from xattn.cli.screen import echo, plain, print_json
from xattn.errors import refuse

__all__ = ["fit"]


@click.command()
@data_options
@model_options
@click.option("--out", required=True, metavar="FILE", help="Where the fitted model goes (one .npz file).")
@as_json
def fit(source: DataChoice, choice: ModelChoice, out: str, as_json: bool) -> None:
    """Fit a recommender and save it in a file.

    The other commands read the file by --model. If anything fails, the file that stood there before stays.
    """
    path = output("out", out, (source.ratings, source.items))
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
        print_json({**facts, "out": out, "bytes": size, "fit_s": seconds})
        return
    read = f"{data.n_users:,} users, {data.n_items:,} items, {data.n_events:,} events"
    echo(plain(f"{name} fitted on {data.name} ({read}) in {seconds:.1f} s; saved to {out} ({size:,} bytes)."))
