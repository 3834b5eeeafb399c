"""What is said beside the picture, in human units: shares of what speaks for an item, places, stars.

Titles are put in as they are: the picture shows every text as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xattn.app.picture.flows import speaks_for
from xattn.app.words import t
from xattn.data.scale import Scale
from xattn.explain import Ledger
from xattn.i18n.numbers import figure, percent, place

__all__ = ["Reasons", "own_rating", "reasons", "said_of", "without_words"]

REASONS = 3  # named; the others are "the rest"
CARRIES = 0.75  # of what speaks for an item: so much is carried by as few as it takes
MOST_STARS = 5
SHORT = 60  # characters of a title in a sentence


class Reasons(NamedTuple):
    """What speaks for an item and against it, as shares of all that speaks for it; events by their positions."""

    first: tuple[tuple[int, float], ...]  # (position, share) of the largest, at most three
    rest: float  # share of all others that speak for it
    against: float  # share of all that speaks against it: 0 or less
    base: float  # share of the base


def reasons(why: Ledger) -> Reasons | None:
    """None where nothing speaks for the item, so that there are no shares."""
    size = speaks_for(why)
    if size <= 0:
        return None
    amounts = why.rows.contribution / size
    first = [(int(p), float(x)) for p, x in zip(why.rows.position, amounts, strict=True) if x > 0][:REASONS]
    rest = float(amounts[amounts > 0].sum()) - sum(share for _, share in first)
    against = float(amounts[amounts < 0].sum()) + min(why.base, 0.0) / size
    return Reasons(tuple(first), max(rest, 0.0), against, max(why.base, 0.0) / size)


def own_rating(rating: float, scale: Scale | None) -> str:
    """The person's own rating: stars where there are at most five of them; "" where there is none.

    >>> own_rating(4.5, Scale(0.5, 5)), own_rating(8, Scale(1, 10)), own_rating(float("nan"), Scale(1, 5))
    ('★ 4.5', '8 / 10', '')
    """
    if scale is None or not np.isfinite(rating):
        return ""
    if scale.kind == "amount":
        return f"× {figure(float(rating))}"
    if scale.high <= MOST_STARS:
        return f"★ {figure(float(rating))}"
    return f"{figure(float(rating))} / {figure(scale.high)}"


def said_of(why: Ledger, language: str, ratings: dict[int, str]) -> tuple[str, str]:
    """(the sentence above the picture, the line below it) when an item is lit. An item that is not in the list is
    never said to be here because of something."""
    title, found = short(why.title), reasons(why)
    listed = why.rank is not None and why.rank <= why.k
    if why.rank is None:
        ahead = t("picture.no_place", language, title=title)
    elif not listed:
        ahead = t("picture.outside", language, title=title, place=place(why.rank, language))
    else:
        ahead = ""
    if found is None or not (found.first or found.base > 0):
        return ahead or t("picture.nothing", language, title=title), ""
    if listed:
        ahead = _carried(title, found, language)
    return ahead, _named(why, found, ratings, language)


def _carried(title: str, found: Reasons, language: str) -> str:
    """Which few carry an item of the list."""
    if not found.first or found.base > 0.5:
        return t("picture.popular", language, title=title, share=percent(found.base))
    carried = np.cumsum([share for _, share in found.first])
    few = int(np.searchsorted(carried, CARRIES)) + 1
    few = min(few, len(carried))
    key = {1: "picture.carry_1", 2: "picture.carry_2", 3: "picture.carry_3"}[few]
    return t(key, language, title=title, share=percent(float(carried[few - 1])))


def _named(why: Ledger, found: Reasons, ratings: dict[int, str], language: str) -> str:
    """Three reasons with the person's own ratings, the rest, what is popularity, what speaks against it."""
    parts = []
    for position, share in found.first:
        name = short(why.title_at(position))
        rating = ratings.get(position, "")
        parts.append(
            t("picture.reason", language, title=name, rating=f" {rating}" if rating else "", share=percent(share))
        )
    for key, share in (("rest", found.rest), ("base", found.base), ("against", found.against)):
        if round(100 * abs(share)):
            parts.append(t(f"picture.said_{key}", language, share=percent(share)))
    return " · ".join(parts)


def without_words(title: str, ranks: Sequence[tuple[str, int, int]], k: int, language: str) -> str:
    """What leaving an event out does to the list: (title, place now, place without it) of its items; 0 is no place."""
    moved = [(name, now, then) for name, now, then in ranks if now and then and now != then]
    gone = [one for one in moved if one[1] <= k < one[2]]
    if not moved:
        return t("picture.without_nothing", language, title=short(title))
    name, now, then = max(moved, key=lambda one: (one[2] - one[1], -one[1]))
    facts = {"name": short(name), "now": place(now, language), "then": place(then, language), "n": len(moved)}
    key = "picture.without_gone" if gone else "picture.without"
    return t(key, language, title=short(title), gone=len(gone), **facts)


def short(title: str) -> str:
    """A title that leaves room for the sentence around it."""
    plain = " ".join(str(title)[: 8 * SHORT].split())
    return plain if len(plain) <= SHORT else plain[: SHORT - 1] + "…"
