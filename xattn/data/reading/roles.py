"""Which column of a foreign table holds what, with the reason: by name and values, else by the shape of the table.

Where names say nothing, the shape does: the first two columns that can be ids, the column that holds moments, small
numbers in steps of a half. What was told by shape alone is unsure, and said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xattn.data.reading.choice import EVENT_ROLES, Choice, Roles
from xattn.data.reading.moments import UNITS
from xattn.data.reading.profile import Profile
from xattn.data.reading.table import Table
from xattn.data.reading.words import VERBS, Hint, plain
from xattn.errors import some_of

__all__ = ["date_parts", "event_roles", "item_roles"]

ITEM_ROLES = ("item", "title")


def event_roles(
    table: Table, given: Mapping[str, Any] | None = None, required: Sequence[str] = ("user", "item")
) -> Roles:
    """The roles of a table of events. Raises DataError where a required one cannot be told.

    >>> import pyarrow as pa
    >>> from xattn.data.reading.table import Facts
    >>> from xattn.data.source import Source
    >>> columns = {"visitorid": pa.array(["a"]), "itemid": pa.array(["7"])}
    >>> table = Table.of_columns(columns, Source("x"), "x", Facts("CSV"))
    >>> event_roles(table).place
    {'user': 0, 'item': 1}
    """
    choice = Choice(table, EVENT_ROLES, given or {})
    named = any(hint.strength > 0.35 for hints in choice.hints for hint in hints if hint.role in ("user", "item"))
    _date_parts(choice)
    if table.facts.header and (named or choice.place):
        for role in EVENT_ROLES:
            if role != "order":
                choice.by_name(role)
        _weak_ids(choice, required)
    if any(choice.free(role) for role in required) and not (named and table.facts.header):
        _by_shape(choice, required)
    _times(choice)
    if "rating" in choice.place and "amount" in choice.place and choice.told[choice.place["amount"]][0] != "given":
        choice.told.pop(choice.place.pop("amount"))
    _require(choice, required)
    return choice.result()


def _weak_ids(choice: Choice, required: Sequence[str]) -> None:
    """A column of ids that no name claims, where a user or an item is missing; then a title in an item's place."""
    for role in ("user", "item"):
        if role not in required or not choice.free(role):
            continue
        able = [
            at
            for at, seen in enumerate(choice.profiles)
            if at not in choice.told and seen.can_be_id and seen.repeated and not _claimed(choice.hints[at], role)
        ]
        ided = [at for at in able if any(hint.role == "item" for hint in choice.hints[at])] if role == "user" else []
        if ided or (role == "item" and len(able) == 1):
            choice.take(role, (ided or able)[0], "values", sure=False)
        elif role == "item" and "title" in choice.place and choice.profiles[choice.place["title"]].can_be_id:
            choice.take(role, choice.place.pop("title"), "values", sure=False)


def _claimed(hints: tuple[Hint, ...], role: str) -> bool:
    return any(hint.role != role and hint.strength > 0.55 for hint in hints)


def _by_shape(choice: Choice, required: Sequence[str]) -> None:
    """Roles from the order and the values of the columns alone; names that say nothing must not hide one-offs."""
    seen = {at: profile for at, profile in enumerate(choice.profiles) if at not in choice.told}
    rows = max((profile.rows for profile in seen.values()), default=0)
    moments = [at for at, one in seen.items() if one.time and one.time != "clock"]
    constant = [at for at, one in seen.items() if rows > 20 and one.distinct <= 1]
    kinds = [at for at, one in seen.items() if at not in moments and one.numeric < 0.5 and _are_kinds(one)]
    left = [at for at in seen if at not in (*moments, *constant, *kinds) and not seen[at].looks_like_places]
    ids = [at for at in left if seen[at].can_be_id and seen[at].filled > 0.5]
    if choice.table.facts.header and not all(seen[at].repeated for at in ids[:2]):
        return
    tell_tale = bool(moments or kinds) or any(seen[at].repeated for at in ids[:2])
    if "user" in required and not tell_tale:  # no user or item comes twice: which column is which nobody can tell
        return
    for role in required:
        if choice.free(role) and ids:
            choice.take(role, ids.pop(0), "shape", sure=False)
    last = choice.place.get("item", -1)
    rest = [at for at in left if at not in choice.told and at > last]
    ratings = [at for at in rest if seen[at].looks_like_ratings]
    if choice.free("rating") and ratings:
        choice.take("rating", ratings[0], "shape", sure=False)
    if choice.free("time") and moments:
        choice.take("time", moments[0], "values", sure=len(moments) == 1)
    if choice.free("kind") and kinds:
        choice.take("kind", kinds[0], "shape", sure=False)
    words = [at for at in rest if at not in choice.told and seen[at].numeric < 0.5]
    if choice.free("title") and words:
        choice.take("title", words[0], "shape", sure=False)
    numbers = [at for at in rest if at not in choice.told and seen[at].numeric > 0.95 and not ratings]
    numbers = [
        at
        for at in numbers
        if seen[at].fractional or (seen[at].repeated and (rows <= 20 or seen[at].distinct < rows / 3))
    ]
    if choice.free("amount") and numbers and "rating" not in choice.place and len(numbers) == 1:
        choice.take("amount", numbers[0], "shape", sure=False)


def _are_kinds(seen: Profile) -> bool:
    if {text.casefold() for text in seen.texts} <= VERBS:
        return True
    short = all(len(text) <= 20 for text in seen.texts)
    return len(seen.texts) > 50 and short and 2 <= seen.distinct <= 20


def date_parts(names: Sequence[str]) -> tuple[int, ...]:
    """The positions of columns called year, month and day; none where one is missing."""
    at = {plain(name): place for place, name in reversed(list(enumerate(names)))}
    for three in (("year", "month", "day"), ("年", "月", "日")):
        if all(name in at for name in three):
            return tuple(at[name] for name in three)
    return ()


def _date_parts(choice: Choice) -> None:
    """Year, month and day in columns of their own are a time, where no column holds all of it."""
    parts = date_parts(choice.table.names)
    whole = any(seen.time in ("typed", "date", *UNITS) for seen in choice.profiles)
    if parts and not whole and choice.free("time"):
        choice.take("time", parts[0], "name")
        choice.told[parts[0]] = ("name", "parts", True)


def _times(choice: Choice) -> None:
    """A time that no name gives: a column of dates, or a running number."""
    if choice.free("time"):
        dated = [
            at
            for at, seen in enumerate(choice.profiles)
            if at not in choice.told
            and seen.time in ("typed", "date")
            and not seen.typed_number
            and not choice.hints[at]
        ]
        if len(dated) == 1:
            choice.take("time", dated[0], "values")
        else:
            choice.by_name("order")
            if "order" in choice.place:
                choice.take("time", choice.place.pop("order"), "name", sure=False)
    at = choice.place.get("time")
    if at is not None and choice.profiles[at].time in UNITS and "clock" in choice.place:
        choice.told.pop(choice.place.pop("clock"))
    if at is None and "clock" in choice.place:
        choice.told.pop(choice.place.pop("clock"))


def _require(choice: Choice, required: Sequence[str]) -> None:
    missing = [role for role in required if role not in choice.place]
    if not missing:
        return
    names = choice.table.names
    choice.table.source.refuse(
        "no_header",
        need="need_user_and_item" if "user" in required else "need_item",
        settle=tuple(f"{role}=…" for role in missing),
        found="these_columns" if names else "no_columns",
        n=len(names),
        **some_of(names),
    )


def item_roles(table: Table, given: Mapping[str, Any] | None = None) -> Roles:
    """The roles of a table of items: the id, and the title; all other columns are features."""
    choice = Choice(table, ITEM_ROLES, given or {})
    if table.facts.header or table.roles:
        for at, name in enumerate(table.names):  # a table of items may call its key just "id"
            if plain(name) in ("id", "key", "编号") and choice.free("item"):
                choice.hints[at] = (Hint("item", 1.02),)
        first = choice.hints[0] if choice.hints else ()
        if any(
            hint.role == "item" and hint.strength > 0.4 for hint in first
        ):  # the key stands first: book_id, goodreads_book_id, isbn
            choice.hints[0] = tuple(hint._replace(strength=hint.strength + 0.1) for hint in first)
        unique = {at for at, seen in enumerate(choice.profiles) if not seen.repeated}
        for at, hints in enumerate(choice.hints):
            if at not in unique:
                choice.hints[at] = tuple(
                    h._replace(strength=h.strength - 0.3) if h.role == "item" else h for h in hints
                )
        for role in ITEM_ROLES:
            choice.by_name(role)
    if choice.free("item"):
        able = [
            at
            for at, seen in enumerate(choice.profiles)
            if seen.can_be_id
            and not seen.repeated
            and at not in choice.told
            and not any(hint.role in ("title", "user") for hint in choice.hints[at])
        ]
        if able and (not table.facts.header or len(able) == 1 or able[0] == 0):
            choice.take("item", able[0], "shape", sure=False)
    if choice.free("title") and not table.facts.header:
        words = [at for at, one in enumerate(choice.profiles) if at not in choice.told and one.numeric < 0.5]
        if words:
            choice.take("title", words[0], "shape", sure=False)
    _require(choice, ("item",))
    return choice.result()
