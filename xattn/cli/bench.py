"""`xattn bench`: speed side by side with the rivals that are installed."""

from __future__ import annotations

from typing import Any

import click

from xattn.cli.options import as_json
from xattn.cli.screen import Column, note, print_json, print_table, progress

__all__ = ["bench"]


@click.command()
@click.option("--suite", "suites", multiple=True, metavar="NAME", help="A suite of the list above; repeatable.")
@click.option(
    "--rounds", type=int, default=9, show_default=True, metavar="N", help="Number of rounds; their median counts."
)
@click.option("--quick", is_flag=True, help="Take small sizes, to see that all works, not how fast.")
@as_json
def bench(suites: tuple[str, ...], rounds: int, quick: bool, as_json: bool) -> None:
    """Time ours and every installed rival in one run.

    \b
    softmax     attention weights of a table of logits
    attention   the five scorers, and whole attention
    score       fused target attention; the same with all weights returned
    topk        the ten best of each row
    search      the ten keys of largest product, of a million
    recommend   ten items for each of 6,000 users
    train       closed form on a million events, its parts; an epoch of the learned model
    serve       one user: ten items and a ledger of each, median and 99th percentile
    scale       cost against size, and its exponent
    cold-start  import, and the first recommendation in a new process
    threads     all threads against one
    roofline    what this machine can do at most, and how near the kernels come

    A ratio above 1 means that ours is faster. A row meets its aim if its ratio reaches it. Without --suite all suites
    run, which takes about twenty minutes. The rivals come with: pip install torch implicit

    \b
    xattn bench --suite softmax --suite score
    """
    from xattn.bench import Stopped
    from xattn.bench import bench as run

    try:
        with progress("timing") as tell:
            result = run(suites or None, rounds=rounds, quick=quick, progress=tell)
    except Stopped as stopped:
        if not as_json and stopped.result["rows"]:
            _print_rows(stopped.result)
        raise
    if result["machine"]["held_back"]:
        held = ", ".join(result["machine"]["held_back"])
        note(f"NumPy's BLAS is held back by {held}; unset it for figures that are fair to NumPy.")
    if quick:
        note("Sizes are those of --quick: the figures say nothing about speed.")
    if as_json:
        print_json(result)
    else:
        _print_rows(result)


def _print_rows(result: dict[str, Any]) -> None:
    heads = [Column("suite"), Column("work"), Column("rival")]
    heads += [Column(name, right=True) for name in ("ours ms", "rival ms", "ratio", "spread", "aim", "met")]
    table = [
        [
            row["suite"],
            row["work"],
            row["rival"] or "",
            *(_figure(row[name]) for name in ("ours_ms", "rival_ms", "ratio", "spread", "bar")),
            "" if row["bar"] is None else "yes" if row["ratio"] >= row["bar"] else "no",
        ]
        for row in result["rows"]
    ]
    machine = result["machine"]
    about = f"{machine['processor']}, {machine['threads']} threads ({machine['layer']}), {machine['blas']}"
    print_table(heads, table, f"{about}, Python {machine['python']}")


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
