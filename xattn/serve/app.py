"""The application: every call gets an id, is checked for its key, its rate and its scope, measured, and answered.

It is an ASGI application, so it runs alone (`xattn serve`) or beside others in one process.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Way
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from xattn.errors import XattnError, refuse
from xattn.live.keys import Key, Keys
from xattn.live.live import Live
from xattn.serve.describe import describe
from xattn.serve.limits import Limits, Rates, in_time
from xattn.serve.measures import Measures
from xattn.serve.problems import Problem, answer
from xattn.serve.routes import ROUTES, Route, Server

__all__ = ["make_app"]

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # of a request, from whoever calls
SAFE = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
)


def make_app(live: Live, *, keys: bool = True, limits: Limits | None = None) -> Starlette:
    """The application over `live`; with ``keys=False`` whoever reaches it may do everything. No other origin's pages
    may call it (CORS is off)."""
    server = Server(live, Keys(live.store) if keys else None, limits or Limits(), Measures(), describe(ROUTES))
    rates = Rates(server.limits)

    def way(route: Route) -> Way:
        async def endpoint(request: Request) -> Response:
            began = time.perf_counter()
            try:
                caller = _caller(server, request)
                rates.check(_name(caller, request))
                _check_scope(server, caller, route.scope)
                work = route.answer(server, request)
                seconds = server.limits.answer
                response = await (work if route.slow else in_time(work, seconds))
            except XattnError as error:
                response = await answer(request, error)
            except Exception as error:
                response = await answer(request, error)
            server.measures.call(route.method, route.path, response.status_code, time.perf_counter() - began)
            return response

        return Way(route.path, endpoint, methods=[route.method])

    async def odd(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 404
        try:
            refuse("no_method" if status == 405 else "no_route", kind=Problem, got=request.method)
        except Problem as told:
            return await answer(request, told)

    ways = [way(route) for route in ROUTES]
    handlers = {HTTPException: odd, 404: odd, 405: odd}
    return Starlette(routes=ways, middleware=[Middleware(Marked)], exception_handlers=handlers)


class Marked:
    """Gives every call an id (the caller's own where it sends one), and every response the headers that all have."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        own = given if GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = own

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", own.encode()), *SAFE]
            await send(message)

        await self.app(scope, receive, marked)


Answer = Callable[[Server, Request], Awaitable[Response]]


def _caller(server: Server, request: Request) -> Key | None:
    """The caller; None for somebody without a key."""
    if server.keys is None:
        return None
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    return server.keys.of(text.strip()) if kind.lower() == "bearer" else server.keys.of("")


def _name(caller: Key | None, request: Request) -> str:
    if caller is not None:
        return f"key {caller.id}"
    return f"address {request.client.host if request.client else ''}"


def _check_scope(server: Server, caller: Key | None, scope: str) -> None:
    """The caller may do this. Raises Problem, which says nothing about what was asked for."""
    if server.keys is None or not scope:
        return
    if caller is None:
        refuse("no_api_key", kind=Problem)
    if scope not in caller.scopes and "admin" not in caller.scopes:
        refuse("no_scope", kind=Problem, wanted=scope)
