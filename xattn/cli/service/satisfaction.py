"""`xattn satisfaction`: what the people of a store said of lists, and how reliable their answers are."""

from __future__ import annotations

from typing import Any

import click

from xattn.cli.options import as_json, language
from xattn.cli.screen import Column, echo, plain, print_json, print_table
from xattn.i18n import t

__all__ = ["satisfaction"]

KINDS = ("liked", "disliked", "not_interested", "taken")
GROUPS = ("by_position", "by_model", "by_scenario")


@click.command()
@click.option("--store", "url", required=True, metavar="URL", help="The store: sqlite:///FILE or postgresql://…")
@language
@as_json
def satisfaction(url: str, lang: str, as_json: bool) -> None:
    """Report on satisfaction: feedback by place, model and scenario, the questionnaire, guesses of what removals do.

    Every number comes from the store of `xattn serve`, which must not run meanwhile; no person stands in it.
    """
    from xattn.live import open_store
    from xattn.live.satisfaction import satisfaction as report

    with open_store(url) as store:
        found = report(store)
    if as_json:
        print_json(found)
    else:
        _print(found, lang)


def _print(found: dict[str, Any], lang: str) -> None:
    sizes = {name: found[name] for name in ("lists", "people", "answered")}
    echo(plain(t("satisfaction.opening", lang, **sizes)) + "\n")
    for by in GROUPS:
        kinds = [Column(t(f"satisfaction.kind_{kind}", lang), right=True) for kind in KINDS]
        heads = [Column(t(f"satisfaction.{by}", lang)), Column(t("satisfaction.shown", lang), right=True), *kinds]
        rows = found["rates"][by]
        table = [
            [str(row["group"])[:12], f"{row['shown']:,}", *(_figure(row[kind], True) for kind in KINDS)] for row in rows
        ]
        print_table(heads, table)
        echo("")
    names = [t(f"satisfaction.{name}", lang) for name in ("construct", "people", "mean")]
    heads = [Column(names[0]), *(Column(name, right=True) for name in (*names[1:], "α", "ω"))]
    table = [
        [
            t(f"satisfaction.construct_{row['construct']}", lang),
            f"{row['people']:,}",
            *(_figure(row[name], False) for name in ("mean", "alpha", "omega")),
        ]
        for row in found["constructs"]
    ]
    print_table(heads, table)
    own = found["agreement"]
    if own["guesses"]:
        told = {name: _figure(own[name], True) for name in ("before", "after", "gain")}
        echo("\n" + plain(t("satisfaction.agreement", lang, guesses=own["guesses"], **told)))
    else:
        echo("\n" + plain(t("satisfaction.no_guesses", lang)))


def _figure(found: dict[str, Any], share: bool) -> str:
    """A value with its interval; a dash for none.

    >>> _figure({"value": 0.5, "ci95": [0.25, 0.75]}, True), _figure({"value": None, "ci95": None}, False)
    ('50% (25–75%)', '–')
    """
    if found["value"] is None:
        return "–"
    value = f"{found['value']:.0%}" if share else f"{found['value']:.2f}"
    if found["ci95"] is None:
        return value
    low, high = found["ci95"]
    return f"{value} ({100 * low:.0f}–{100 * high:.0f}%)" if share else f"{value} ({low:.2f}–{high:.2f})"
