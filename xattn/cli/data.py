"""`xattn data`: the data sets at hand, and the check of a table of your own."""

from __future__ import annotations

import sys

import click

from xattn.cli.data_options import READING, ReadingChoice
from xattn.cli.options import as_json, grouped, language
from xattn.cli.screen import Column, echo, note, plain, print_json, print_table, progress
from xattn.errors import refuse
from xattn.i18n import t

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
@click.option(
    "--accept", "accepted", is_flag=True, help="Accept the terms of the set. They are kept, and asked for once."
)
@click.option(
    "--again", is_flag=True, help="Fetch a set again that is there already, and say whether it is still the same."
)
@language
@as_json
def fetch(name: str, accepted: bool, again: bool, lang: str, as_json: bool) -> None:
    """Bring data set NAME, or check it where it comes with the package.

    A bundled set is checked against its SHA-256 and read. A public set of a scenario comes from where it is published,
    once you have accepted its terms; a fetch that breaks off is gone on with when you fetch again. What is kept lies in
    the folder XATTN_DATA.
    """
    from xattn import datasets
    from xattn.scenarios.fetch import public_sets

    bundled = [info.name for info in datasets()]
    if name in bundled:
        _bundled(name, as_json)
    elif name in public_sets():
        _public(name, accepted, again, lang, as_json)
    else:
        refuse("unknown_dataset", known=(*bundled, *sorted(public_sets())), got=name)


def _bundled(name: str, as_json: bool) -> None:
    """Check and read a set that comes with the package."""
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


def _public(name: str, accepted: bool, again: bool, lang: str, as_json: bool) -> None:
    """Fetch a set from where it is published, after its terms were shown and accepted."""
    from xattn.scenarios import fetch

    one = fetch.public_set(name)
    if not fetch.accepted(one) and (again or fetch.fetched(name) is None):
        terms = t("fetch.terms", lang, set=name, source=one.source, licence=one.licence, page=one.page)
        note(plain(f"{terms} {one.kept.told(lang)}"))
        if accepted or (sys.stdin.isatty() and click.confirm(t("fetch.ask", lang), err=True)):
            fetch.accept(one)
    with progress(f"fetching {name}") as tell:
        found = fetch.fetch(name, again=again, progress=tell)
    if as_json:
        print_json(found.to_dict())
        return
    echo(plain(t("fetch.there" if found.downloaded else "fetch.was_there", lang, set=name, folder=str(found.folder))))
    for file in found.originals:
        echo(plain(f"  {file.name}  {file.size:,} B  sha256 {file.sha256}"))
        echo(plain(f"    {t(f'fetch.{file.state}', lang)}"))


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
