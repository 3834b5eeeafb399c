"""`xattn explain`: the ledger of one item's score, in a text and a table that adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import numpy as np

from xattn.cli.inputs import question, subject
from xattn.cli.options import (
    DataChoice,
    ListChoice,
    ModelChoice,
    PersonChoice,
    as_json,
    data_options,
    language,
    list_options,
    model_options,
    person_options,
)
from xattn.cli.screen import Column, echo, plain, print_json, print_table, short
from xattn.errors import check_whole

if TYPE_CHECKING:
    from xattn import Ledger

__all__ = ["explain"]


@click.command()
@data_options
@person_options
@click.option("--item", required=True, metavar="ID", help="The item whose score is explained.")
@model_options
@list_options
@click.option("--events", "most", type=int, default=20, show_default=True, metavar="N", help="Events in the table.")
@language
@as_json
def explain(
    source: DataChoice,
    person: PersonChoice,
    item: str,
    choice: ModelChoice,
    listing: ListChoice,
    most: int,
    lang: str,
    as_json: bool,
) -> None:
    """Explain a score: the ledger that adds up to it.

    A text, then what each event contributes and what removing it would do.

    \b
    xattn explain --data movielens-small --user 42 --item 736
    """
    person.check()
    listing.check()
    check_whole("events", most, low=1)
    about = subject(source, choice)
    about.data.item_row(item)
    asked = question(about.data, person, listing)
    ledger = about.ready().explain(item=item, **asked)
    if as_json:
        print_json(ledger.to_dict())
        return
    echo(plain(ledger.text(lang)) + "\n")
    _print_events(ledger, most, lang)


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
