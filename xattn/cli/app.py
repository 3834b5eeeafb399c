"""`xattn app`: serve the pages."""

from __future__ import annotations

import os

import click

from xattn.cli.inputs import subject
from xattn.cli.options import DataChoice, ModelChoice, data_options, model_options
from xattn.cli.screen import tell_notes
from xattn.errors import check_choice, check_whole

__all__ = ["app"]


@click.command()
@data_options
@model_options
@click.option("--scenario", metavar="NAME", help="What people do with items: films, shop, books, music, news, …")
@click.option("--port", type=int, default=8501, show_default=True, metavar="N", help="Port to listen on.")
@click.option("--host", default="localhost", show_default=True, metavar="ADDRESS", help="Address to listen on.")
def app(source: DataChoice, choice: ModelChoice, scenario: str | None, port: int, host: str) -> None:
    """Serve the pages until interrupted.

    They show the bundled films, or your data (--ratings, --items), or a model that `xattn fit` saved (--model) with the
    data that it was fitted to. Reports of the lab are then made of these.
    """
    check_whole("port", port, low=1, high=65_535)
    from xattn.app import serve
    from xattn.explain import SCENARIOS, Origin

    words = "films" if scenario is None else check_choice("scenario", scenario, SCENARIOS)
    if not source.given and choice.model is None:
        serve(port=port, address=host, scenario=words)
        return
    about = subject(source, choice)
    saved = str(choice.model) if about.fitted else None
    tell_notes(True)  # a server does not come to its end
    origin = Origin(_whole(saved), _whole(source.ratings), _whole(source.items), source.stated)
    serve(port=port, address=host, model=about.ready(), origin=origin, scenario=words)


def _whole(path: str | None) -> str | None:
    """A path from the root of the file system; the address of a database as it is."""
    return path if path is None or "://" in path else os.path.abspath(path)
