"""A server for the pages: Streamlit inside this process, with the package's own settings, ready before it answers."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import streamlit as st

from xattn.app import state
from xattn.errors import InputError, check_whole

__all__ = ["serve", "settings"]

log = logging.getLogger(__name__)

HERE = Path(__file__).parent


def settings(port: int, address: str) -> dict[str, object]:
    """The settings of the server; they win over any file of settings in the folder or at home."""
    return {
        "server.port": port,
        "server.address": address,
        "server.headless": True,
        "server.enableXsrfProtection": True,
        "server.enableCORS": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": 20,  # MB
        "server.enableStaticServing": False,
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "logger.hideWelcomeMessage": True,
        "theme.base": str(HERE / "theme.toml"),
    }


def serve(port: int, address: str) -> None:
    """See `xattn.app.serve`."""
    check_whole("port", port, low=1, high=65535)
    _check_free(port, address)
    try:
        print("Getting the model ready …", flush=True)
        state.warm()
        app = st.App(HERE / "script.py")
        print(f"xattn is at http://{address}:{port}  (Ctrl-C ends it)", flush=True)
        app.run(config=settings(port, address))
    except KeyboardInterrupt:
        print("Stopped.", flush=True)


def _check_free(port: int, address: str) -> None:
    """The port can be had; otherwise the server would say so only after the model is ready."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as problem:
        raise InputError(
            f"`port` must be one that is free at {address}; got {port} ({problem.strerror or problem})."
        ) from None
