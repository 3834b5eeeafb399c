"""`xattn transparency`: the statement of a recommender's main parameters, and what they were measured to weigh."""

from __future__ import annotations

import click

from xattn.cli.inputs import subject
from xattn.cli.options import (
    LENGTH,
    DataChoice,
    ModelChoice,
    as_json,
    data_options,
    language,
)
from xattn.cli.screen import echo, plain, print_json, progress
from xattn.errors import check_whole

__all__ = ["transparency"]


@click.command()
@click.argument("file", metavar="MODEL")
@data_options
@click.option("--sample", type=int, default=100, show_default=True, metavar="N", help="Whose lists are looked at.")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Seed of the drawing of people.")
@LENGTH
@language
@as_json
def transparency(
    file: str, source: DataChoice, sample: int, seed: int, k: int | None, lang: str, as_json: bool
) -> None:
    """State what a model goes by: its main parameters with their measured weight, the data, what can be changed.

    MODEL is a file of `xattn fit`, or the name of a model, which is then fitted to --data or --ratings.

    \b
    xattn transparency model.npz --lang zh
    xattn transparency Hybrid --data movielens-small
    """
    from xattn.evaluate.transparency import transparency as stated
    from xattn.recommenders.listing import length

    check_whole("sample", sample, low=1)
    check_whole("seed", seed)
    about = subject(source, ModelChoice(model=file))
    k = length(k, about.data.n_items)
    with progress("transparency") as tell:
        found = stated(about.ready(), k=k, sample=sample, seed=seed, progress=tell)
    if as_json:
        print_json({**found.to_dict(), "text": found.text(lang)})
        return
    for line in found.text(lang).splitlines():
        echo(plain(line))
