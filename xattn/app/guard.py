"""What stands before the pages: who may ask, what a browser may do with the answer, and what is not answered.

A browser says for which name it asks (``Host``) and for which page (``Origin``). A name that is not ours may lead a
page of somebody else to this server (DNS rebinding), so it must be known; an address in digits cannot mislead. A
request for another page's sake is refused here. Streamlit would ask the Internet for the address of this machine
to judge it; so it is never shown an ``Origin``.

    421  another host        403  another page's request        404  counters of the process, unless they are opened
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
import socket
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse

from xattn.app.moved import redirect
from xattn.app.rooted import SCRIPT
from xattn.app.ui.spoken import SCRIPTS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["Guard", "hosts_of", "policy"]

OWN = ("localhost", "127.0.0.1", "::1")
ANY = "*"
METRICS = "/_stcore/metrics"
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
FRAMES = "'self' http://localhost:* http://127.0.0.1:* vscode-webview:"  # notebooks here show the pages in a frame


def hosts_of(address: str, more: Collection[str] = ()) -> tuple[str, ...]:
    """The names under which a server at `address` may be asked for; `more` are those that somebody allows.

    >>> hosts_of("localhost", ["films.example.org"])[3:]
    ('films.example.org',)
    """
    local = () if address.lower() in OWN else (address, socket.gethostname())
    return tuple(name.strip().lower().rstrip(".") for name in (*OWN, *local, *more) if name.strip())


def policy() -> str:
    """The content security policy: everything from here, nothing from elsewhere; inline scripts by their checksum.

    Charts compile their expressions ('unsafe-eval'), and Streamlit writes styles as it goes. It hands the picture's
    script to the browser as a blob; who can make one runs scripts here already, so 'unsafe-eval' allows no less.
    """
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text("utf-8")
    sums = [
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in (*INLINE.findall(page), SCRIPT, *SCRIPTS.values())
    ]
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self' blob: 'unsafe-eval'", *(f"'sha256-{one}'" for one in sums))),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self' data: blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {FRAMES}",
        )
    )


class Guard:
    """The server behind it answers only to `hosts`, and its answers carry headers; `metrics` opens the counters."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], metrics: bool = False) -> None:
        self.app = app
        self.hosts = tuple(hosts)
        self.metrics = metrics
        self.headers = {
            "Content-Security-Policy": policy(),
            "X-Frame-Options": "SAMEORIGIN",  # for browsers that do not know frame-ancestors
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        status = self._refused(scope)
        if status and scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        if status:
            await PlainTextResponse(f"{REASONS[status]}\n", status)(scope, receive, guarded)
            return
        to = (
            redirect(scope["path"], scope.get("query_string", b"").decode("latin-1"))
            if scope["type"] == "http"
            else None
        )
        if to is not None:
            await RedirectResponse(to, 307)(scope, receive, guarded)
            return
        kept = [(name, value) for name, value in scope["headers"] if name.lower() != b"origin"]
        await self.app({**scope, "headers": kept}, receive, guarded)

    def _refused(self, scope: Scope) -> int:
        """The status of a refusal; 0: there is none."""
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._known(host):
            return 421
        if origin is not None and not self._same(origin, host):
            return 403
        return 404 if not self.metrics and scope["path"].rstrip("/").endswith(METRICS) else 0

    def _known(self, host: str) -> bool:
        """Whether the name (with a port perhaps) is one of ours, or no name but an address."""
        name = _name(f"//{host}")
        if name is None:
            return False
        return _is_address(name) or any(_matches(name, pattern) for pattern in self.hosts)

    def _same(self, origin: str, host: str) -> bool:
        """Whether the page that asks is of this server, or of a name that somebody allowed, as behind a proxy."""
        name = _name(origin)
        if name is None:
            return False
        allowed = (one for one in self.hosts if one not in OWN and one != ANY)
        return urlsplit(origin).netloc.lower() == host.lower() or any(_matches(name, one) for one in allowed)


REASONS = {
    421: "This server does not answer under this name. XATTN_ALLOWED_HOSTS names those that it answers under.",
    403: "This server answers its own pages only.",
    404: "Not Found",
}


def _name(url: str) -> str | None:
    """The host of an address, without port; None for one that is none."""
    try:
        parts = urlsplit(url)
        port = parts.port  # raises ValueError for one that is none
    except ValueError:
        return None
    odd = parts.username is not None or parts.path or parts.query or parts.fragment or port == 0
    return None if odd or not parts.hostname else parts.hostname.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _matches(name: str, pattern: str) -> bool:
    """Whether a name is the one of a pattern; "*.example.org" are all names under it, "*" is any.

    >>> _matches("films.example.org", "*.example.org"), _matches("example.org", "*.example.org")
    (True, False)
    """
    if pattern == ANY:
        return True
    return name.endswith(pattern[1:]) if pattern.startswith("*.") else name == pattern
