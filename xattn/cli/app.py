"""`xattn app`: serve the pages."""

from __future__ import annotations

import click

from xattn.errors import check_whole

__all__ = ["app"]


@click.command()
@click.option("--port", type=int, default=8501, show_default=True, metavar="N", help="Port to listen on.")
@click.option("--host", default="localhost", show_default=True, metavar="ADDRESS", help="Address to listen on.")
def app(port: int, host: str) -> None:
    """Serve the pages until interrupted."""
    check_whole("port", port, low=1, high=65_535)
    from xattn.app import serve

    serve(port=port, address=host)
