"""A server for the pages: Streamlit inside this process, with the package's own settings, ready before it answers.

/readyz   200 "ready" when the default model is fitted and the kernels are compiled, else 503; no page is needed
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from xattn.app import state
from xattn.app.data.brought import most_bytes
from xattn.app.guard import Guard, hosts_of
from xattn.app.rooted import Rooted
from xattn.errors import check_whole, refuse, system_reason

__all__ = ["guard", "readyz", "serve", "settings"]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
SCRIPT = HERE / "script.py"
HOSTS = "XATTN_ALLOWED_HOSTS"  # of the environment: more names that a browser may ask for, with commas between
METRICS = "XATTN_METRICS"  # of the environment: "on" opens Streamlit's counters at /_stcore/metrics


def settings(port: int, address: str) -> dict[str, object]:
    """The settings of the server; they win over any file of settings in the folder or at home."""
    return {
        "server.port": port,
        "server.address": address,
        "server.headless": True,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": most_bytes() // 10**6,  # MB
        "server.maxMessageSize": 50,  # MB
        "server.disconnectedSessionTTL": 60,  # seconds; what a closed tab held is freed after it
        "server.enableStaticServing": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "theme.base": str(HERE / "theme.toml"),
    }


def guard(address: str) -> Middleware:
    """What stands before the pages: see `xattn.app.guard`."""
    hosts = hosts_of(address, os.environ.get(HOSTS, "").split(","))
    return Middleware(Guard, hosts=hosts, metrics=os.environ.get(METRICS, "") == "on")


async def readyz(request: Request) -> PlainTextResponse:
    """Whether a visitor would be served at once."""
    ready = state.is_warm()
    return PlainTextResponse("ready\n" if ready else "warming up\n", 200 if ready else 503)


def serve(port: int, address: str, shown: state.Own | None = None) -> None:
    """See `xattn.app.serve`."""
    check_whole("port", port, low=1, high=65535)
    _check_free(port, address)
    try:
        with _told_to_end():
            state.use(shown)
            print("Getting the model ready …", flush=True)
            state.warm()
            app = st.App(SCRIPT, routes=[Route("/readyz", readyz)], middleware=[guard(address), Middleware(Rooted)])
            print(f"xattn is at http://{address}:{port}  (Ctrl-C ends it)", flush=True)
            app.run(config=settings(port, address))
    except KeyboardInterrupt:
        log.debug("interrupted")  # the server itself may have ended quietly before
    print("Stopped.", flush=True)


@contextmanager
def _told_to_end() -> Iterator[None]:
    """Being told to end (SIGTERM) is a way to end, as Ctrl-C is. The server passes it on once it has ended."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _check_free(port: int, address: str) -> None:
    """The port can be had; otherwise the server would say so only after the model is ready."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as problem:
        refuse("port", address=address, got=port, **system_reason(problem))
