"""Uvicorn around the application, in this process, on one address."""

from __future__ import annotations

import ipaddress
import socket

import uvicorn
from starlette.applications import Starlette

from xattn.errors import check_whole, refuse, system_reason

__all__ = ["check_free", "is_loopback", "serve"]

AT_ONCE = 1_000  # connections that are answered at the same time; others hear 503 at once
IDLE = 15  # seconds that a connection without a call stays open
END = 10  # seconds that calls in work get when the server is ended


def is_loopback(host: str) -> bool:
    """The address is this machine's own, which no other reaches."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_free(host: str, port: int) -> None:
    """The port can be had. Raises InputError, so that this is known before a model is fitted."""
    check_whole("port", port, low=1, high=65_535)
    try:
        family, kind, proto, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as problem:
        refuse("port", address=host, got=port, **system_reason(problem))


def serve(app: Starlette, host: str, port: int) -> None:
    """Answer until the process is asked to end. Addresses of callers and paths, which hold ids, are not logged."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=END,
        proxy_headers=False,
    )
    uvicorn.Server(config).run()
