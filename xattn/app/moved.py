"""Addresses of before: which page an old link means, now that pages stand elsewhere.

    /?user=42&item=260      the recommendations stood at the root, with whatever they were asked   → /recommendations?…
    /behaviour?films=…      picked films stood beside the vectors                                  → /?films=…
    /home                   another name of the root

A server sends a browser there before any page is drawn, so nobody meets the old address again on the way back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qs

from xattn.app.recommend.view import FILMS, PARAMETERS

__all__ = ["HOME", "meant", "redirect"]

ROOT, RECOMMENDATIONS, VECTORS, HOME = "", "recommendations", "behaviour", "home"


def meant(path: str, query: Mapping[str, str | Collection[str]]) -> str | None:
    """The path of the page that an address means; None: the page that it names.

    >>> meant("", {"user": "42"}), meant("behaviour", {"films": "1*260_5"}), meant("", {"films": "1*260_5"})
    ('recommendations', '', None)
    """
    asked = set(query) & set(PARAMETERS)
    if path == ROOT and asked and ("user" in asked or FILMS not in asked):
        return RECOMMENDATIONS
    if path == HOME:
        return RECOMMENDATIONS if asked else ROOT
    return ROOT if path == VECTORS and (FILMS in asked or "films" in query.get("way", ())) else None


def redirect(path: str, query: str) -> str | None:
    """Where a browser is sent that asks for this path and query; None where it is right already.

    >>> redirect("/", "user=42&lang=zh"), redirect("/recommendations", "user=42")
    ('/recommendations?user=42&lang=zh', None)
    """
    to = meant(path.strip("/"), parse_qs(query, keep_blank_values=True))
    return None if to is None else f"/{to}?{query}" if query else f"/{to}"
