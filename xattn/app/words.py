"""Texts of the pages in the words of what is shown: of films, or of items where the data are of another kind."""

from __future__ import annotations

from functools import cache
from typing import Any

from xattn.app import state
from xattn.i18n import keys
from xattn.i18n import t as plain

__all__ = ["t"]


def t(key: str, /, lang: str = "en", **values: Any) -> str:
    """The text of `key` as `xattn.i18n.t` gives it; where no films are shown, its version for any items, if it has one.

    >>> t("recommendations.film")
    'film'
    """
    other = f"other.{key}"
    return plain(other if other in _others() and state.scenario() != "films" else key, lang, **values)


@cache
def _others() -> frozenset[str]:
    return frozenset(key for key in keys() if key.startswith("other."))
