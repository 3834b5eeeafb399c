"""`xattn fit`: fit a recommender and keep it in one file."""

from __future__ import annotations

import os
import stat
import tempfile
import time
from pathlib import Path

import click

from xattn.cli.inputs import subject
from xattn.cli.options import DataChoice, ModelChoice, as_json, data_options, model_options
from xattn.cli.screen import echo, plain, print_json
from xattn.errors import InputError, shown

__all__ = ["fit"]


@click.command()
@data_options
@model_options
@click.option("--out", required=True, metavar="FILE", help="Where the fitted model goes (one .npz file).")
@as_json
def fit(source: DataChoice, choice: ModelChoice, out: str, as_json: bool) -> None:
    """Fit a recommender and save it in a file.

    --model of the other commands takes that file. It is written whole or not at all: on failure, what stood there
    stays.
    """
    path = _writable(out, source)
    about = subject(source, choice)
    if about.fitted:
        raise InputError(f"--model must name a recommender to fit; got a saved one, {shown(str(choice.model))}.")
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


def _writable(out: str, source: DataChoice) -> Path:
    """The path behind `out` (links followed), when a file can be made there and would not replace the data."""
    try:
        path = Path(out).resolve()
        mode = path.stat().st_mode if path.exists() else None
        if not out or (mode is not None and not stat.S_ISREG(mode)):
            raise InputError(
                f"--out must be a file; got {'a folder' if path.is_dir() else 'a device or pipe'}, {shown(out)}."
            )
        if any(
            name and os.path.exists(name) and path.samefile(name) for name in (source.ratings, source.items) if mode
        ):
            raise InputError(f"--out must not be the file of the data; got {shown(out)}.")
        with tempfile.TemporaryFile(dir=path.parent):
            return path
    except (OSError, ValueError, RuntimeError) as problem:  # ValueError: a zero byte; RuntimeError: a ring of links
        if isinstance(problem, InputError):
            raise
        got = problem.strerror if isinstance(problem, OSError) and problem.strerror else type(problem).__name__
        raise InputError(f"--out must be a file in a folder that can be written; got {shown(out)} ({got}).") from None
