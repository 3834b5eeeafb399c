"""Where the browser looks for the server: told in the page, so that it does not guess.

Streamlit's page looks for its server below the page that is shown first (`/lab/_stcore/health`), which is not there,
and then below the root. One fixed script says where the root is: the address without the name of a page of ours. It
stands in the page that is answered; the content security policy knows it by its checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

from xattn.app.moved import HOME
from xattn.app.shell import PAGES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["PATHS", "SCRIPT", "Rooted"]

PATHS = (*(page.path for page in PAGES), HOME)
SCRIPT = (
    "window.__streamlit = {BACKEND_BASE_URL: location.origin + "
    f'location.pathname.replace(/[/]({"|".join(PATHS)})[/]?$/, "/")}}'
)
BEFORE = b"</title>"
UNTOLD = (b"accept-encoding", b"if-none-match", b"if-modified-since")  # of the request: the page comes plain and whole


class Rooted:
    """What stands behind it, with the script in each page that it answers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or "text/html" not in Headers(scope=scope).get("accept", ""):
            await self.app(scope, receive, send)
            return
        start: list[Message] = []
        page = b""

        async def told(message: Message) -> None:
            nonlocal page
            if message["type"] == "http.response.start" and _is_page(message):
                start.append(message)
            elif not start or message["type"] != "http.response.body":
                await send(message)
            else:
                page += message.get("body", b"")
                if not message.get("more_body", False):
                    body = page.replace(BEFORE, BEFORE + f"<script>{SCRIPT}</script>".encode(), 1)
                    headers = MutableHeaders(scope=start[0])
                    headers["content-length"] = str(len(body))
                    del headers["etag"]
                    await send(start[0])
                    await send({"type": "http.response.body", "body": body})

        kept = [(name, value) for name, value in scope["headers"] if name.lower() not in UNTOLD]
        await self.app({**scope, "headers": kept}, receive, told)


def _is_page(start: Message) -> bool:
    return bool(start["status"] == 200 and Headers(scope=start).get("content-type", "").startswith("text/html"))
