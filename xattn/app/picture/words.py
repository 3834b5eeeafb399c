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
from xattn.explain.question import TERMS
from xattn.i18n.numbers import figure, percent, place
from xattn.i18n.titles import natural

__all__ = [
    "CHANGES",
    "Reasons",
    "base_key",
    "few_carry",
    "is_quiet",
    "own_rating",
    "reasons",
    "said_of",
    "without_words",
]

CHANGES = ("arrival", "average")  # amounts that are what events changed, and not what they are a part of
CARRIED = {  # what one, two or three events are to an item, by what the amounts are
    TERMS: ("picture.carry_1", "picture.carry_2", "picture.carry_3"),
    "arrival": ("picture.arrival_1", "picture.arrival_2", "picture.arrival_3"),
    "average": ("picture.average_1", "picture.average_2", "picture.average_3"),
}
REASONS = 3  # named; the others are "the rest"
CARRIES = 0.75  # of what speaks for an item: so much is carried by as few as it takes
MOST_STARS = 5
MUCH, LITTLE = 0.1, 0.25  # of all attention; of what a head's attention would let one expect
SHORT, SHORTER = 60, 40  # characters of a title in a sentence; of two titles in a sentence that keeps its height


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


def is_quiet(attention: float, share: float) -> bool:
    """A head that gets much attention and gives little: shares of all attention, and of all contributions in size.

    >>> is_quiet(0.24, 0.0007), is_quiet(0.24, 0.2), is_quiet(0.05, 0.001)
    (True, False, False)
    """
    return attention >= MUCH and share < LITTLE * attention


def own_rating(rating: float, scale: Scale | None) -> str:
    """The person's own rating: stars where there are at most five of them; "" where there is none.

    >>> own_rating(4.5, Scale(0.5, 5)), own_rating(8, Scale(1, 10)), own_rating(float("nan"), Scale(1, 5))
    ('★ 4.5', '8 / 10', '')
    """
    if scale is None or not np.isfinite(rating):
        return ""
    if scale.kind == "dwell":
        return f"⏱ {figure(float(rating))}"
    if scale.kind == "progress":
        return f"▶ {percent(float(rating) / scale.high)}"
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
        ahead = _carried(title, found, why.amounts, language)
    return ahead, _named(why, found, ratings, language)


def base_key(amounts: str) -> str:
    """What the base of ledgers of these amounts is called: that of a model from elsewhere need not be popularity."""
    return "picture.base" if amounts == TERMS else "chart.base_foreign"


def few_carry(found: Reasons) -> tuple[int, float]:
    """How few of the first reasons carry an item (0: none is more than its base), and their share."""
    if not found.first or found.base > 0.5:
        return 0, found.base
    carried = np.cumsum([share for _, share in found.first])
    few = min(int(np.searchsorted(carried, CARRIES)) + 1, len(carried))
    return few, float(carried[few - 1])


def _carried(title: str, found: Reasons, amounts: str, language: str) -> str:
    """Which few carry an item of the list. What an event changed on arrival, or on average over orders, carries
    nothing, and is told as what it is."""
    few, share = few_carry(found)
    if not few:
        key = "picture.popular" if amounts == TERMS else "picture.popular_foreign"
    else:
        key = CARRIED.get(amounts, CARRIED[TERMS])[few - 1]
    return t(key, language, title=title, share=percent(share))


def _named(why: Ledger, found: Reasons, ratings: dict[int, str], language: str) -> str:
    """Three reasons with the person's own ratings, the rest, what is popularity, what speaks against it."""
    parts = []
    for position, share in found.first:
        name = short(why.title_at(position))
        rating = ratings.get(position, "")
        parts.append(
            t("picture.reason", language, title=name, rating=f" {rating}" if rating else "", share=percent(share))
        )
    base = "base" if why.amounts == TERMS else "base_foreign"
    for key, share in (("rest", found.rest), (base, found.base), ("against", found.against)):
        if round(100 * abs(share)):
            parts.append(t(f"picture.said_{key}", language, share=percent(share)))
    return " · ".join(parts)


def without_words(title: str, ranks: Sequence[tuple[str, int, int]], k: int, language: str) -> str:
    """What leaving an event out does to the list: (title, place now, place without it) of its items; 0 is no place."""
    moved = [(name, now, then) for name, now, then in ranks if now and then and now != then]
    gone = [one for one in moved if one[1] <= k < one[2]]
    if not moved:
        return t("picture.without_nothing", language, title=short(title, SHORTER))
    name, now, then = max(moved, key=lambda one: (one[2] - one[1], -one[1]))
    facts = {"name": short(name, SHORTER), "now": place(now, language), "then": place(then, language), "n": len(moved)}
    key = "picture.without_gone" if gone else "picture.without"
    return t(key, language, title=short(title, SHORTER), gone=len(gone), **facts)


def short(title: str, most: int = SHORT) -> str:
    """A title as it is said, which leaves room for the sentence around it."""
    plain = " ".join(natural(str(title)[: 8 * SHORT]).split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"
