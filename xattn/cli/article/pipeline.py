"""`xattn pipeline`: every step from events to a recommendation and its picture, for one person."""

from __future__ import annotations

from pathlib import PurePath

import click

from xattn.cli.data_options import reported
from xattn.cli.inputs import ask
from xattn.cli.options import (
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
from xattn.cli.outputs import outputs
from xattn.cli.screen import Column, echo, plain, print_json, print_table, short
from xattn.errors import refuse

__all__ = ["pipeline"]

SHOWN = 5  # rows of each step


@click.command()
@data_options
@person_options
@click.option("--item", metavar="ID", help="The item that is explained.  [default: the first of the list]")
@model_options
@list_options
@click.option("--chart", metavar="FILE", help="Draw all steps as FILE.svg or FILE.png.")
@language
@as_json
def pipeline(
    source: DataChoice,
    person: SomePerson,
    item: str | None,
    choice: ModelChoice,
    listing: ListChoice,
    chart: str | None,
    lang: str,
    as_json: bool,
) -> None:
    """Go the whole way from events to a picture, a step at a time.

    Features are extracted, weights computed, both fused into contributions, and the list made. Each step is told in a
    sentence and its first rows; --json has all of them.

    \b
    xattn pipeline --data movielens-small --user 42
    xattn pipeline --model movies.npz --user 42 --item 736 --chart way.svg
    """
    from xattn.files import write_files
    from xattn.requests import RecommendRequest
    from xattn.requests.pipeline import STEPS, Pipeline
    from xattn.viz.files import FORMATS, can_draw, chart_file

    ending = PurePath(chart or "").suffix.casefold().lstrip(".")
    if chart is not None:
        if ending not in FORMATS:
            refuse("chart_ending", got=chart)
        if not can_draw():
            refuse("chart_cannot_be_drawn")
    read = (source.ratings, source.items, choice.model, person.history, listing.candidates)
    paths = outputs({"chart": chart}, read)
    model, request = ask(RecommendRequest, source, choice, person, listing)
    found = Pipeline.of(model, request, item)
    if chart is not None:
        write_files({paths["chart"]: chart_file(found.chart(lang), ending)})
    if as_json:
        print_json({**found.to_dict(), **reported(model.data_, source)})
        return
    for name, said in zip(STEPS, found.text(lang).splitlines(), strict=True):
        echo(("" if name == STEPS[0] else "\n") + plain(said) + "\n")
        frame = found.steps()[name].head(SHOWN)
        rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
        numbers = [frame[column].dtype.kind in "iuf" for column in frame]
        print_table([Column(str(c), right=own) for c, own in zip(frame, numbers, strict=True)], rows)


def _cell(value: object) -> str:
    from xattn.i18n.numbers import figure

    return figure(value) if isinstance(value, float) else short(str(value))
