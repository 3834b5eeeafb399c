"""A decision in the making: which column of a table holds what, from names and values together.

A name suggests roles (`words`), the values say which of them can be (`profile`); the strongest pair wins. A choice that
another column suits nearly as well is unsure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xattn.data.reading.profile import Profile
from xattn.data.reading.table import Table
from xattn.data.reading.words import hints_of, plain
from xattn.errors import check_choice, shown, some_of

__all__ = ["EVENT_ROLES", "Choice", "Roles", "Use", "shown_names"]

EVENT_ROLES = ("user", "item", "time", "rating", "amount", "kind", "title", "clock", "order")
CLOSE = 0.06  # another column that suits nearly as well makes a choice unsure
MOST_KINDS = 50


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
        uses = tuple(
            use._replace(role="", why=why, how="", sure=True) if use.role == role else use for use in self.uses
        )
        return Roles(place, uses)


def shown_names(names: Sequence[str], limit: int = 6) -> str:
    """A list of column names as an error sentence quotes it, cut after `limit` names."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(shown(name, limit=30) for name in names[:limit]) + more


class Choice:
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
            self.table.source.refuse("no_such_column", role=f"data.role.{role}", got=str(name))
        if len(places) > 1:
            self.table.source.refuse("two_columns", got=str(name))
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
            if score > 0.1 and ("user" in self.roles or self.strength(role, at) > 0.35):
                ranked.append((score, -at))
        if not ranked:
            return
        ranked.sort(reverse=True)
        if ranked[0][0] < 0.5 and role == "item":  # weak ones: what takes more values names more things
            ranked.sort(key=lambda pair: -self.profiles[-pair[1]].distinct)
        score, at = ranked[0][0], -ranked[0][1]
        close = [-other for value, other in ranked[1:] if score - value < CLOSE]
        others = [-other for _, other in ranked[1:]]
        twins = [other for other in others if plain(self.table.names[other]) == plain(self.table.names[at])]
        if twins and role in ("user", "item", "rating", "time"):
            names = [self.table.names[place] for place in (at, *twins)]
            if len(set(names)) < len(names):
                self.table.source.refuse("two_columns", got=names[0])
            self.table.source.refuse("role_twice", role=f"data.role.{role}", **some_of(names))
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
