"""`xattn tune`: search for the settings of a model on validation data."""

from __future__ import annotations

import json
from typing import Any

import click

from xattn.cli.inputs import load_data
from xattn.cli.models import contestants
from xattn.cli.options import DTYPE, LENGTH, SEED, SEEN, DataChoice, ModelChoice, as_json, data_options
from xattn.cli.screen import Column, echo, note, print_json, print_table, progress
from xattn.cli.tables import print_questions
from xattn.errors import check_whole, refuse

__all__ = ["tune"]

MOST_SHOWN = 20


@click.command()
@data_options
@click.option("--model", metavar="NAME", help="A recommender or a rival.  [HybridAttention]")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Fix a setting; repeatable.")
@click.option("--over", multiple=True, metavar="NAME=[V,…]", help="Values to try, as a JSON list.  [the model's own]")
@click.option("--trials", type=int, metavar="N", help="How many settings to draw.  [all, if they are lists]")
@click.option("--seconds", type=float, metavar="S", help="Start no trial after S seconds.")
@click.option(
    "--protocol", default="next-item", show_default=True, metavar="NAME", help="next-item, strict or holdout."
)
@click.option(
    "--metric", default="ndcg", show_default=True, metavar="NAME", help="ndcg, hr, recall, precision, map, mrr."
)
@LENGTH
@SEEN
@click.option(
    "--positive", type=float, metavar="R", help="The lowest rating that counts as liked.  [upper third of the scale]"
)
@click.option(
    "--min-events",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Keep users and items with N events or more.",
)
@SEED
@DTYPE
@as_json
def tune(
    source: DataChoice,
    model: str | None,
    settings: tuple[str, ...],
    over: tuple[str, ...],
    trials: int | None,
    seconds: float | None,
    protocol: str,
    metric: str,
    k: int | None,
    seen: str,
    positive: float | None,
    min_events: int,
    seed: int | None,
    dtype: str | None,
    as_json: bool,
) -> None:
    """Search for the best settings of a model.

    Validation data alone decide. The test events of the protocol are cut off first. Earlier events judge the trials.
    Ctrl-C ends the search and keeps what it has found.

    \b
    xattn tune --data movielens-small --model EASE
    xattn tune --data movielens-small --model ALS --trials 20 --min-events 5
    xattn tune --data movielens-small --model ItemKNN --over n_neighbors=[5,20,80] --over shrink=[0,10]
    """
    ModelChoice(settings=settings, seed=seed, dtype=dtype)  # each is checked before it is read as one of the model's
    check_whole("min_events", min_events, low=1)
    from xattn.recommenders.listing import length
    from xattn.recommenders.registry import DEFAULT

    model = DEFAULT if model is None else model
    own = tuple(f"{model}.{setting}" for setting in settings)
    choice = ModelChoice(settings=own, seed=seed, dtype=dtype)
    ((kind, make),) = contestants([model], choice, source.weights(), "--model").items()
    space = _space(over, settings)
    data = load_data(source)
    from xattn.evaluate import search
    from xattn.evaluate.setup import prepared

    with progress(f"tuning {kind}") as tell:
        found = search(
            data,
            make(),
            space,
            trials=trials,
            protocol=protocol,
            metric=metric,
            k=length(k, prepared(data, min_events).data.n_items),
            seed=seed or 0,
            min_events=min_events,
            positive=positive,
            seen=seen,
            seconds=seconds,
            progress=tell,
        )
    if as_json:
        print_json(found)
    else:
        _print_trials(found)


def _space(over: tuple[str, ...], settings: tuple[str, ...]) -> dict[str, list[Any]] | None:
    """Name → values to try; None where --over is not given. A setting is tried once, and does not stay as well."""
    space: dict[str, list[Any]] = {}
    for name, values in map(_values, over):
        if name in space:
            refuse("over_twice", got=name)
        space[name] = values
    for text in settings:
        if text.partition("=")[0].strip() in space:
            refuse("set_and_over", got=text)
    return space or None


def _values(text: str) -> tuple[str, list[Any]]:
    """NAME=[V,…] as a name and its values; lists among them are tuples, as settings are."""
    name, _, listed = text.partition("=")
    try:
        values = json.loads(listed)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or not values:
        refuse("over_list", got=text)
    return name.strip(), [tuple(value) if isinstance(value, list) else value for value in values]


def _print_trials(found: dict[str, Any]) -> None:
    """The trials, best first, and the best one as options."""
    done = found["trials"]
    table = []
    for trial in sorted(done, key=lambda trial: -(-1.0 if trial["value"] is None else trial["value"]))[:MOST_SHOWN]:
        value = "–" if trial["value"] is None else f"{trial['value']:.4f}"
        table.append([value, *(_setting(value) for value in trial["params"].values()), f"{trial['seconds']:.1f}"])
    heads = [Column(found["metric"], right=True), *(Column(name, right=True) for name in done[0]["params"])]
    sizes = f"{found['users']:,} users asked, {found['items']:,} items, {found['events']:,} events"
    title = f"{found['model']} on validation data of {found['protocol']}, {found['dataset']}: {sizes}"
    print_table([*heads, Column("seconds", right=True)], table, title)
    best = found["best"]
    settings = " ".join(f"--set {found['model']}.{name}={_setting(value)}" for name, value in best["params"].items())
    budget = f"{len(done)} of {found['wanted']} trials in {found['seconds']:.0f} s"
    echo(f"\nBest {found['metric']} {best['value']:.4f} ({budget}): {settings}")
    print_questions(found)
    if not found["complete"]:
        note("The search ended before all trials were made.")


def _setting(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return json.dumps(value, separators=(",", ":")) if isinstance(value, (list, tuple)) else str(value)
