"""`xattn batch`: lists, reasons and figures of everybody in partitions, as Parquet files."""

from __future__ import annotations

import click

from xattn.cli.evaluate import print_rows
from xattn.cli.models import named_model
from xattn.cli.options import LENGTH, SEEN, ModelChoice, as_json, model_options
from xattn.cli.screen import echo, plain, print_json, progress
from xattn.cli.work import WorkChoice, work_options
from xattn.errors import refuse

__all__ = ["batch"]

PARTITIONS = click.option("--partitions", "folder", required=True, metavar="DIR", help="A folder of `xattn partition`.")
OUT = click.option("--out", required=True, metavar="DIR", help="The folder where the files go, one for each partition.")
USERS = click.option("--users", type=int, metavar="N", help="About how many people, drawn by their ids.  [all]")


@click.group()
def batch() -> None:
    """Serve or test a model over partitions of any size.

    What was stopped goes on when the same command is given again.
    """


@batch.command()
@PARTITIONS
@click.option("--model", required=True, metavar="FILE", help="A file of `xattn fit --partitions`.")
@OUT
@LENGTH
@SEEN
@USERS
@click.option("--reasons", is_flag=True, help="Also write what every event gives to each item, and what its loss does.")
@work_options
@as_json
def recommend(
    folder: str, model: str, out: str, k: int | None, seen: str, users: int | None, reasons: bool, work: WorkChoice,
    as_json: bool,
) -> None:  # fmt: skip
    """Write the list of each person.

    \b
    xattn batch recommend --partitions parts --model m.npz --out lists --workers 2
    """
    from xattn.scale import recommend_partitions

    with progress("recommending") as tell:
        made = recommend_partitions(
            folder, model, out, k=k, seen=seen, users=users, reasons=reasons, **work.options(), progress=tell
        )
    files = [path.name for path in (*made.lists, *made.reasons)]
    if as_json:
        print_json({"out": out, "files": files, "rows": made.rows})
        return
    echo(plain(f"{made.rows:,} rows in {len(files)} files under {out}."))


@batch.command()
@PARTITIONS
@model_options
@OUT
@LENGTH
@SEEN
@USERS
@work_options
@as_json
def evaluate(
    folder: str, choice: ModelChoice, out: str, k: int | None, seen: str, users: int | None, work: WorkChoice,
    as_json: bool,
) -> None:  # fmt: skip
    """Fit without the last event of each person, and ask for it (next-item).

    \b
    xattn batch evaluate --partitions parts --out tested --workers 2
    """
    from xattn.recommenders.listing import DEFAULT_K
    from xattn.recommenders.registry import DEFAULT
    from xattn.scale import evaluate_partitions

    if choice.saved:
        refuse("fitted_already", got=choice.model)
    model = named_model(choice.model if choice.model is not None else DEFAULT, choice, "no_model_file")
    options = {"k": k or DEFAULT_K, "seen": seen, "users": users, "seed": choice.seed or 0, **work.options()}
    with progress("evaluating") as tell:
        result = evaluate_partitions(folder, model, out, **options, progress=tell)
    if as_json:
        print_json(result)
    else:
        print_rows(result)
