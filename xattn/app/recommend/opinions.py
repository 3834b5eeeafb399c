"""What a visitor said of recommended items, and what the model is asked because of it.

    more   the item becomes the newest event, liked:     what goes with it rises
    less   the item becomes the newest event, disliked:  what goes with it falls
    hide   the item is left out of the list; nothing else changes

Each is an honest change of the question, not of the model: the ledger of every item still adds up, with the opinion as
one more event in it. The text of a link: more_260~less_1196~hide_589, oldest first.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from xattn.data import Interactions
from xattn.errors import refuse
from xattn.model.strength import RatingScale

__all__ = ["KINDS", "MOST", "Opinions", "added", "ends", "events", "hidden", "read", "write"]

KINDS = ("more", "less", "hide")
MOST = 40
Opinions = tuple[tuple[str, str], ...]  # (item id, kind), oldest first


def added(opinions: Opinions, item: str, kind: str) -> Opinions:
    """The opinions with this one as the newest; an item has one opinion.

    >>> added((("a", "more"), ("b", "hide")), "a", "less")
    (('b', 'hide'), ('a', 'less'))
    """
    return (*(pair for pair in opinions if pair[0] != item), (item, kind))[-MOST:]


def hidden(opinions: Opinions) -> tuple[str, ...]:
    """Items that are only to be left out."""
    return tuple(item for item, kind in opinions if kind == "hide")


def ends(data: Interactions) -> tuple[float | None, float | None]:
    """The ratings that stand for a dislike and for a like; None where the data has no scale to dislike on."""
    scale = RatingScale.of(data.scale)
    return (scale.low, scale.high) if scale.low < scale.high else (None, None)


def events(data: Interactions, opinions: Opinions) -> list[tuple[str, float | None]]:
    """The liked and disliked items as (id, rating), in the order in which they follow the history."""
    low, high = ends(data)
    return [(item, high if kind == "more" else low) for item, kind in opinions if kind != "hide"]


def write(opinions: Opinions) -> str:
    """The opinions as the text of a link.

    >>> write((("260", "more"), ("a~b", "hide")))
    'more_260~hide_a%7Eb'
    """
    return "~".join(f"{kind}_{quote(item, safe='').replace('~', '%7E')}" for item, kind in opinions)


def read(text: str) -> Opinions:
    """What `write` wrote; whether the items exist is for the data to say. Raises InputError for anything else.

    >>> read("more_260~hide_a%7Eb")
    (('260', 'more'), ('a~b', 'hide'))
    """
    if not text:
        return ()
    pairs = []
    for part in text.split("~"):
        kind, mark, item = part.partition("_")
        if kind not in KINDS or not mark or not item:
            refuse("link_opinion", got=part)
        pairs.append((unquote(item, errors="replace"), kind))
    if len(pairs) > MOST or len({item for item, _ in pairs}) < len(pairs):
        refuse("link_opinions", most=MOST)
    return tuple(pairs)
