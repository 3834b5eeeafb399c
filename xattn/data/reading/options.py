"""What a caller may say about a table of events; what is not said is left to the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from xattn.data.scale import LASTING, Scale
from xattn.errors import check_choice, check_number, check_range, check_type, is_listing, refuse

__all__ = ["DROP", "Options"]

MISSING = ("refuse", "drop")
REPEATS = ("keep", "drop")
DROP = ("time_odd", "bots", "one_event_users")  # findings of which the rows can be left out


@dataclass(frozen=True)
class Options:
    """What a caller may say about a table of events; the defaults leave everything to the table."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    scale: Any = None
    unrated: Any = None
    amount: str | None = None
    event_weights: Mapping[str, float] | None = None
    time_format: str | None = None
    missing: str = "refuse"
    repeats: str = "keep"
    drop: Any = ()

    def __post_init__(self) -> None:
        check_choice("missing", self.missing, MISSING)
        check_choice("repeats", self.repeats, REPEATS)
        object.__setattr__(self, "drop", _names(self.drop))
        for name in ("amount", "time_format"):
            if getattr(self, name) is not None:
                check_type(name, getattr(self, name), str, "text")
        if self.columns is not None:
            check_type("columns", self.columns, Mapping, "roles_to_headers")  # type: ignore[type-abstract]

    def stated_scale(self) -> Scale | None:
        """The scale that the caller states: a pair of ends, as numbers or as text (1-5)."""
        if self.scale is None or isinstance(self.scale, Scale):
            return self.scale
        if isinstance(self.scale, str):
            if self.scale == "amount":
                return Scale(0.0, 0.0, "amount", "stated")
            if self.scale in LASTING:
                return None
            low, high = _two(self.scale)
        else:
            low, high = check_range("scale", tuple(self.scale) if isinstance(self.scale, list) else self.scale)
        if not low < high:
            refuse("scale_ends", got=str(self.scale))
        return Scale(float(low), float(high), "opinion", "stated")

    @property
    def given(self) -> dict[str, Any]:
        """The columns that the caller names, by role. Opinions are not looked for where numbers say how long events
        lasted."""
        opinions = {"rating": None} if self.lasting else {}
        return {**opinions, **(self.columns or {}), **({"amount": self.amount} if self.amount else {})}

    @property
    def lasting(self) -> str:
        """The kind of numbers that say how long an event lasted, where the caller says that they do; else ""."""
        kind = self.scale.kind if isinstance(self.scale, Scale) else self.scale
        return str(kind) if isinstance(kind, str) and kind in LASTING else ""

    def unrated_values(self) -> tuple[list[float] | None, set[str]]:
        """Numbers and texts that mean "not rated"; no numbers at all leaves them to be judged."""
        if self.unrated is None:
            return None, set()
        given = list(self.unrated) if is_listing(self.unrated) else [self.unrated]
        numbers: list[float] = []
        texts: set[str] = set()
        for value in given:
            try:
                numbers.append(check_number("unrated", float(value) if isinstance(value, str) else value))
            except ValueError:
                check_type("unrated", value, str, "text")
                texts.add(value.casefold())
        return numbers, texts


def _names(given: Any) -> tuple[str, ...]:
    """The findings of which the rows are to be left out, from one name, several with commas between, or a list."""
    names = given.split(",") if isinstance(given, str) else list(given or ())
    return tuple(check_choice("drop", name.strip() if isinstance(name, str) else name, DROP) for name in names)


def _two(text: str) -> tuple[float, float]:
    match = re.fullmatch(r"\s*([+-]?[\d.]+)\s*(?:\.\.|-|–|to|,|:)\s*([+-]?[\d.]+)\s*", text)
    try:
        if match:
            return float(match[1]), float(match[2])
    except ValueError:
        pass
    refuse("scale_text", got=text)
