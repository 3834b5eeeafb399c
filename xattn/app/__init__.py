"""The pages: `run` draws them inside Streamlit, `serve` starts a server for them. Only importer of Streamlit.

Neither Streamlit nor anything heavy is imported before one of the two is called.
"""

from __future__ import annotations

__all__ = ["run", "serve"]


def run() -> None:
    """Draw the page that the address asks for, with the sidebar around it; what a Streamlit script calls."""
    from xattn.app.shell import run as draw

    draw()


def serve(port: int = 8501, address: str = "localhost") -> None:
    """Serve the pages at http://`address`:`port` until interrupted.

    The default model is ready before the first page is answered. Raises InputError where the port is not a whole
    number from 1 to 65535, or is taken.
    """
    from xattn.app.server import serve as start

    start(port, address)
