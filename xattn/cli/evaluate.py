"""`xattn evaluate`: models side by side under a stated protocol."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from xattn.cli.inputs import DEFAULT_K, load_data, model_names, named_model
from xattn.cli.options import DTYPE, LENGTH, SEED, DataChoice, ModelChoice, as_json, data_options
from xattn.cli.screen import Column, print_json, print_table, progress
from xattn.errors import InputError, check_choice, check_whole

__all__ = ["evaluate"]


@click.command()
@data_options
@click.option("--protocol", default="next-item", show_default=True, metavar="NAME", help="How models are tested.")
@click.option("--models", metavar="A,B,…", help="Recommenders to compare.  [all]")
@LENGTH
@click.option("--min-events", type=int, default=1, show_default=True, metavar="N", help="Keep the N-core of the data.")
@SEED
@DTYPE
@as_json
def evaluate(
    source: DataChoice,
    protocol: str,
    models: str | None,
    k: int | None,
    min_events: int,
    seed: int | None,
    dtype: str | None,
    as_json: bool,
) -> None:
    """Fit and compare recommenders under a protocol.

    Accuracy with intervals, coverage, diversity, novelty, time and memory.

    \b
    xattn evaluate --data movielens-small --models HybridAttention,ItemKNN
    """
    source.check()
    choice = ModelChoice(None, (), seed, dtype)
    choice.check()
    check_whole("min_events", min_events, low=1)
    if k is not None:
        check_whole("k", k, low=1)
    from xattn.evaluate import PROTOCOLS
    from xattn.evaluate import evaluate as run

    check_choice("protocol", protocol, PROTOCOLS)
    makers = _makers(models, choice)
    data = load_data(source)
    data = data.core(min_events) if min_events > 1 else data
    k = k if k is not None else min(DEFAULT_K, data.n_items)
    with progress("evaluating") as tell:
        result = run(data, makers, protocol=protocol, k=k, seed=seed or 0, min_events=min_events, progress=tell)
    if as_json:
        print_json(result)
    else:
        _print_rows(result)


def _makers(models: str | None, choice: ModelChoice) -> dict[str, Any]:
    """Name → what makes the unfitted model; the type is set where the model has one."""
    names = model_names() if models is None else [name.strip() for name in models.split(",")]
    made = [(named_model(name, ModelChoice(None, (), choice.seed, None)), name) for name in names]
    makers: dict[str, Any] = {}
    for model, name in made:
        kind = type(model).__name__
        if kind in makers:
            raise InputError(f"--models must name each model once; got {kind} twice.")
        own = choice if "dtype" in model.get_params(deep=False) else ModelChoice(None, (), choice.seed, None)
        makers[kind] = partial(named_model, name, own)
    return makers


def _print_rows(result: dict[str, Any]) -> None:
    """One row a model, best first by the first metric; its 95 % interval stands beside it."""
    rows = result["rows"]
    names = [name for name, value in rows[0].items() if isinstance(value, (int, float))]
    main = names[0]
    table = []
    for row in sorted(rows, key=lambda row: -row[main]):
        low, high = row["ci95"][main]
        cells = [row["model"], f"{row[main]:.4f}", f"{low:.4f}–{high:.4f}"]
        table.append([*cells, *(_figure(name, row[name]) for name in names[1:])])
    heads = [Column("model"), *(Column(name, right=True) for name in (main, "95 % interval", *names[1:]))]
    sizes = f"{result['users']:,} users, {result['items']:,} items, {result['events']:,} events"
    print_table(heads, table, f"{result['protocol']} on {result['dataset']}: {sizes}")


def _figure(name: str, value: float) -> str:
    return f"{value:.2f}" if name.endswith("_s") else f"{value:,.0f}" if name.endswith("_mb") else f"{value:.4f}"
