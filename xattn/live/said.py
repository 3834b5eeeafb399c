"""What people say of items and reasons: checked, as it is sent. What each does: `xattn.live.person`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from xattn.data import Interactions
from xattn.errors import check_choice, check_id, check_moment, check_named, refuse
from xattn.features import feature_set
from xattn.live.given import check_past, check_short
from xattn.requests.plain import Given, Id, parsed

__all__ = ["KINDS", "Said", "said_of"]

KINDS = ("like", "dislike", "not_interested", "more", "less", "undo")
ABOUT = {  # what each kind may name; of the first group exactly one
    "like": (("item",), ()),
    "dislike": (("item",), ()),
    "not_interested": (("item",), ("event",)),
    "more": (("item", "event", "tag"), ()),
    "less": (("item", "event", "tag"), ()),
    "undo": (("undoes",), ()),
}


@dataclass(frozen=True)
class Said(Given):
    """One thing that was said, under an id of the sender's; said again under the id it changes nothing.

    `item` is an item; `event` an item whose events were the reason for something in a list; `tag` a feature of the
    items by its name; `undoes` the id of what is taken back; `list_id` the list that it was said about.
    """

    id: Id
    user: Id
    kind: str
    item: Id | None = None
    event: Id | None = None
    tag: str | None = None
    undoes: Id | None = None
    list_id: str | None = None
    time: str | float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("kind", self.kind, KINDS)
        for name in ("id", "user", "item", "event", "undoes"):
            if getattr(self, name) is not None:
                check_short(name, getattr(self, name))
        if self.list_id is not None:
            check_short("list_id", check_id("list_id", self.list_id))
        if self.time is not None:
            object.__setattr__(self, "time", check_moment("time", self.time))
        one, perhaps = ABOUT[self.kind]
        named = [name for name in ("item", "event", "tag", "undoes") if getattr(self, name) is not None]
        if sum(name in one for name in named) != 1 or any(name not in (*one, *perhaps) for name in named):
            refuse("about", kind_of=self.kind, wanted=one, got=", ".join(named))

    def check(self, data: Interactions) -> None:
        """Raise InputError where the data does not have what is named."""
        for item in (self.item, self.event):
            if item is not None:
                data.item_row(item)
        if self.tag is not None:
            check_named("tag", self.tag, feature_set(data.items).names, "tag")

    def row(self, alike: Sequence[Id] = ()) -> dict[str, Any]:
        """What the store holds; `alike` are the items of the list that had the same largest reason."""
        return {**asdict(self), "alike": json.dumps(list(alike), ensure_ascii=False) if alike else None}


def said_of(document: Any, data: Interactions, now: float, at: int | None = None) -> Said:
    """What a document says that comes `now`; `at` is its place in a list. Raises InputError."""
    said = parsed(Said, document, "" if at is None else f"said[{at}]")
    said.check(data)
    check_past(said.time, now)
    return said
