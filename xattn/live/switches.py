"""What a person has switched: personalisation on or off, and tags that are muted or dropped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xattn.data import Interactions
from xattn.errors import check_named
from xattn.features import feature_set
from xattn.requests.plain import Given, parsed

__all__ = ["Switches"]


@dataclass(frozen=True)
class Switches(Given):
    """`personal` False: lists come from the base alone, for nobody's history. Items with a `muted` tag are not listed;
    events with a `dropped` tag are no reasons. A tag is a feature of the items, by its name."""

    personal: bool = True
    muted: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()

    @classmethod
    def of(cls, text: str) -> Switches:
        """The switches that the store holds."""
        return parsed(cls, json.loads(text), strict=False)

    def changed(self, document: Mapping[str, Any], data: Interactions) -> Switches:
        """These with the switches that a document names. Raises InputError for others, and for unknown tags."""
        found = parsed(Switches, {**asdict(self), **document}, "settings")
        for name in ("muted", "dropped"):
            for tag in getattr(found, name):
                check_named(name, tag, feature_set(data.items).names, "tag")
        return found

    def text(self) -> str:
        """What the store holds."""
        return json.dumps(asdict(self), ensure_ascii=False)
