"""Films that somebody picked, with stars: what stars mean, and the text of a link.

Stars mean one thing on every page: one star is the lowest rating of the data, five the highest, and the others stand
evenly between. So one or two are a dislike, three weigh neither way, four or five are a like. Data without a
scale of opinions know no stars: there a pick is an event, and no more is said of it.

The text of a link: 1*260_5~1196_4 is item 260 with five stars, then 1196 with four, oldest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from xattn.data import Interactions
from xattn.errors import check_whole, refuse
from xattn.model.strength import RatingScale

__all__ = ["MOST_PICKS", "MOST_STARS", "Picks", "events", "has_stars", "known", "of_thumbs", "rating", "read", "write"]

Picks = tuple[tuple[str, int], ...]
VERSION = "1"
MOST_PICKS = 200
MOST_STARS = 5
MOST_CHARACTERS = 8000


def has_stars(data: Interactions) -> bool:
    """The data have a scale of opinions, stated or known, so that stars say something."""
    scale = RatingScale.of(data.scale)
    return scale.low < scale.high


def rating(data: Interactions, stars: int) -> float | None:
    """The rating that so many stars stand for; None where the data have no scale of opinions.

    >>> from xattn.data import load_dataset
    >>> [rating(load_dataset("movielens-small"), stars) for stars in (1, 3, 5)]
    [0.5, 2.75, 5.0]
    """
    low, high = RatingScale.of(data.scale)[:2]
    return low + (high - low) * (stars - 1) / (MOST_STARS - 1) if low < high else None


def events(data: Interactions, picks: Picks) -> list[tuple[str, float | None]]:
    """The picks as (id, rating), oldest first: what a model is asked."""
    return [(item, rating(data, stars)) for item, stars in picks]


def of_thumbs(liked: Iterable[str], disliked: Iterable[str]) -> Picks:
    """Picks from what was liked and what was not: the newest is the last one that was liked.

    >>> of_thumbs(["a", "b"], ["c", "b"])
    (('c', 1), ('a', 5), ('b', 5))
    """
    up = tuple(dict.fromkeys(liked))
    down = tuple(item for item in dict.fromkeys(disliked) if item not in up)
    return (*((item, 1) for item in down), *((item, MOST_STARS) for item in up))


def write(picks: Picks) -> str:
    """The link of some picks.

    >>> write((("260", 5), ("a~b", 1)))
    '1*260_5~a%7Eb_1'
    """
    return f"{VERSION}*" + "~".join(f"{quote(item, safe='').replace('~', '%7E')}_{stars}" for item, stars in picks)


def read(link: str) -> Picks:
    """The picks that `write` wrote; whether the items exist is for the data to say.

    Raises InputError for another version, too long a text, too many picks, an item twice, or stars that are not 1 to 5.

    >>> read("1*260_5~a%7Eb_1")
    (('260', 5), ('a~b', 1))
    """
    version, _, text = link.partition("*")
    if len(link) > MOST_CHARACTERS:
        refuse("text_long", subject="a_link", most=MOST_CHARACTERS, got=len(link))
    if version != VERSION:
        refuse("link_version", wanted=VERSION, got=version)
    parts = text.split("~")
    check_whole("number of films in the link", len(parts), low=1, high=MOST_PICKS)
    picks = tuple(map(_pick, parts))
    if len({item for item, _ in picks}) < len(picks):
        refuse("link_film_twice")
    return picks


def known(data: Interactions, link: str) -> Picks:
    """The same, of items that the data have. Raises InputError for any other text."""
    chosen = read(link)
    for item, _ in chosen:
        data.item_row(item)
    return chosen


def _pick(part: str) -> tuple[str, int]:
    item, _, stars = part.rpartition("_")
    if not item or not re.fullmatch("[0-9]{1,3}", stars):
        refuse("link_film", got=part)
    return unquote(item, errors="replace"), check_whole("stars", int(stars), low=1, high=MOST_STARS)
