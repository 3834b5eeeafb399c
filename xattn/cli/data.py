"""`xattn data`: the data sets at hand."""

from __future__ import annotations

import click

from xattn.cli.options import as_json
from xattn.cli.screen import Column, echo, plain, print_json, print_table

__all__ = ["data"]


@click.group(invoke_without_command=True)
@click.pass_context
def data(context: click.Context) -> None:
    """List the data sets at hand, or check one."""
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
