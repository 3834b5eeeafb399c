"""`xattn partition`: a source of any size as partitions of users on disk."""

from __future__ import annotations

import time

import click

from xattn.cli.data_options import READING, ReadingChoice
from xattn.cli.options import as_json, grouped
from xattn.cli.screen import echo, note_at_the_end, plain, print_json, progress

__all__ = ["partition"]


@click.command()
@click.argument("source")
@click.option("--out", required=True, metavar="DIR", help="The folder where the partitions go.")
@click.option("--parts", type=int, metavar="N", help="How many.  [8, or one for each 4,000,000 events]")
@click.option("--items", metavar="FILE", help="A file of your items: item, title, feature columns.")
@click.option("--append", is_flag=True, help="Add these events, such as new days, to partitions that are there.")
@grouped("reading", ReadingChoice, *READING)
@as_json
def partition(
    source: str, out: str, parts: int | None, items: str | None, append: bool, reading: ReadingChoice, as_json: bool
) -> None:
    """Write the events of SOURCE (a file, a folder of part files, a database) to partitions of users.

    Large files of delimited text and Parquet are read in pieces, so memory does not grow with them. `xattn fit
    --partitions DIR` fits a model to the partitions.
    """
    from xattn.scale import partition as run

    start = time.perf_counter()
    with progress("partitioning") as tell:
        made = run(source, out, parts=parts, items=items, append=append, progress=tell, **reading.options())
    seconds = time.perf_counter() - start
    if made.summary and not reading.quiet:
        note_at_the_end(made.summary)
    sizes = {"name": made.name, "users": made.n_users, "items": made.n_items, "events": made.n_events}
    if as_json:
        print_json({"data": sizes, "parts": len(made), "out": out, "sha256": made.checksum, "partition_s": seconds})
        return
    read = f"{made.n_users:,} users, {made.n_items:,} items, {made.n_events:,} events"
    echo(plain(f"{made.name} ({read}) in {len(made)} partitions under {out}, in {seconds:.1f} s."))
