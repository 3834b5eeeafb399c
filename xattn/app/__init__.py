"""The pages: `run` draws them inside Streamlit, `serve` starts a server for them. Only importer of Streamlit.

Neither Streamlit nor anything heavy is imported before one of the two is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xattn.data import Interactions
    from xattn.explain import Origin
    from xattn.recommenders import Recommender

__all__ = ["run", "serve"]


def run() -> None:
    """Draw the page that the address asks for, with the sidebar around it; what a Streamlit script calls."""
    from xattn.app.shell import run as draw

    draw()


def serve(
    port: int = 8501,
    address: str = "localhost",
    *,
    data: Interactions | None = None,
    model: Recommender | None = None,
    origin: Origin | None = None,
    scenario: str = "films",
) -> None:
    """Serve the pages at http://`address`:`port` until interrupted.

    They show the bundled films, or `data`, or a fitted `model` with the data that it was fitted to; `origin` says where
    these can be read from again, `scenario` what people do with items (as in `Ledger.text`). The default model is ready
    before the first page is answered. Raises InputError where the port is not a whole number from 1 to 65535, or is
    taken, and where the model is not fitted.
    """
    from xattn.app.server import serve as start
    from xattn.app.state import Own
    from xattn.errors import check_choice, check_fitted
    from xattn.explain import SCENARIOS, Origin

    check_choice("scenario", scenario, SCENARIOS)
    if model is not None:
        check_fitted(model, "data_")
        data = model.data_
    shown = None if data is None else Own(data, model, origin or Origin(), scenario)
    start(port, address, shown)
