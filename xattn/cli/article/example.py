"""`xattn example`: the article's worked example, exact and as printed, and where the article is wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import click

from xattn.cli.options import as_json
from xattn.cli.screen import Column, echo, print_json, print_table

__all__ = ["example"]


@click.command()
@as_json
def example(as_json: bool) -> None:
    """Show the worked example, exact and as printed.

    Weights, fused vector and recommendation, and where the article is wrong.
    """
    from xattn import worked_example

    found = worked_example()
    if as_json:
        print_json(asdict(found))
        return
    echo(f"Query {_vector(found.query)} meets {len(found.keys)} keys; each key belongs to an item.\n")
    steps = zip(found.keys, found.scores, found.weights, found.printed.weights, found.items, strict=True)
    names = ("key", "score", "weight", "as printed", "item")
    print_table(
        [Column(name, right=True) for name in names],
        [[_vector(k), f"{e:g}", f"{a:.5f}", f"{p:g}", _vector(y)] for k, e, a, p, y in steps],
    )
    echo("")
    print_table(
        [Column("step"), *(Column(name, right=True) for name in ("exact", "as printed", "with rounded weights"))],
        [
            [f"{name}: {formula}", *(_vector(getattr(of, name)) for of in (found, found.printed, found.rounded))]
            for name, formula in (("fused", "Σ weight × key"), ("recommendation", "Σ weight × item"))
        ],
    )
    nearest = found.nearest
    echo(
        f"\nClosest item: number {nearest.euclidean + 1} by distance ({nearest.distances[nearest.euclidean]:.5f}), "
        f"number {nearest.cosine + 1} by cosine ({nearest.cosines[nearest.cosine]:.5f}).\n\nErrata:"
    )
    for erratum in found.errata:
        echo(f"  §{erratum.section}  {erratum.text}")


def _vector(numbers: Iterable[float]) -> str:
    return "[" + ", ".join(f"{x:.6g}" for x in numbers) + "]"
