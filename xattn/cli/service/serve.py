"""`xattn serve`: events in and lists out, over HTTP."""

from __future__ import annotations

import click

from xattn.cli.inputs import subject
from xattn.cli.options import DataChoice, ModelChoice, data_options, model_options
from xattn.cli.screen import echo, progress, tell_notes
from xattn.errors import check_id, check_number, check_whole, refuse

__all__ = ["serve"]


@click.command()
@data_options
@model_options
@click.option(
    "--store", "url", required=True, metavar="URL", help="Where events are kept: sqlite:///FILE or postgresql://…"
)
@click.option("--models", metavar="DIR", help="Folder of the models' files (default: beside the file of SQLite).")
@click.option("--port", type=int, default=8600, show_default=True, metavar="N", help="Port to listen on.")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--open", "without_keys", is_flag=True, help="Ask for no keys; on this machine's own address alone.")
@click.option(
    "--solve-after",
    type=int,
    default=1_000,
    show_default=True,
    metavar="N",
    help="New events after which the model is solved again (0: never).",
)
@click.option("--keep-models", type=int, default=5, show_default=True, metavar="N", help="Models that are kept.")
@click.option("--scenario", metavar="NAME", help="The field that lists are served in, for the report of satisfaction.")
@click.option(
    "--rate",
    type=float,
    default=1_000.0,
    show_default=True,
    metavar="N",
    help="Calls a second and caller; more are told to wait.",
)
def serve(
    source: DataChoice,
    choice: ModelChoice,
    url: str,
    models: str | None,
    port: int,
    host: str,
    without_keys: bool,
    solve_after: int,
    keep_models: int,
    scenario: str | None,
    rate: float,
) -> None:
    """Serve events, lists and their explanations over HTTP until interrupted (docs/api.md).

    The model is fitted to the data (--data, --ratings) with float64 tables, or is a saved one (--model FILE). Events
    that come are kept in the store; when the server starts again on it, everything is there. Callers need a key
    (`xattn keys add`), unless --open.
    """
    from xattn.live import Live, Plan, open_store
    from xattn.live.given import check_short
    from xattn.serve import Limits, make_app
    from xattn.serve import serve as run
    from xattn.serve.server import check_free, is_loopback

    check_whole("solve-after", solve_after)
    check_whole("keep-models", keep_models, low=1)
    if scenario is not None:
        check_short("scenario", check_id("scenario", scenario), 64)
    check_number("rate", rate, low=0.0, open_low=True)
    if without_keys and not is_loopback(host):
        refuse("open_elsewhere", got=host)
    check_free(host, port)
    about = subject(source, choice)
    if not about.fitted and "dtype" in about.model.get_params(deep=False) and choice.dtype is None:
        about.model.set_params(dtype="float64")  # forgets exactly, by its sums
    with open_store(url) as store:
        tell_notes(True)  # a server does not come to its end
        with progress(f"getting {type(about.model).__name__} ready") as tell:
            plan = Plan(models, solve_after, keep_models, in_process=True, scenario=scenario)
            live = Live(store, about.data, model=about.model, plan=plan, progress=tell)
        with live:
            live.warm()
            echo(f"xattn serves at http://{host}:{port}  (Ctrl-C ends it)")
            run(make_app(live, keys=not without_keys, limits=Limits(rate=rate, burst=2 * rate)), host, port)
