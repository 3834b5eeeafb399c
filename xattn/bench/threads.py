"""Limits on threads, ours and those of BLAS, for as long as a block lasts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController

__all__ = ["OURS", "limited"]

OURS = "XATTN_NUM_THREADS"


@cache
def _pools() -> ThreadpoolController:
    """BLAS libraries of this process; finding them takes milliseconds, so they are looked up once."""
    return ThreadpoolController()


@contextmanager
def limited(threads: int, *, ours: bool = True) -> Iterator[None]:
    """At most so many threads in BLAS, and in our kernels too unless `ours` is False."""
    before = os.environ.get(OURS)
    if ours:
        os.environ[OURS] = str(threads)
    try:
        with _pools().limit(limits=threads, user_api="blas"):
            yield
    finally:
        if before is None:
            os.environ.pop(OURS, None)
        else:
            os.environ[OURS] = before
