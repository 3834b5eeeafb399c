"""Which column of a foreign table holds what: decided from its name and its values together, with the reason.

A name suggests roles (`words`), the values say which of them can be (`profile`); the strongest pair wins. Where names
say nothing, the shape of the table does: the first two columns that can be ids, the column that holds moments, small
numbers in steps of a half. What was told by shape alone, or nearly as well by another column, is unsure and said so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xattn.data.reading.moments import UNITS
from xattn.data.reading.profile import Profile
from xattn.data.reading.table import Table
from xattn.data.reading.words import Hint, hints_of, plain
from xattn.errors import check_choice, shown

__all__ = ["EVENT_ROLES", "Roles", "Use", "date_parts", "event_roles", "item_roles", "shown_names"]

EVENT_ROLES = ("user", "item", "time", "rating", "amount", "kind", "title", "clock", "order")
ITEM_ROLES = ("item", "title")
EXAMPLES = {"user": "user_id", "item": "item_id"}
CLOSE = 0.06  # another column that suits nearly as well makes a choice unsure
MOST_KINDS = 50
VERBS = frozenset(
    "view views click clicks cart carts addtocart add_to_cart order orders buy purchase transaction pv fav play skip like "
    "dislike share rent read favorite remove_from_cart return save bookmark listen watch rate comment".split()
)


class Use(NamedTuple):
    """What one column was taken for: `role` ("" where it is left unused), why, and whether that is sure.

    `why` is one of given, layout, name, name+values, values, shape; `how` adds what the values look like.
    """

    column: str
    role: str
    why: str = ""
    how: str = ""
    sure: bool = True
    samples: tuple[str, ...] = ()


class Roles(NamedTuple):
    """Role → position of its column; and what is said of every column, in their order."""

    place: dict[str, int]
    uses: tuple[Use, ...]

    def without(self, role: str, why: str) -> Roles:
        """The same with a role taken back, for a reason."""
        place = {name: at for name, at in self.place.items() if name != role}
        uses = tuple(use._replace(role="", why=why, how="", sure=True) if use.role == role else use for use in self.uses)
        return Roles(place, uses)


def shown_names(names: Sequence[str], limit: int = 6) -> str:
    """A list of column names as an error sentence quotes it, cut after `limit` names."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shown(name, limit=30) for name in names[:limit]) + more


class _Choice:
    """The decision in the making: roles given, then by name and values, then by shape."""

    def __init__(self, table: Table, roles: Sequence[str], given: Mapping[str, Any]) -> None:
        self.table, self.roles = table, roles
        self.profiles = [Profile(column, len(table.columns)) for column in table.columns]
        self.hints = [hints_of(name) if table.facts.header or table.roles else () for name in table.names]
        self.place: dict[str, int] = {}
        self.told: dict[int, tuple[str, str, bool]] = {}
        self.refused: set[str] = set()
        for role, name in given.items():
            check_choice("columns", role, roles)
            if name is None or name == "":
                self.refused.add(role)
            else:
                self.take(role, self._named(role, name), "given")
        for role, at in (table.roles or {}).items():
            if role in roles and self.free(role) and at not in self.told:
                self.take(role, at, "layout")

    def _named(self, role: str, name: Any) -> int:
        """The position of a column that is named by its header, or by its number from 1."""
        places = [place for place, own in enumerate(self.table.names) if own == str(name)]
        places = places or [place for place, own in enumerate(self.table.names) if own.strip() == str(name).strip()]
        if not places and str(name).isdigit() and 1 <= int(name) <= len(self.table.names):
            places = [int(name) - 1]
        if not places:
            raise self.table.source.error(f"the {role} column must be one of its columns", shown(str(name)))
        if len(places) > 1:
            raise self.table.source.error("every column must have a name of its own", f"two columns named {shown(str(name))}")
        return places[0]

    def take(self, role: str, at: int, why: str, sure: bool = True) -> None:
        self.place[role] = at
        profile = self.profiles[at]
        how = profile.time if role == "time" else ""
        if role == "time" and not how and profile.numeric:
            how = "number"
        self.told[at] = (why, how, sure)

    def free(self, role: str) -> bool:
        return role in self.roles and role not in self.place and role not in self.refused

    def strength(self, role: str, at: int) -> float:
        return max((hint.strength for hint in self.hints[at] if hint.role == role), default=0.0)

    def by_name(self, role: str) -> None:
        """The column whose name suggests a role most and whose values can be that."""
        if not self.free(role):
            return
        ranked = []
        for at, hints in enumerate(self.hints):
            if at in self.told or not any(hint.role == role for hint in hints):
                continue
            score = self.strength(role, at) * _fit(role, self.profiles[at], self.strength(role, at))
            if score > 0.1:
                ranked.append((score, -at))
        if not ranked:
            return
        ranked.sort(reverse=True)
        if ranked[0][0] < 0.5 and role == "item":  # weak ones: what takes more values names more things
            ranked.sort(key=lambda pair: -self.profiles[-pair[1]].distinct)
        score, at = ranked[0][0], -ranked[0][1]
        close = [-other for value, other in ranked[1:] if score - value < CLOSE]
        twins = [other for other in close if plain(self.table.names[other]) == plain(self.table.names[at])]
        if twins and role in ("user", "item", "rating", "time"):
            names = [self.table.names[place] for place in (at, *twins)]
            if len(set(names)) < len(names):
                got = f"two columns named {shown(names[0])}"
                raise self.table.source.error("every column must have a name of its own", got)
            raise self.table.source.error(f"one column must hold the {role}", shown_names(names))
        sure = score >= 0.5 and not (close and role in ("user", "item", "rating"))
        self.take(role, at, "name+values" if role == "time" else "name", sure)

    def uses(self) -> tuple[Use, ...]:
        at_role = {at: role for role, at in self.place.items()}
        out = []
        for at, name in enumerate(self.table.names):
            why, how, sure = self.told.get(at, ("", "", True))
            samples = tuple(text[:40] for text in dict.fromkeys(self.profiles[at].texts[:20]))[:3]
            out.append(Use(name, at_role.get(at, ""), why, how, sure, samples))
        return tuple(out)

    def result(self) -> Roles:
        return Roles({role: self.place[role] for role in self.roles if role in self.place}, self.uses())


def _fit(role: str, seen: Profile, strength: float) -> float:
    """How well values suit a role, from 0 (they cannot be that) to 1."""
    if role in ("user", "item"):
        if seen.texts and not seen.can_be_id:
            return 0.3 if strength >= 0.9 and (seen.numeric == 1.0 or seen.time == "") else 0.0
        return 1.0 if seen.repeated or strength >= 0.9 or seen.rows <= 20 else 0.5
    if role == "rating":
        enough = seen.opinions >= (0.5 if strength >= 0.9 else 0.95)
        return 1.0 if enough and seen.filled > 0.02 and not seen.looks_like_places else 0.4 * (strength >= 0.95)
    if role == "amount":
        return 1.0 if seen.numeric > 0.95 and not seen.looks_like_places else 0.0
    if role == "time":
        if seen.time and seen.time != "clock":
            return 1.0
        if seen.time == "clock":
            return 0.0
        if seen.numeric > 0.95:
            return 0.7 if strength > 0.6 and not seen.fractional else 0.2
        return 0.6 if strength >= 0.9 else 0.0
    if role == "clock":
        return 1.0 if seen.time == "clock" else 0.0
    if role == "kind":
        return 1.0 if seen.distinct <= MOST_KINDS and not seen.fractional and seen.time == "" else 0.0
    if role == "order":
        return 1.0 if seen.whole and seen.numeric == 1.0 else 0.0
    return 1.0 if not seen.typed_number or strength > 0.6 else 0.0


def event_roles(table: Table, given: Mapping[str, Any] | None = None, required: Sequence[str] = ("user", "item")) -> Roles:
    """The roles of a table of events. Raises DataError where a required one cannot be told.

    >>> import pyarrow as pa
    >>> from xattn.data.reading.table import Facts
    >>> from xattn.data.source import Source
    >>> table = Table.of_columns({"visitorid": pa.array(["a"]), "itemid": pa.array(["7"])}, Source("x"), "x", Facts("CSV"))
    >>> event_roles(table).place
    {'user': 0, 'item': 1}
    """
    choice = _Choice(table, EVENT_ROLES, given or {})
    named = any(hint.strength > 0.35 for hints in choice.hints for hint in hints if hint.role in ("user", "item"))
    _date_parts(choice)
    if table.facts.header and (named or choice.place):
        for role in EVENT_ROLES:
            if role != "order":
                choice.by_name(role)
        _weak_ids(choice, required)
    if any(choice.free(role) for role in required) and not (named and table.facts.header):
        _by_shape(choice)
    _times(choice)
    if "rating" in choice.place and "amount" in choice.place and choice.told[choice.place["amount"]][0] != "given":
        choice.told.pop(choice.place.pop("amount"))
    _require(choice, required)
    return choice.result()


def _weak_ids(choice: _Choice, required: Sequence[str]) -> None:
    """A column of ids that no name claims, where a user or an item is still missing; then a title in an item's place."""
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


def _by_shape(choice: _Choice) -> None:
    """Roles from the order and the values of the columns alone."""
    seen = {at: profile for at, profile in enumerate(choice.profiles) if at not in choice.told}
    rows = max((profile.rows for profile in seen.values()), default=0)
    moments = [at for at, one in seen.items() if one.time and one.time != "clock"]
    constant = [at for at, one in seen.items() if rows > 20 and one.distinct <= 1]
    kinds = [at for at, one in seen.items() if at not in moments and one.numeric < 0.5 and _are_kinds(one)]
    left = [at for at in seen if at not in (*moments, *constant, *kinds) and not seen[at].looks_like_places]
    ids = [at for at in left if seen[at].can_be_id and seen[at].filled > 0.5]
    for role in ("user", "item"):
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
    numbers = [at for at in numbers if seen[at].fractional or (seen[at].repeated and seen[at].distinct < rows / 3)]
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


def _date_parts(choice: _Choice) -> None:
    """Year, month and day in columns of their own are a time, where no column holds all of it."""
    parts = date_parts(choice.table.names)
    whole = any(seen.time in ("typed", "date", *UNITS) for seen in choice.profiles)
    if parts and not whole and choice.free("time"):
        choice.take("time", parts[0], "name")
        choice.told[parts[0]] = ("name", "parts", True)


def _times(choice: _Choice) -> None:
    """A time that no name gives: a column of dates, or a running number."""
    if choice.free("time"):
        dated = [
            at
            for at, seen in enumerate(choice.profiles)
            if at not in choice.told and seen.time in ("typed", "date") and not seen.typed_number and not choice.hints[at]
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


def _require(choice: _Choice, required: Sequence[str]) -> None:
    missing = [role for role in required if role not in choice.place]
    if not missing:
        return
    need = " and ".join(f"{'an' if role == 'item' else 'a'} {role} column" for role in required)
    example = ",".join(EXAMPLES[role] for role in required)
    names = choice.table.names
    got = f"the column{'s' * (len(names) != 1)} {shown_names(names)}" if names else "no columns"
    settle = ", ".join(f"{role}=…" for role in missing)
    raise choice.table.source.error(
        f"it must have a header that names {need} (such as {example}), or `columns` must name them ({settle})", got
    )


def item_roles(table: Table, given: Mapping[str, Any] | None = None) -> Roles:
    """The roles of a table of items: the id, and the title; all other columns are features."""
    choice = _Choice(table, ITEM_ROLES, given or {})
    if table.facts.header or table.roles:
        for at, name in enumerate(table.names):  # a table of items may call its key just "id"
            if plain(name) in ("id", "key", "编号") and choice.free("item"):
                choice.hints[at] = (Hint("item", 1.02),)
        first = choice.hints[0] if choice.hints else ()
        if any(hint.role == "item" for hint in first):  # the key stands first: book_id, goodreads_book_id, isbn
            choice.hints[0] = tuple(hint._replace(strength=hint.strength + 0.1) for hint in first)
        unique = {at for at, seen in enumerate(choice.profiles) if not seen.repeated}
        for at, hints in enumerate(choice.hints):
            if at not in unique:
                choice.hints[at] = tuple(h._replace(strength=h.strength - 0.3) if h.role == "item" else h for h in hints)
        for role in ITEM_ROLES:
            choice.by_name(role)
    if choice.free("item"):
        able = [at for at, seen in enumerate(choice.profiles) if seen.can_be_id and not seen.repeated and at not in choice.told]
        if able and (not table.facts.header or len(able) == 1 or able[0] == 0):
            choice.take("item", able[0], "shape", sure=False)
    if choice.free("title") and not table.facts.header:
        words = [at for at, one in enumerate(choice.profiles) if at not in choice.told and one.numeric < 0.5]
        if words:
            choice.take("title", words[0], "shape", sure=False)
    _require(choice, ("item",))
    return choice.result()
