"""`xattn recommend`: the best items for a user of the data or for someone new."""

from __future__ import annotations

import click

from xattn.cli.inputs import question, subject
from xattn.cli.options import (
    DIVERSITY,
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
from xattn.cli.screen import Column, note, print_json, print_table, short
from xattn.errors import check_probability

__all__ = ["recommend"]


@click.command()
@data_options
@person_options
@model_options
@list_options
@DIVERSITY
@language
@as_json
def recommend(
    source: DataChoice,
    person: PersonChoice,
    choice: ModelChoice,
    listing: ListChoice,
    diversity: float,
    lang: str,
    as_json: bool,
) -> None:
    """Recommend items to a user or to someone new.

    Rank, item, title, score, and the base in it (what the score would be without any history).

    \b
    xattn recommend --data movielens-small --user 42
    xattn recommend --data movielens-small --user 42 --where genres=Comedy --where year=1990..1999
    xattn recommend --model my.npz --history mine.csv -k 5 --json
    """
    from xattn.i18n import t
    from xattn.i18n.numbers import figure
    from xattn.recommenders.rerank import check_features

    person.check()
    listing.check()
    check_probability("diversity", diversity)
    about = subject(source, choice)
    asked = question(about.data, person, listing)
    if diversity > 0:
        check_features("diversity", diversity, about.data.items)
    found = about.ready().recommend(**asked, diversity=diversity)
    if as_json:
        print_json({"user": person.user, "items": found.to_dict(orient="records")})
        return
    if not len(found):
        note("Note: no item is left to recommend.")
    heads = [
        Column(t("cli.rank", lang), right=True),
        Column(t("cli.item", lang)),
        Column(t("cli.title", lang), cut=True),
        Column(t("cli.score", lang), right=True),
        Column(t("term.base", lang), right=True),
    ]
    rows = [
        [str(row["rank"]), short(row["item"]), short(row["title"]), figure(row["score"]), figure(row["base"])]
        for row in found.to_dict(orient="records")
    ]
    print_table(heads, rows)
