"""Progress: how long work says what it is doing, and how much of it is done.

Whoever waits gives a function of two arguments: what is being done (a few words), and the share of the whole that is
done, from 0 to 1. Whoever does not wait gives None. Work made of parts tells each part as a stretch of the whole:

    whole     0 ────── .3 ──────────────── 1
    part 1    0 ─────── 1
    part 2             0 ───────────────── 1

Work deep inside, as questions to somebody else's model, asks who listens (`listener`); `told_to` says so for all that
is done within it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

__all__ = ["Progress", "listener", "part_of", "silent", "steps", "told_to"]

Progress = Callable[[str, float], None]
T = TypeVar("T")


def silent(what: str, share: float) -> None:
    """The Progress of work that nobody waits for."""


def part_of(progress: Progress | None, low: float, high: float, name: str = "") -> Progress:
    """A Progress for one part of the work, which takes the whole from `low` to `high`; `name` is put before its words.

    >>> part_of(print, 0.5, 1.0, "fold 2")("solve", 0.5)
    fold 2, solve 0.75
    """
    if progress is None:
        return silent

    def tell(what: str, share: float) -> None:
        progress(f"{name}, {what}" if name else what, low + share * (high - low))

    return tell


def steps(progress: Progress | None, what: str | Callable[[T], str], work: Collection[T]) -> Iterator[T]:
    """Each piece of `work`; before a piece is handed out, the share of pieces that are done is told.

    `what` is the text to tell, or makes it from the piece.

    >>> [piece for piece in steps(print, "users", ["a", "b"])]
    users 0.0
    users 0.5
    ['a', 'b']
    """
    tell = progress or silent
    for done, piece in enumerate(work):
        tell(what if isinstance(what, str) else what(piece), done / len(work))
        yield piece


_listener: ContextVar[Progress | None] = ContextVar("listener", default=None)


@contextmanager
def told_to(progress: Progress | None) -> Iterator[None]:
    """Inside, `listener` is this Progress; None: whoever listened before.

    >>> with told_to(print):
    ...     with told_to(part_of(listener(), 0.5, 1.0)):
    ...         listener()("asked", 0.5)
    asked 0.75
    """
    before = _listener.set(_listener.get() if progress is None else progress)
    try:
        yield
    finally:
        _listener.reset(before)


def listener() -> Progress:
    """Who is told about work deep inside; silent where nobody listens."""
    return _listener.get() or silent
