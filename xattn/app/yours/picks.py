"""Picked films as the text of a link: 1*260_5~1196_4 is item 260 with five stars, then 1196 with four, oldest first."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

from xattn.errors import check_whole, refuse

__all__ = ["MOST_PICKS", "MOST_STARS", "Picks", "read", "write"]

Picks = tuple[tuple[str, int], ...]
VERSION = "1"
MOST_PICKS = 60
MOST_STARS = 5
MOST_CHARACTERS = 4000


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


def _pick(part: str) -> tuple[str, int]:
    item, _, stars = part.rpartition("_")
    if not item or not re.fullmatch("[0-9]{1,3}", stars):
        refuse("link_film", got=part)
    return unquote(item, errors="replace"), check_whole("stars", int(stars), low=1, high=MOST_STARS)
