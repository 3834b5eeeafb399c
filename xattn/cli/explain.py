"""`xattn explain`: the ledger of one item's score, in a text and a table that adds up; and files to take away."""

from __future__ import annotations

import json
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

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
from xattn.cli.outputs import outputs
from xattn.cli.screen import Column, echo, plain, print_json, print_table, short
from xattn.errors import InputError, check_choice, check_whole, shown

if TYPE_CHECKING:
    from xattn import Ledger
    from xattn.explain import Origin

__all__ = ["explain"]

FILES = ("html", "save", "chart")


class Telling(NamedTuple):
    """How an explanation is told: language, depth and scenario of its words, the kind of its chart and that file."""

    lang: str
    depth: str
    scenario: str
    kind: str
    chart: str | None

    @property
    def form(self) -> str:
        """What the chart is drawn as, by the end of the file's name."""
        return PurePath(self.chart or "").suffix.casefold().lstrip(".")

    def check(self) -> None:
        """Refuse what can be told wrong before any work is done."""
        from xattn.explain import DEPTHS, SCENARIOS
        from xattn.viz.charts import CHARTS
        from xattn.viz.files import FORMATS, can_draw

        check_choice("depth", self.depth, DEPTHS)
        check_choice("scenario", self.scenario, SCENARIOS)
        check_choice("kind", self.kind, tuple(CHARTS))
        if self.chart is not None:
            if self.form not in FORMATS:
                raise InputError(f"--chart must be a file that ends in .svg or .png; got {shown(self.chart)}.")
            if not can_draw():
                raise InputError(
                    "--chart must be left out where charts cannot be drawn (pip install 'xattn[export]'); got one."
                )


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
@click.option("--depth", metavar="DEPTH", help="clause, sentence or paragraph.  [default: paragraph]")
@click.option("--scenario", metavar="NAME", help="What people do with items: films, shop, …  [default: films]")
@click.option("--html", metavar="FILE", help="Write a page that holds the whole explanation.")
@click.option("--save", metavar="FILE", help="Write explanation.json.")
@click.option("--chart", metavar="FILE", help="Draw the chart of --kind as FILE.svg or FILE.png.")
@click.option("--kind", metavar="KIND", help="waterfall, heatmap or weights.  [default: waterfall]")
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
    depth: str | None,
    scenario: str | None,
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
    _check_question(item, whole, against, why_not)
    _check_belongings(whole, against, why_not, as_json, {**files, "depth": depth, "scenario": scenario})
    telling = Telling(lang, depth or "paragraph", scenario or "films", files["kind"] or "waterfall", files["chart"])
    telling.check()
    read = (source.ratings, source.items, choice.model, person.history, listing.candidates)
    paths = outputs({name: files[name] for name in FILES}, read)
    about = subject(source, choice)
    for named in (item, against):
        if named is not None:
            about.data.item_row(named)
    asked = question(about.data, person, listing)
    if whole:
        _explain_list(about, asked, lang, most, as_json)
        return
    ledger = about.ready().explain(item=item, **asked)
    if against is not None:
        difference = ledger - about.ready().explain(item=against, **asked)
        _tell(difference.to_dict(), difference.text(lang), as_json)
        return
    if why_not:
        found = ledger.why_not()
        _tell(found.to_dict(), found.text(lang, telling.scenario), as_json)
        return
    origin = _origin(source, choice)
    _write(ledger, origin, telling, paths)
    if files["program"]:
        click.echo(ledger.snippet(origin), nl=False)
    elif as_json:
        print_json(ledger.explanation(origin, telling.scenario))
    else:
        echo(plain(ledger.text(lang, telling.depth, telling.scenario)) + "\n")
        _print_events(ledger, most, lang)


def _tell(told: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print_json(told)
    else:
        echo(plain(text))


def _check_question(item: str | None, whole: bool, against: str | None, why_not: bool) -> None:
    """One question at a time."""
    if (item is None) != whole:
        got = "none" if item is None else "both"
        raise InputError(f"exactly one of --item and --list must be given; got {got}.")
    yes = "yes" if why_not else None
    if whole:
        check_left_out("with --list", **{"against": against, "why-not": yes})
    if why_not:
        check_left_out("with --why-not", against=against)
    if against is not None and against == item:
        raise InputError(f"--against must be another item than --item; got {shown(against)} for both.")


def _check_belongings(whole: bool, against: str | None, why_not: bool, as_json: bool, given: dict[str, Any]) -> None:
    """Files, programs and wordings are of one item's ledger; none is asked for where it would be left out."""
    program = "yes" if given["program"] else None
    when = "with --list" if whole else "with --against" if against is not None else "with --why-not"
    if whole or against is not None or why_not:
        check_left_out(when, **{name: given[name] for name in (*FILES, "depth")}, python=program)
    if whole or against is not None:
        check_left_out(when, scenario=given["scenario"])
    if as_json:
        check_left_out("with --json", python=program)
    if given["chart"] is None:
        check_left_out("without --chart", kind=given["kind"])


def _origin(source: DataChoice, choice: ModelChoice) -> Origin:
    """Where the program of an explanation reads its model or data from: the paths as they were given."""
    from xattn.explain import Origin

    if choice.model is not None and is_model_file(choice.model):
        return Origin(model=choice.model)
    return Origin(ratings=source.ratings, items=source.items)


def _write(ledger: Ledger, origin: Origin, telling: Telling, paths: dict[str, Path]) -> None:
    """The files that were asked for: all are made first, then each is put in its place whole."""
    from xattn.files import Content, write_files
    from xattn.viz.files import chart_file

    contents: dict[str | Path, Content] = {}
    if "html" in paths:
        contents[paths["html"]] = ledger.to_html(telling.lang, telling.depth, telling.scenario, origin)
    if "save" in paths:
        told = json.dumps(ledger.explanation(origin, telling.scenario), ensure_ascii=False, allow_nan=False, indent=1)
        contents[paths["save"]] = told + "\n"
    if "chart" in paths:
        contents[paths["chart"]] = chart_file(ledger.chart(telling.kind, telling.lang), telling.form)
    write_files(contents)


def _explain_list(about: Subject, asked: dict[str, Any], lang: str, most: int, as_json: bool) -> None:
    """The whole list: which events it rests on, and what of it goes with each."""
    from xattn.explain import explain_list
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    found = explain_list(about.ready(), **asked)
    if not len(found.items):
        raise InputError("the list must hold an item to be explained; got none that may be listed.")
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
