"""`xattn scenario`: ten fields and what an explanation is worth there, run, listed, and written anew for your data."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from xattn.cli.data_options import READING, ReadingChoice, read_told
from xattn.cli.options import as_json, check_left_out, grouped, language
from xattn.cli.outputs import output
from xattn.cli.screen import Column, echo, plain, print_json, print_table, progress
from xattn.cli.tables import print_list
from xattn.errors import check_choice, check_whole, refuse
from xattn.i18n.joined import said

if TYPE_CHECKING:
    from xattn.scenarios import Outcome

__all__ = ["scenario"]

reading_options = grouped("reading", ReadingChoice, *READING)
NOT_WRITTEN = ("event-weights", "drop", "query")  # options of a table that a manifest does not hold


@click.group(invoke_without_command=True)
@click.pass_context
def scenario(context: click.Context) -> None:
    """Ten fields, each with data, words, warnings and a list that is explained."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@scenario.command("list")
@language
@as_json
def list_scenarios(lang: str, as_json: bool) -> None:
    """List the scenarios that come with the package, and which of their data are at hand."""
    from xattn.scenarios import load, names

    found = [load(name).to_dict(lang) for name in names()]
    if as_json:
        print_json({"scenarios": found})
        return
    heads = [Column("name"), Column("title"), Column("data"), Column("story", cut=True)]
    print_table(heads, [[one["name"], one["title"], ", ".join(one["at_hand"]), one["story"]] for one in found])


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--on", "kind", metavar="KIND", help="own, real or simulated data.  [the first that is at hand]")
@click.option("--user", metavar="ID", help="A user of the data.  [somebody with a history of middling length]")
@click.option("-k", "k", type=int, default=5, show_default=True, metavar="N", help="Length of the list.")
@click.option("--evaluate", "measured", is_flag=True, help="Also hold the model against popularity and simple rivals.")
@language
@as_json
def run(name: str, kind: str | None, user: str | None, k: int, measured: bool, lang: str, as_json: bool) -> None:
    """Fit the default model to the data of a scenario, and explain one recommendation in its words.

    NAME is one of `xattn scenario list`; FILE is a manifest of your own (.toml). A public set is taken where the folder
    XATTN_TEST_DATA holds it; else people are simulated, and the output says so.
    """
    check_whole("k", k, low=1)
    from xattn.scenarios import load
    from xattn.scenarios.sets import KINDS

    if kind is not None:
        check_choice("on", kind, KINDS)
    chosen = load(name)
    with progress(f"running {chosen.manifest.name}") as tell:
        outcome = chosen.run(data=kind, user=user, k=k, with_accuracy=measured, progress=tell)
    if as_json:
        print_json(outcome.to_dict(lang))
    else:
        _print(outcome, lang)


@scenario.command()
@click.option("--ratings", metavar="FILE", required=True, help="A file of your events (user, item, …).")
@click.option("--items", metavar="FILE", help="A file of your items: item, title, feature columns.")
@click.option("--name", metavar="NAME", required=True, help="The scenario's name: small letters, digits, hyphens.")
@click.option("--words", metavar="WORDS", default="items", show_default=True, help="What people do: films, shop, …")
@click.option("--out", metavar="FILE", required=True, help="The manifest to write.")
@reading_options
def new(ratings: str, items: str | None, name: str, words: str, out: str, reading: ReadingChoice) -> None:
    """Write a manifest for a table of your own, to be filled in and run."""
    from xattn.files import write_file
    from xattn.scenarios import new_manifest

    for option in NOT_WRITTEN:
        check_left_out("xattn scenario new", "with_command", **{option: reading.said.get(option)})
    if "://" in ratings:
        refuse("manifest_database", got=ratings)
    path = output("out", out, [ratings, items])
    data = read_told(ratings, items, reading)
    files = {"ratings": ratings, **({} if items is None else {"items": items})}
    beside = {key: os.path.relpath(file, path.parent) for key, file in files.items()}
    text = new_manifest(data, name=name, words=words, reading=_written(reading), **beside)
    write_file(path, text)
    echo(plain(f"{out}: a manifest for {data!r}. Fill in the texts, then: xattn scenario run {out}"))


def _written(reading: ReadingChoice) -> dict[str, Any]:
    """The options that were given, as a manifest holds them."""
    found = dict(reading.stated)
    if found.get("columns"):
        found["columns"] = [f"{role}={header}" for role, header in found["columns"].items()]
    return found


def _print(outcome: Outcome, lang: str) -> None:
    """The story, what the data are, warnings, the list, and why its first item stands there."""
    manifest = outcome.scenario.manifest
    echo(plain(said(manifest.title.told(lang), manifest.story.told(lang), lang)))
    echo(plain(manifest.persona.told(lang)) + "\n")
    echo(plain(outcome.found.told(lang)))
    for warning in manifest.warnings:
        echo(plain(warning.told(lang)))
    echo("")
    print_list(outcome.listed, lang)
    echo("\n" + plain(outcome.text(lang)))
    if outcome.accuracy is not None:
        echo("\n" + plain(outcome.accuracy_told(lang)))
    echo("\n" + plain(manifest.watch.told(lang)))
