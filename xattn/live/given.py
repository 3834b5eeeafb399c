"""What people send: an event, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from xattn.data import Interactions
from xattn.errors import InputError, check_id, check_moment, check_number, check_whole, refuse
from xattn.requests.plain import Given, Id, parsed

__all__ = ["LONGEST_ID", "Arrival", "Event", "Refused", "check_past", "check_short", "event_of"]

LONGEST_ID = 200  # characters
DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Event(Given):
    """An event as it is sent. `id` is the sender's: an event that is sent again under its id changes nothing.

    `value` is an opinion or an amount, as the data's ratings are; `time` when it happened (ISO 8601, or seconds since
    1970), left out: when it arrived; `list_id` and `position` say which list it came from.
    """

    id: Id
    user: Id
    item: Id
    type: str | None = None
    value: float | None = None
    time: str | float | None = None
    list_id: str | None = None
    position: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("id", "user", "item"):
            check_short(name, getattr(self, name))
        for name in ("type", "list_id"):
            if getattr(self, name) is not None:
                check_short(name, check_id(name, getattr(self, name)))
        if self.time is not None:
            object.__setattr__(self, "time", check_moment("time", self.time))
        if self.position is not None:
            check_whole("position", self.position, low=1, high=2**31 - 1)

    def check(self, data: Interactions) -> None:
        """Raise InputError where the data cannot hold the event."""
        data.item_row(self.item)
        low, high = (0.0, 0.0) if data.scale is None else data.scale.span
        if self.value is not None and high > low:
            check_number("value", self.value, low=low, high=high)

    def row(self) -> dict[str, Any]:
        """The event as a row of its table."""
        return {
            "id": self.id,
            "user": self.user,
            "item": self.item,
            "type": self.type,
            "value": self.value,
            "time": self.time,
            "list_id": self.list_id,
            "position": self.position,
        }


class Refused(NamedTuple):
    """An event that was not taken: its place among those that were sent, and why."""

    at: int
    problem: InputError


class Arrival(NamedTuple):
    """What became of events: how many are new, how many had been here before, and which were refused."""

    accepted: int
    repeated: int
    refused: tuple[Refused, ...]


def event_of(document: Any, data: Interactions, at: int, now: float) -> Event:
    """The event that a document holds, which comes `now`. Raises InputError, which names the place of the fault."""
    event = document if isinstance(document, Event) else parsed(Event, _flat(document), f"events[{at}]")
    event.check(data)
    check_past(event.time, now)
    return event


def _flat(document: Any) -> Any:
    return dict(document) if isinstance(document, Mapping) else document


def check_past(time: str | float | None, now: float) -> None:
    """Refuse a moment that is yet to come: one sender's clock must not decide how old all else is. A day is for clocks
    that go wrong a little, and for times of day without their zone."""
    if time is not None and float(time) > now + DAY:
        refuse("future", name="time", got=float(time))


def check_short(name: str, value: str, most: int = LONGEST_ID) -> str:
    """`value` if it is no longer than an id may be."""
    if len(value) > most:
        refuse("long_id", name=name, most=most, got=len(value))
    return value
