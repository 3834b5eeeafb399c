"""Old names of arguments, which work for one version: the call goes on under the new name, with a FutureWarning.

    class Near(Estimator):
        _renamed = {"neighbours": "n_neighbors"}        Near(neighbours=5) is Near(n_neighbors=5)

    @takes_old_names(drop_missing="missing=refuse,drop") of a function
    @by_name("k")                                       `k` stood second once, and is given by name now

CHANGELOG.md lists every old name with the version that drops it.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from xattn.errors.choices import check_flag
from xattn.errors.tree import refuse
from xattn.i18n import t

__all__ = ["by_name", "current_names", "takes_old_names", "warn_of_old"]

P = ParamSpec("P")
R = TypeVar("R")
OURS = "xattn."


def warn_of_old(code: str, **fields: Any) -> None:
    """Warn, at the line of the caller outside of xattn, with the sentence ``old.<code>`` of the catalogue."""
    level, frame = 2, inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    while frame is not None and str(frame.f_globals.get("__name__", "")).startswith(OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(t(f"old.{code}", **fields), FutureWarning, stacklevel=level)


def current_names(given: Mapping[str, Any], new_of_old: Mapping[str, str]) -> dict[str, Any]:
    """`given` under the names of today; each old one warns. Raises InputError where both names are given.

    ``{"drop_missing": "missing=refuse,drop"}`` names the values that take the place of false and true.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as heard:
    ...     warnings.simplefilter("always")
    ...     current_names({"neighbours": 5}, {"neighbours": "n_neighbors"}), str(heard[0].message)
    ({'n_neighbors': 5}, '`neighbours` is called `n_neighbors` now; the old name works in this version only.')
    """
    found = dict(given)
    for old, new in new_of_old.items():
        if old in found:
            name, _, values = new.partition("=")
            if name in found:
                refuse("old_and_new", name=name, old=old)
            warn_of_old("renamed", name=name, old=old)
            value = found.pop(old)
            found[name] = values.split(",")[check_flag(old, value)] if values else value
    return found


def takes_old_names(**new_of_old: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the function takes its arguments by their old names too."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> R:
            return function(*args, **current_names(given, new_of_old) if given else given)

        return call

    return decorate


def by_name(*names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the keyword-only parameters `names` may still follow the positional ones, with a warning."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(function).parameters.values()
        before = sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)

        @functools.wraps(function)
        def call(*args: Any, **given: Any) -> R:
            extra = dict(zip(names, args[before:], strict=False))
            for name in extra:
                warn_of_old("by_name", name=name, function=function.__name__)
            return function(*args[:before], *args[before + len(extra) :], **extra, **given)

        return call

    return decorate
