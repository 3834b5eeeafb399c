"""`xattn report`: what a model looks at, whom it serves worse, and how steady the reasons of one score are."""

from __future__ import annotations

from typing import Any

import click

from xattn.cli.inputs import someone, subject
from xattn.cli.options import (
    LENGTH,
    DataChoice,
    ModelChoice,
    PersonChoice,
    SomePerson,
    as_json,
    check_left_out,
    data_options,
    language,
    model_options,
    perhaps_person_options,
)
from xattn.cli.screen import Column, echo, plain, print_json, print_table, progress, short
from xattn.errors import check_choice, check_whole

__all__ = ["report"]

KINDS = ("attention", "popularity", "groups", "threshold", "attention-tests", "stability")
WITHOUT_K = ("attention",)


@click.command()
@data_options
@model_options
@click.option("--kind", required=True, metavar="NAME", help=f"{', '.join(KINDS[:-1])} or {KINDS[-1]}.")
@click.option("--by", metavar="NAME", help="groups: length, taste, item, or a column of the items.  [length]")
@perhaps_person_options
@click.option("--item", metavar="ID", help="stability: the item whose score is explained.  [the first in the list]")
@click.option("--refits", type=int, metavar="N", help="stability: how often to fit the model again.  [10]")
@click.option("--how", metavar="NAME", help="stability: bootstrap (other users) or seeds.  [bootstrap]")
@click.option("--sample", type=int, metavar="N", help="How many users the report looks at.  [60 to 400, by kind]")
@LENGTH
@language
@as_json
def report(
    source: DataChoice,
    choice: ModelChoice,
    kind: str,
    by: str | None,
    person: PersonChoice,
    item: str | None,
    refits: int | None,
    how: str | None,
    sample: int | None,
    k: int | None,
    lang: str,
    as_json: bool,
) -> None:
    """Report on a model as a whole, for developers of recommenders.

    attention: what the model looks at. popularity: how much of its scores is popularity. groups: which groups of users
    or items it serves or explains worse. threshold: how accuracy falls as ledgers get shorter. attention-tests: whether
    a weight is a fair picture of an effect. stability: whether other users or another seed would give the same reasons.

    \b
    xattn report --data movielens-small --kind attention-tests
    xattn report --data movielens-small --kind groups --by genres --json
    xattn report --data movielens-small --kind stability --user 42
    """
    from xattn.recommenders.listing import length

    check_choice("kind", kind, KINDS)
    asked = _asked(kind, by, person, item, refits, how, sample, k)
    about = subject(source, choice)
    model = about.ready()
    if kind not in WITHOUT_K:
        asked["k"] = length(k, about.data.n_items)
    if kind == "stability":
        asked |= someone(about.data, person)
    with progress(kind) as tell:
        result = _calls()[kind](model, **asked, seed=choice.seed or 0, progress=tell)
    if as_json:
        print_json(result)
    else:
        _print(result, lang)


def _asked(
    kind: str,
    by: str | None,
    person: PersonChoice,
    item: str | None,
    refits: int | None,
    how: str | None,
    sample: int | None,
    k: int | None,
) -> dict[str, Any]:
    """The arguments of the report, each checked to belong to its kind."""
    when = f"--kind {kind}"
    if k is not None:
        check_whole("k", k, low=1)
        if kind in WITHOUT_K:
            check_left_out(when, k=k)
    if kind != "groups":
        check_left_out(when, by=by)
    if kind == "stability":
        check_left_out(when, sample=sample)
        SomePerson(person.user, person.history)
    else:
        check_left_out(when, user=person.user, history=person.history, item=item, refits=refits, how=how)
    given = {"by": by, "item": item, "refits": refits, "how": how, "sample": sample}
    return {name: value for name, value in given.items() if value is not None}


def _calls() -> dict[str, Any]:
    from xattn.evaluate import reports

    return {
        "attention": reports.attended,
        "popularity": reports.popularity,
        "groups": reports.groups,
        "threshold": reports.threshold,
        "attention-tests": reports.attention_tests,
        "stability": reports.stability,
    }


def _print(result: dict[str, Any], lang: str) -> None:
    """The summary in words, then every list of rows as a table, figures with their intervals."""
    from xattn.evaluate.reports import said

    echo("\n".join(map(plain, said(result, lang))))
    for name in ("rows", "heads", "features"):
        rows = result.get(name)
        if rows:
            echo("")
            _print_rows(rows)


def _print_rows(rows: list[dict[str, Any]]) -> None:
    names = [name for name in rows[0] if name != "ci95"]  # it stands beside its value
    table = [[_cell(row, name) for name in names] for row in rows]
    heads = [Column(name, right=not isinstance(rows[0][name], str), cut=name == "title") for name in names]
    print_table(heads, table)


def _cell(row: dict[str, Any], name: str) -> str:
    value: Any = row[name]
    ends = row.get("ci95") if name in ("value", "contribution") else None
    if isinstance(value, dict):
        value, ends = value.get("value"), value.get("ci95")  # a figure
    if value is None:
        return "–"
    if isinstance(value, str):
        return short(value)
    if isinstance(value, int):
        return f"{value:,}"
    around = f" ({ends[0]:.3g}–{ends[1]:.3g})" if ends else ""
    return f"{value:.3g}{around}"
