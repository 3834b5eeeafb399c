"""Titles as people say them: a catalogue sorts "Matrix, The"; a sentence says "The Matrix".

One rule for all that is read: sentences, cards, charts' words. Tables that list the data keep what the data say.
"""

from __future__ import annotations

import re

__all__ = ["brief", "natural"]

LONGEST = 400  # characters; what is longer is no title, and is left as it is
ARTICLES = "The|An|A|La|Le|Les|L'|Il|El|Los|Las|Der|Die|Das"  # as catalogues sort them behind
SORTED = re.compile(rf"^(?P<head>[^()]+), (?P<article>{ARTICLES})(?P<rest> \(.*)?$")
INSIDE = re.compile(rf"\((?P<head>[^(),]+), (?P<article>{ARTICLES})\)")
ALSO = re.compile(r" \((?:a\.k\.a\.|aka) [^()]*\)")  # another name of the same thing


def natural(title: str) -> str:
    """A title as it is said: its article in front, and without what else it is known as.

    >>> natural("Matrix, The"), natural("Seven (a.k.a. Se7en)"), natural("City of Lost Children, The (Cité, La)")
    ('The Matrix', 'Seven', 'The City of Lost Children (La Cité)')
    >>> natural("Ran"), natural("Godfather, The: Part II"), natural("(500) Days of Summer")
    ('Ran', 'Godfather, The: Part II', '(500) Days of Summer')
    """
    if len(title) > LONGEST:
        return title
    said = ALSO.sub("", title)
    if found := SORTED.match(said):
        said = _fronted(found) + (found["rest"] or "")
    return INSIDE.sub(lambda inner: f"({_fronted(inner)})", said) or title


def brief(title: str) -> str:
    """The same for little room: without what stands in brackets behind it.

    >>> brief("Amelie (Fabuleux destin d'Amélie Poulain, Le)"), brief("(500) Days of Summer")
    ('Amelie', '(500) Days of Summer')
    """
    return natural(title).partition(" (")[0]


def _fronted(found: re.Match[str]) -> str:
    """The article, then the rest; an elided one stands close to it."""
    between = "" if found["article"].endswith("'") else " "
    return f"{found['article']}{between}{found['head']}"
