"""`xattn evaluate`: models side by side under a stated protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import click

from xattn.cli.data_options import read_told, reported
from xattn.cli.inputs import load_data
from xattn.cli.models import SETTINGS, contestants, names_of
from xattn.cli.options import (
    DIVERSITY,
    DTYPE,
    LENGTH,
    SEED,
    SEEN,
    DataChoice,
    ModelChoice,
    as_json,
    check_left_out,
    data_options,
    grouped,
)
from xattn.cli.screen import Column, echo, note_at_the_end, print_json, print_table, progress
from xattn.cli.tables import print_questions
from xattn.errors import check_choice, check_probability, check_whole, refuse

__all__ = ["evaluate", "print_rows"]

BASELINES = ("GenrePopularity", "Random")  # rivals that need no events of an item
COLD_K = 50  # the hidden items are few among many, and ten places would hardly ever hold one


@dataclass(frozen=True)
class SplitChoice:
    """A split that somebody made: files of the events to learn from, the histories, and the events to find."""

    train: str | None
    history: str | None
    test: str | None

    @property
    def given(self) -> bool:
        return not self.train == self.history == self.test

    def check(self, source: DataChoice, protocol: str | None, min_events: int) -> None:
        """Raise InputError unless the files make a split and no other data or protocol is named beside them."""
        for name in ("train", "test"):
            if getattr(self, name) is None:
                refuse("half_a_split", option=name)
        check_left_out("--train", data=source.data, ratings=source.ratings)
        check_left_out("--train", **{"min-events": min_events if min_events != 1 else None})
        if protocol not in (None, "next-item", "given"):
            check_left_out("--train", protocol=protocol)


split_options = grouped(
    "split",
    SplitChoice,
    click.option("--train", metavar="FILE", help="A split of your own: a file of the events to learn from."),
    click.option(
        "--history", metavar="FILE", help="With --train: earlier events of the tested users.  [those in --train]"
    ),
    click.option("--test", metavar="FILE", help="With --train: the events to find."),
)


@click.command()
@data_options
@split_options
@click.option(
    "--protocol",
    metavar="NAME",
    help="next-item, strict, holdout, time, rating, cold or faithfulness; several with commas.  [next-item]",
)
@click.option("--models", metavar="A,B,…", help="Models to test, rivals too.  [all; faithfulness: HybridAttention]")
@SETTINGS
@LENGTH
@SEEN
@DIVERSITY
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
@click.option("--folds", type=int, metavar="N", help="Cross-validate: next-item by users, holdout by events.")
@click.option("--agreement", is_flag=True, help="Also show how far the lists of each model agree with the first one's.")
@SEED
@DTYPE
@as_json
def evaluate(
    source: DataChoice,
    split: SplitChoice,
    protocol: str | None,
    models: str | None,
    settings: tuple[str, ...],
    k: int | None,
    seen: str,
    diversity: float,
    positive: float | None,
    min_events: int,
    folds: int | None,
    agreement: bool,
    seed: int | None,
    dtype: str | None,
    as_json: bool,
) -> None:
    """Fit and compare recommenders, or explainers, under a protocol.

    A protocol says which events are held out. next-item: the last event of each user. strict: the same, but the last
    but one is not learned from. holdout: a random fifth. time: the last fifth of all events. rating: like or dislike.
    cold: items that training never sees. --train and --test are a split of your own. faithfulness compares explainers:
    it masks the reasons that they name and looks at the scores.
    The rivals ALS, BPR and SASRec come with: pip install 'xattn[rivals]'

    \b
    xattn evaluate --data movielens-small --models HybridAttention,ItemKNN,ALS
    xattn evaluate --train train.csv --history history.csv --test test.csv
    xattn evaluate --data movielens-small --protocol faithfulness
    """
    check_whole("min_events", min_events, low=1)
    if split.given:
        split.check(source, protocol, min_events)
        protocol = "given"
    choice = ModelChoice(settings=settings, seed=seed, dtype=dtype)
    check_probability("diversity", diversity)
    if k is not None:
        check_whole("k", k, low=1)
    from xattn.evaluate import PROTOCOLS, cross_validate
    from xattn.evaluate import evaluate as run
    from xattn.evaluate.setup import prepared
    from xattn.recommenders.listing import DEFAULT_K
    from xattn.recommenders.registry import DEFAULT

    protocols = [check_choice("protocol", name, PROTOCOLS) for name in (protocol or "next-item").split(",")]
    if protocols == ["faithfulness"] and models is None:
        models = DEFAULT
    makers = contestants(names_of(models, BASELINES if "cold" in protocols else ()), choice, source.weights())
    if split.given:
        parts = _load_split(split, source)
        data = parts.pop("data")
    else:
        data, parts = load_data(source), {}
    if folds is not None:
        check_left_out("--folds", diversity=diversity or None, agreement=agreement or None)
    results = []
    for asked in protocols:
        most = prepared(data, min_events).data.n_items if k is None else 0
        arguments: dict[str, Any] = {"protocol": asked, "seed": seed or 0, "positive": positive}
        arguments |= {"k": k or min(COLD_K if asked == "cold" else DEFAULT_K, most)}
        arguments |= {"min_events": min_events, "seen": seen}
        with progress("evaluating") as tell:
            if folds is not None:
                found = cross_validate(data, makers, folds=folds, **arguments, progress=tell)
            else:
                found = run(data, makers, **arguments, **parts, diversity=diversity, agreement=agreement, progress=tell)
        results.append({**found, **reported(data, source)})
    if as_json:
        print_json(results[0] if len(results) == 1 else {"protocols": results})
        return
    for place, found in enumerate(results):
        if place:
            echo("")
        (_print_explainers if found["protocol"] == "faithfulness" else print_rows)(found)


def _load_split(split: SplitChoice, source: DataChoice) -> dict[str, Any]:
    """The files of a split, as `evaluate` takes them; how the items of --test meet those of --train is told."""
    from xattn.data.reading.read import joins

    parts: dict[str, Any] = {
        "data": read_told(str(split.train), source.items, source),
        "test": read_told(str(split.test), None, source),
    }
    for name, test, train in (
        ("user", parts["test"].user_ids, parts["data"].user_ids),
        ("item", parts["test"].items.ids, parts["data"].items.ids),
    ):
        for finding in joins(test, train, name):
            if finding.id != "unsold" and not source.quiet:
                note_at_the_end(f"--test: {finding.text()}")
    if split.history is not None:
        parts["history"] = read_told(split.history, None, source)
    return parts


def print_rows(result: dict[str, Any]) -> None:
    """One row a model, best first by the first metric; its 95 % interval and p against the first model beside it."""
    rows = result["rows"]
    names = [name for name, value in rows[0].items() if isinstance(value, (int, float))]
    main = names[0]
    several = len(rows) > 1
    table = []
    for row in sorted(rows, key=lambda row: -row[main]):
        low, high = row["ci95"][main]
        cells = [row["model"], f"{row[main]:.4f}", f"{low:.4f}–{high:.4f}"]
        if several:
            cells.append("–" if row["versus_first"] is None else f"{row['versus_first'][main]:.3f}")
        table.append([*cells, *(_figure(name, row[name]) for name in names[1:])])
    titles = [main, "95% interval", *(["p"] if several else []), *names[1:]]
    heads = [Column("model"), *(Column(name, right=True) for name in titles)]
    sizes = f"{result['users']:,} users, {result['items']:,} items, {result['events']:,} events"
    print_table(heads, table, f"{result['protocol']} on {result['dataset']}: {sizes}")
    if several:
        echo(f"\np: chance of such a difference in {main} to {rows[0]['model']} if there were none.")
    if "questions" in result:
        print_questions(result)
    if rows[-1].get("agreement"):
        _print_agreement(rows)


def _print_agreement(rows: list[dict[str, Any]]) -> None:
    """How far the lists of each model agree with the first one's."""
    names = [name for name in rows[-1]["agreement"] if name != "ci95"]
    table = []
    for row in rows[1:]:
        found = row["agreement"]
        cells = ["{:.3f} ({:.3f}–{:.3f})".format(found[name], *found["ci95"][name]) for name in names]
        table.append([row["model"], *cells])
    heads = [Column("model"), *(Column(name, right=True) for name in names)]
    print_table(heads, table, f"Agreement of lists with {rows[0]['model']} (95% interval)")


def _print_explainers(result: dict[str, Any]) -> None:
    """One row an explainer; DEL at the largest K with its interval, and what else fits a screen."""
    rows, k = result["rows"], result["k"]
    most = max(int(name.partition("@")[2]) for name in rows[0] if name.startswith("del@"))
    main = f"del@{most}"
    names = [
        "del@1",
        f"ins@{most}",
        f"pos@{k},{most}",
        f"neg@{k},{most}",
        f"ps@{k},{most}",
        f"cdcg@{most}",
        "tau",
        "tau_terms",
        "gap",
    ]
    table = []
    for row in rows:
        around = "–".join(f"{end:.4f}" for end in row["ci95"].get(main, ())) or "–"
        figures = ["–" if row[name] is None else f"{row[name]:.4f}" for name in (main, *names)]
        table.append([row["explainer"], row["model"], figures[0], around, *figures[1:]])
    titles = (main, "95% interval", *names)
    heads = [Column("explainer"), Column("model"), *(Column(name, right=True) for name in titles)]
    explained = f"{result['explained']:,} recommendations of {result['sampled']:,} users"
    skipped = f", {result['skipped']:,} without a positive score left out" if result["skipped"] else ""
    print_table(heads, table, f"{result['protocol']} on {result['dataset']}: {explained}{skipped}")


def _figure(name: str, value: float) -> str:
    if math.isnan(value):
        return "–"
    return f"{value:.2f}" if name.endswith("_s") else f"{value:,.0f}" if name.endswith("_mb") else f"{value:.4f}"
