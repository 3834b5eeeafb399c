"""`xattn bench`: speed side by side with the rivals that are installed."""

from __future__ import annotations

from typing import Any

import click

from xattn.cli.options import as_json
from xattn.cli.screen import Column, note, print_json, print_table, progress

__all__ = ["bench"]


@click.command()
@click.option(
    "--suite", "suites", multiple=True, metavar="NAME", help="softmax, score, topk or serve; may be repeated."
)
@click.option(
    "--rounds", type=int, default=9, show_default=True, metavar="N", help="Rounds of which the median counts."
)
@as_json
def bench(suites: tuple[str, ...], rounds: int, as_json: bool) -> None:
    """Time ours and every installed rival in one run.

    A ratio above 1 says that ours is faster. Rivals come with: pip install torch

    \b
    xattn bench --suite softmax
    """
    from xattn.bench import bench as run

    with progress("timing") as tell:
        result = run(suites or None, rounds=rounds, progress=tell)
    if result["machine"]["held_back"]:
        held = ", ".join(result["machine"]["held_back"])
        note(f"NumPy's BLAS is held back by {held}; unset it for figures that are fair to NumPy.")
    if as_json:
        print_json(result)
    else:
        _print_rows(result)


def _print_rows(result: dict[str, Any]) -> None:
    heads = [Column("suite"), Column("work"), Column("rival")]
    heads += [Column(name, right=True) for name in ("ours ms", "rival ms", "ratio", "spread", "aim")]
    table = [
        [
            row["suite"],
            row["work"],
            row["rival"] or "",
            *(_figure(row[name]) for name in ("ours_ms", "rival_ms", "ratio", "spread", "bar")),
        ]
        for row in result["rows"]
    ]
    machine = result["machine"]
    print_table(heads, table, f"{machine['threads']} threads ({machine['layer']}), Python {machine['python']}")


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
