"""Lists and ledgers on the screen: a text, and under it a table; both in two languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from xattn.cli.screen import Column, echo, plain, print_table, short

if TYPE_CHECKING:
    import pandas as pd

    from xattn import Ledger
    from xattn.cli.telling import TellingChoice
    from xattn.explain import Difference, ListLedger, WhyNot

__all__ = [
    "print_difference",
    "print_ledger",
    "print_list",
    "print_list_ledger",
    "print_parts",
    "print_questions",
    "print_why_not",
]


def print_list(items: pd.DataFrame, lang: str) -> None:
    """Rank, item, title, score and base of every item of a list."""
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    heads = [
        Column(t("cli.rank", lang), right=True),
        Column(t("cli.item", lang)),
        Column(t("cli.title", lang), cut=True),
        Column(t("cli.score", lang), right=True),
        Column(t("term.base", lang), right=True),
    ]
    rows = [
        [str(row["rank"]), short(row["item"]), short(row["title"]), figure(row["score"]), figure(row["base"])]
        for row in items.to_dict(orient="records")
    ]
    print_table(heads, rows)


def print_difference(found: Difference, telling: TellingChoice) -> None:
    """The answer in words."""
    echo(plain(found.text(telling.lang)))


def print_why_not(found: WhyNot, telling: TellingChoice) -> None:
    """The answer in words."""
    echo(plain(found.text(telling.lang, telling.words[1])))


def print_ledger(ledger: Ledger, telling: TellingChoice) -> None:
    """The answer in words, then as a sum: base, the events that move it most, the others in one row, the score."""
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    lang = telling.lang
    echo(plain(ledger.text(lang, *telling.words)) + "\n")
    events = ledger.events()
    chosen = np.zeros(len(events), bool)
    chosen[np.argsort(-events["contribution"].abs().to_numpy(), kind="stable")[: telling.most]] = True
    rows = [["", t("term.base", lang), "", figure(ledger.base, sign=True), ""]]
    rows += [
        [*_named(row), f"{row['weight']:.1%}", figure(row["contribution"], sign=True), figure(row["effect"], sign=True)]
        for row in events[chosen].to_dict(orient="records")
    ]
    rest = events[~chosen]
    if len(rest):
        moved = figure(rest["contribution"].sum(), sign=True)
        rows.append(["", t("chart.rest", lang, n=len(rest)), f"{rest['weight'].sum():.1%}", moved, ""])
    rows.append(["", t("cli.score", lang), "", figure(ledger.score, sign=True), ""])
    _print(rows, lang, "term.weight", "term.contribution", "term.removal_effect")


def print_list_ledger(found: ListLedger, telling: TellingChoice) -> None:
    """The answer in words, then the events that matter most: how far scores fall, and how many places change."""
    from xattn.i18n.numbers import figure

    echo(plain(found.text(telling.lang)) + "\n")
    rows = [
        [*_named(row), figure(row["contribution"], sign=True), figure(row["effect"], sign=True), str(row["leaves"])]
        for row in found.events().head(telling.most).to_dict(orient="records")
    ]
    _print(rows, telling.lang, "term.contribution", "term.removal_effect", "cli.leaves")


def print_questions(result: dict[str, Any]) -> None:
    """What a protocol did not ask as it stood in the data, a sentence a line."""
    from xattn.evaluate.questions import questions_told

    said = questions_told(result)
    if said:
        echo("\n" + "\n".join(said))


def print_parts(ledger: Ledger, block: str, telling: TellingChoice) -> None:
    """Both texts with their words in brackets, for the event that the block adds most for; then the parts that move the
    score most, with the event that each belongs to; all others in one row."""
    from xattn.i18n import t
    from xattn.i18n.numbers import figure
    from xattn.viz.names import part_name

    lang, parts = telling.lang, ledger.parts(block)
    _print_texts(ledger, block, lang)
    shown = np.zeros(len(parts), bool)
    shown[np.argsort(-parts["contribution"].abs().to_numpy(), kind="stable")[: telling.most]] = True
    rows = [
        [*_named(row), short(part_name(row["part"], lang)), figure(row["contribution"], sign=True)]
        for row in parts[shown].to_dict(orient="records")
    ]
    rest = parts["contribution"][~shown]
    if len(rest):
        rows.append(["", t("chart.rest", lang, n=len(rest)), "", figure(float(rest.sum()), sign=True)])
    rows.append(["", t("parts.sum", lang), "", figure(float(parts["contribution"].sum()), sign=True)])
    echo("")
    heads = [
        Column(t("cli.item", lang)),
        Column(t("term.event", lang), cut=True),
        Column(t("cli.part", lang), cut=True),
    ]
    print_table([*heads, Column(t("term.contribution", lang), right=True)], rows)


def _print_texts(ledger: Ledger, block: str, lang: str) -> None:
    """The texts of the event that the block adds most for, and of the item, and what their words add up to."""
    from xattn.explain.tell.sides import speaking, split
    from xattn.i18n import t
    from xattn.i18n.numbers import figure

    events = speaking(ledger, block)
    if not events:
        return
    found = split(ledger, block, events[0])
    for side in (found.own, found.other):
        said = "".join(piece.text if piece.amount is None else f"[{piece.text}]" for piece in side.pieces)
        if said:
            echo(f"\n{plain(side.title)}: {plain(said)}")
    amounts = {"amount": figure(found.amount, sign=True), "whole": figure(found.whole, sign=True)}
    echo("\n" + plain(t("parts.adds_up", lang, **amounts, block=block, score=figure(ledger.score))))


def _named(row: dict[Any, Any]) -> list[str]:
    return [short(row["event"]), short(row["title"])]


def _print(rows: list[list[str]], lang: str, *figures: str) -> None:
    """Rows of an item, its title and figures, under the headings of these keys."""
    from xattn.i18n import t

    heads = [Column(t("cli.item", lang)), Column(t("term.event", lang), cut=True)]
    print_table([*heads, *(Column(t(key, lang), right=True) for key in figures)], rows)
