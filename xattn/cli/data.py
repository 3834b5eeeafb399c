"""`xattn data`: the data sets at hand, and the check of a table of your own."""

from __future__ import annotations

import click

from xattn.cli.data_options import READING, ReadingChoice
from xattn.cli.options import as_json, grouped, language
from xattn.cli.screen import Column, echo, plain, print_json, print_table
from xattn.errors import refuse

__all__ = ["data"]

reading_options = grouped("reading", ReadingChoice, *READING)


@click.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """List the data sets at hand, make one ready, or check a table of your own."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@data.command("list")
@as_json
def list_data(as_json: bool) -> None:
    """List what --data takes: name, size, licence and source."""
    from xattn import datasets

    found = datasets()
    if as_json:
        names = ("name", "title", "users", "items", "events", "licence", "source", "citation")
        print_json({"datasets": [{name: getattr(info, name) for name in names} for info in found]})
        return
    heads = [Column("name"), *(Column(name, right=True) for name in ("users", "items", "events")), Column("title")]
    rows = [[info.name, f"{info.users:,}", f"{info.items:,}", f"{info.events:,}", info.title] for info in found]
    print_table(heads, rows)
    for info in found:
        echo("\n" + plain(f"{info.name}: {info.licence}"))
        echo(plain(f"  from {info.source}; cite: {info.citation}"))


@data.command()
@click.argument("name")
@as_json
def fetch(name: str, as_json: bool) -> None:
    """Make data set NAME ready and check it.

    All data sets of this version come with the package, so nothing is downloaded: every file is checked against its
    SHA-256 and read.
    """
    from xattn import datasets, load_dataset

    data = load_dataset(name)
    info = next(info for info in datasets() if info.name == name)
    sums = {str(file["path"]): str(file["sha256"]) for file in info.files.values()}
    if as_json:
        sizes = {"users": data.n_users, "items": data.n_items, "events": data.n_events}
        print_json({"name": name, "downloaded": False, **sizes, "sha256": sums})
        return
    echo(plain(f"{name} comes with the package; nothing to download. Checked and read: {data!r}"))
    for path, sha256 in sums.items():
        echo(plain(f"  {path}  sha256 {sha256}"))


@data.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--items", metavar="FILE", help="A file of the items, if it is not the second of FILES.")
@language
@as_json
@reading_options
def check(files: tuple[str, ...], items: str | None, lang: str, as_json: bool, reading: ReadingChoice) -> None:
    """Say how a table of events would be read, and all that was found in it at once.

    FILES are the events and perhaps the items. The exit code is 1 where something must be settled first.
    """
    from xattn.data import check_data

    if len(files) > 2 or (len(files) == 2 and items is not None):
        refuse("files_to_check", got=len(files) + (items is not None))
    report = check_data(files[0], items if len(files) == 1 else files[1], **reading.options())
    if as_json:
        print_json({"summary": report.summary(lang), **report.to_dict()})
    else:
        for line in report.text(lang).splitlines():
            echo(plain(line))
    if report.errors:
        click.get_current_context().exit(1)
