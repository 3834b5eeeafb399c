"""Charts without Altair's check of every part against the schema, which takes longer than all the rest.

The tests check the finished charts instead. The switch is Altair's own, one for the whole process: it is off while any
thread makes a chart here, and back where it was afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import altair as alt
from altair.utils import schemapi

__all__ = ["chosen_by", "drawn", "quick"]

P = ParamSpec("P")
R = TypeVar("R")

_lock = threading.Lock()
_before: list[bool] = []  # what the switch was when the first of those who are at work came; one entry for each


@contextmanager
def _unchecked() -> Iterator[None]:
    with _lock:
        _before.append(_before[0] if _before else schemapi.DEBUG_MODE)
        schemapi.DEBUG_MODE = False
    try:
        yield
    finally:
        with _lock:
            was = _before.pop()
            if not _before:
                schemapi.DEBUG_MODE = was


def quick(make: Callable[P, R]) -> Callable[P, R]:
    """A function that makes a chart, with the checks left out."""

    @wraps(make)
    def made(*args: P.args, **kwargs: P.kwargs) -> R:
        with _unchecked():
            return make(*args, **kwargs)

    return made


def chosen_by(channel: Callable[..., Any], cases: Any, otherwise: Any) -> Any:
    """A channel with a value for each of the `cases` (`alt.when(…).then(…)`) and one for all else.

    Altair takes the same as a plain dict, and finds out what it is by trying it against the schema.
    """
    told = cases.otherwise(alt.value(otherwise))
    return channel(**told)


def drawn(chart: Any, description: str) -> Any:
    """A chart as a page asks for it: nothing but its dictionary (`to_dict`), under another description."""
    return _Drawn(chart, description)


class _Drawn:
    def __init__(self, chart: Any, description: str) -> None:
        self._chart, self._description = chart, description

    def to_dict(self) -> dict[str, Any]:
        with _unchecked():
            spec: dict[str, Any] = self._chart.to_dict(validate=False)
        return {**spec, "description": self._description}
