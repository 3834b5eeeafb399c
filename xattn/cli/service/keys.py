"""`xattn keys`: who may call `xattn serve`."""

from __future__ import annotations

import click

from xattn.cli.options import as_json
from xattn.cli.root import OneLine
from xattn.cli.screen import echo, plain, print_json

__all__ = ["keys"]

store_option = click.option(
    "--store", "url", required=True, metavar="URL", help="The store: sqlite:///FILE or postgresql://…"
)


@click.group(cls=OneLine)
def keys() -> None:
    """Make, list and take back the keys of callers; the server must not run meanwhile."""


@keys.command()
@store_option
@click.option("--name", required=True, metavar="NAME", help="Whose key it is.")
@click.option("--scopes", default="write,read", show_default=True, metavar="LIST", help="Of write, read and admin.")
@as_json
def add(url: str, name: str, scopes: str, as_json: bool) -> None:
    """Make a key; it is shown this once."""
    from xattn.live import open_store
    from xattn.live.keys import add_key

    with open_store(url) as store:
        text = add_key(store, name, [scope.strip() for scope in scopes.split(",")])
    if as_json:
        print_json({"key": text, "id": text.split("_")[1], "name": name, "scopes": scopes.split(",")})
    else:
        echo(text)


@keys.command("list")
@store_option
@as_json
def list_keys(url: str, as_json: bool) -> None:
    """Say whose keys there are, and what each may do."""
    from xattn.live import open_store
    from xattn.live.keys import Keys

    with open_store(url) as store:
        found = Keys(store).all()
    if as_json:
        print_json([key._asdict() for key in found])
        return
    for key in found:
        echo(plain(f"{key.id}  {','.join(key.scopes)}  {key.name}"))


@keys.command()
@store_option
@click.argument("own", metavar="ID")
def drop(url: str, own: str) -> None:
    """Take a key back, by its id."""
    from xattn.live import open_store
    from xattn.live.keys import drop_key

    with open_store(url) as store:
        drop_key(store, own)
    echo(f"Taken back: {plain(own)}.")
