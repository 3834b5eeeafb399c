"""`xattn explain`: the ledger of one item's score, in a text and a table that adds up; and files to take away."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from xattn.cli.inputs import Subject, is_model_file, question, subject
from xattn.cli.options import (
    DataChoice,
    ListChoice,
    ModelChoice,
    PersonChoice,
    as_json,
    check_left_out,
    data_options,
    language,
    list_options,
    model_options,
    person_options,
)
from xattn.cli.screen import Column, echo, plain, print_json, print_table, short
from xattn.errors import InputError, check_choice, check_whole, shown

if TYPE_CHECKING:
    from xattn import Ledger
    from xattn.explain import Origin

__all__ = ["explain"]


@click.command()
@data_options
@person_options
@click.option("--item", metavar="ID", help="The item whose score is explained.")
@click.option("--list", "whole", is_flag=True, help="Explain the whole list instead of one item.")
@click.option("--against", metavar="ID", help="Say what sets --item apart from this item.")
@click.option(
    "--why-not", "why_not", is_flag=True, help="Say what keeps --item out of the list, and what would let it in."
)
@model_options
@list_options
@click.option("--events", "most", type=int, default=20, show_default=True, metavar="N", help="Events in the table.")
@click.option("--depth", default="paragraph", show_default=True, metavar="DEPTH", help="clause, sentence or paragraph.")
@click.option(
    "--scenario", default="films", show_default=True, metavar="NAME", help="What people do with items: films, shop, …"
)
@click.option("--html", metavar="FILE", help="Write a page that holds the whole explanation.")
@click.option("--save", metavar="FILE", help="Write explanation.json.")
@click.option("--chart", metavar="FILE", help="Draw the chart of --kind as FILE.svg or FILE.png.")
@click.option("--kind", default="waterfall", show_default=True, metavar="KIND", help="waterfall, heatmap or weights.")
@click.option("--python", "program", is_flag=True, help="Print Python that gives the same numbers.")
@language
@as_json
def explain(
    source: DataChoice,
    person: PersonChoice,
    item: str | None,
    whole: bool,
    against: str | None,
    why_not: bool,
    choice: ModelChoice,
    listing: ListChoice,
    most: int,
    depth: str,
    scenario: str,
    lang: str,
    as_json: bool,
    **files: Any,
) -> None:
    """Explain a score: the ledger that adds up to it.

    A text, then what each event contributes and what removing it would do. Files appear whole or not at all.

    \b
    xattn explain --data movielens-small --user 42 --item 736
    xattn explain --model movies.npz --user 42 --item 736 --html why.html --save explanation.json
    """
    person.check()
    listing.check()
    check_whole("events", most, low=1)
    _check_question(item, whole, against, why_not, files)
    _check_wording(depth, scenario, files)
    about = subject(source, choice)
    for named in (item, against):
        if named is not None:
            about.data.item_row(named)
    asked = question(about.data, person, listing)
    if whole:
        _explain_list(about, asked, lang, most, as_json)
        return
    ledger = about.ready().explain(item=item, **asked)
    if against is not None or why_not:
        found = ledger.why_not() if against is None else ledger - about.ready().explain(item=against, **asked)
        if as_json:
            print_json(found.to_dict())
        else:
            echo(plain(found.text(lang)))
        return
    origin = _origin(source, choice)
    _write(ledger, origin, lang, depth, scenario, files)
    if files["program"]:
        click.echo(ledger.snippet(origin), nl=False)
    elif as_json:
        print_json(ledger.explanation(origin, scenario))
    else:
        echo(plain(ledger.text(lang, depth, scenario)) + "\n")
        _print_events(ledger, most, lang)


def _check_question(item: str | None, whole: bool, against: str | None, why_not: bool, files: dict[str, Any]) -> None:
    """One question at a time, and files of one item's ledger alone."""
    if (item is None) != whole:
        got = "none" if item is None else "both"
        raise InputError(f"exactly one of --item and --list must be given; got {got}.")
    given = {name: files[name] for name in ("html", "save", "chart")}
    if whole:
        check_left_out("with --list", against=against, **given)
    if against is not None:
        check_left_out("with --against", **given)
    if why_not:
        check_left_out("with --why-not", against=against, **given)


def _check_wording(depth: str, scenario: str, files: dict[str, Any]) -> None:
    """What can be told wrong before any work is done."""
    from xattn.explain import DEPTHS, SCENARIOS
    from xattn.viz.charts import CHARTS
    from xattn.viz.files import FORMATS, can_draw

    check_choice("depth", depth, DEPTHS)
    check_choice("scenario", scenario, SCENARIOS)
    check_choice("kind", files["kind"], tuple(CHARTS))
    chart = files["chart"]
    if chart is not None:
        if PurePath(chart).suffix.casefold().lstrip(".") not in FORMATS:
            raise InputError(f"--chart must be a file that ends in .svg or .png; got {shown(chart)}.")
        if not can_draw():
            raise InputError(
                "--chart must be left out where charts cannot be drawn (pip install 'xattn[export]'); got one."
            )


def _origin(source: DataChoice, choice: ModelChoice) -> Origin:
    """Where the program of an explanation reads its model or data from: the paths as they were given."""
    from xattn.explain import Origin

    if choice.model is not None and is_model_file(choice.model):
        return Origin(model=choice.model)
    return Origin(ratings=source.ratings, items=source.items)


def _write(ledger: Ledger, origin: Origin, lang: str, depth: str, scenario: str, files: dict[str, Any]) -> None:
    """The files that were asked for, each whole or not at all."""
    from xattn.explain.files import write_whole
    from xattn.viz.files import chart_file

    if files["html"] is not None:
        write_whole(files["html"], ledger.to_html(lang, depth, scenario, origin))
    if files["save"] is not None:
        told = json.dumps(ledger.explanation(origin, scenario), ensure_ascii=False, allow_nan=False, indent=1)
        write_whole(files["save"], told + "\n")
    if files["chart"] is not None:
        kind = PurePath(files["chart"]).suffix.casefold().lstrip(".")
        write_whole(files["chart"], chart_file(ledger.chart(files["kind"], lang), kind))


def _explain_list(about: Subject, asked: dict[str, Any], lang: str, most: int, as_json: bool) -> None:
    """The whole list: which events it rests on, and what of it goes with each."""
    from xattn.explain import explain_list
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    found = explain_list(about.ready(), **asked)
    if as_json:
        print_json(found.to_dict())
        return
    echo(plain(found.text(lang)) + "\n")
    rows = [
        [
            short(row["event"]),
            short(row["title"]),
            figure(row["contribution"], sign=True),
            figure(row["effect"], sign=True),
            str(row["leaves"]),
        ]
        for row in found.events().head(most).to_dict(orient="records")
    ]
    heads = [
        Column(t("cli.item", lang)),
        Column(t("term.event", lang), cut=True),
        Column(t("term.contribution", lang), right=True),
        Column(t("term.removal_effect", lang), right=True),
        Column(t("cli.leaves", lang), right=True),
    ]
    print_table(heads, rows)


def _print_events(ledger: Ledger, most: int, lang: str) -> None:
    """Base, then the events that move the score most, then the rest in one row, then the score: a sum."""
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    events = ledger.events()
    size = np.abs(events["contribution"].to_numpy())
    shown = np.zeros(len(events), bool)
    shown[np.argsort(-size, kind="stable")[:most]] = True
    rows = [["", t("term.base", lang), "", figure(ledger.base, sign=True), ""]]
    rows += [
        [
            short(row["event"]),
            short(row["title"]),
            f"{row['weight']:.1%}",
            figure(row["contribution"], sign=True),
            figure(row["effect"], sign=True),
        ]
        for row in events[shown].to_dict(orient="records")
    ]
    rest = events[~shown]
    if len(rest):
        moved = figure(rest["contribution"].sum(), sign=True)
        rows.append(["", t("chart.rest", lang, n=len(rest)), f"{rest['weight'].sum():.1%}", moved, ""])
    rows.append(["", t("cli.score", lang), "", figure(ledger.score, sign=True), ""])
    heads = [
        Column(t("cli.item", lang)),
        Column(t("term.event", lang), cut=True),
        Column(t("term.weight", lang), right=True),
        Column(t("term.contribution", lang), right=True),
        Column(t("term.removal_effect", lang), right=True),
    ]
    print_table(heads, rows)
