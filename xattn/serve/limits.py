"""What a caller may ask at once: the size of a body, the time to send it, the time to answer, calls a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from starlette.requests import ClientDisconnect, Request

from xattn.errors import refuse
from xattn.serve.problems import Problem

__all__ = ["Limits", "Rates", "body_of", "in_time"]

T = TypeVar("T")
CALLERS = 10_000  # whose calls are counted at a time


class Limits(NamedTuple):
    """`body` bytes; `send` and `answer` seconds; `rate` calls a second and caller, `burst` at once."""

    body: int = 4_000_000
    send: float = 15.0
    answer: float = 60.0
    rate: float = 1_000.0
    burst: float = 2_000.0


class Rates:
    """A bucket of calls for each caller, which fills at the rate."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self.clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, caller: str) -> None:
        """Count a call. Raises Problem where the caller has none left."""
        now = self.clock()
        with self._lock:
            left, then = self._buckets.pop(caller, (self.limits.burst, now))
            left = min(self.limits.burst, left + (now - then) * self.limits.rate)
            self._buckets[caller] = (max(left - 1.0, 0.0) if left >= 1.0 else left, now)
            while len(self._buckets) > CALLERS:
                self._buckets.popitem(last=False)
        if left < 1.0:
            refuse("rate", kind=Problem, got=self.limits.rate)


async def body_of(request: Request, limits: Limits) -> bytes:
    """The body of a request. Raises Problem for one that is too long, or comes too slowly."""
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > limits.body:
        refuse("long_body", kind=Problem, most=limits.body)

    async def read() -> bytes:
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > limits.body:
                refuse("long_body", kind=Problem, most=limits.body)
            parts.append(part)
        return b"".join(parts)

    try:
        return await asyncio.wait_for(read(), limits.send)
    except (TimeoutError, ClientDisconnect):
        refuse("slow_body", kind=Problem, got=limits.send)


async def in_time(work: Awaitable[T], seconds: float) -> T:
    """What `work` gives. Raises Problem where that takes too long; what was begun is finished all the same."""
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.ensure_future(work)), seconds)
    except TimeoutError:
        refuse("slow_answer", kind=Problem, got=seconds)
