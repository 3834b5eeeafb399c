"""`xattn recommend`: the best items for a user of the data or for someone new."""

from __future__ import annotations

from functools import partial

import click

from xattn.cli.data_options import reported
from xattn.cli.inputs import ask
from xattn.cli.options import (
    DIVERSITY,
    DataChoice,
    ListChoice,
    ModelChoice,
    SomePerson,
    as_json,
    data_options,
    language,
    list_options,
    model_options,
    person_options,
)
from xattn.cli.screen import note, print_json
from xattn.cli.tables import print_list
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
    person: SomePerson,
    choice: ModelChoice,
    listing: ListChoice,
    diversity: float,
    lang: str,
    as_json: bool,
) -> None:
    """Recommend items to a user or to someone new.

    The table shows rank, item, title, score and base. The base is the score without any history.

    \b
    xattn recommend --data movielens-small --user 42
    xattn recommend --data movielens-small --user 42 --where genres=Comedy --where year=1990..1999
    xattn recommend --model my.npz --history mine.csv -k 5 --json
    """
    from xattn.requests import RecommendRequest

    check_probability("diversity", diversity)
    model, request = ask(partial(RecommendRequest, diversity=diversity), source, choice, person, listing)
    if as_json:
        print_json({**request.answer(model).body(), **reported(model.data_, source)})
        return
    items = request.ask(model)
    if not len(items):
        note("Note: no item is left to recommend.")
    print_list(items, lang)
