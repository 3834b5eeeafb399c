"""A server for the pages: Streamlit inside this process, with the package's own settings, ready before it answers.

/readyz   200 "ready" when the default model is fitted and the kernels are compiled, else 503; no page is needed
"""

from __future__ import annotations

import logging
import os
import socket
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from xattn.app import state
from xattn.app.data.brought import most_bytes
from xattn.errors import check_whole, refuse, system_reason

__all__ = ["readyz", "serve", "settings"]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent
SCRIPT = HERE / "script.py"
HOSTS = "XATTN_ALLOWED_HOSTS"  # of the environment: names that a browser may ask for, with commas between


def settings(port: int, address: str) -> dict[str, object]:
    """The settings of the server; they win over any file of settings in the folder or at home."""
    hosts = [host.strip() for host in os.environ.get(HOSTS, "").split(",") if host.strip()]
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
        **({"server.allowedHosts": hosts} if hosts else {}),
    }


async def readyz(request: Request) -> PlainTextResponse:
    """Whether a visitor would be served at once."""
    ready = state.is_warm()
    return PlainTextResponse("ready\n" if ready else "warming up\n", 200 if ready else 503)


def serve(port: int, address: str, shown: state.Own | None = None) -> None:
    """See `xattn.app.serve`."""
    check_whole("port", port, low=1, high=65535)
    _check_free(port, address)
    try:
        state.use(shown)
        print("Getting the model ready …", flush=True)
        state.warm()
        app = st.App(SCRIPT, routes=[Route("/readyz", readyz)])
        print(f"xattn is at http://{address}:{port}  (Ctrl-C ends it)", flush=True)
        app.run(config=settings(port, address))
    except KeyboardInterrupt:
        log.debug("interrupted")  # the server itself may have ended quietly before
    print("Stopped.", flush=True)


def _check_free(port: int, address: str) -> None:
    """The port can be had; otherwise the server would say so only after the model is ready."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as problem:
        refuse("port", address=address, got=port, **system_reason(problem))
